"""The application: which route is answered by what."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from boxless._version import __version__
from boxless.errors import ImageError, NoClassMapError, UnknownClassError, UnknownPresetError
from boxless.serve.folder import add_folder
from boxless.serve.guard import Guard, refused
from boxless.serve.locating import locate
from boxless.serve.metrics import Metrics
from boxless.serve.openapi import LABELS, LIVE, METRICS, MODELS, PROBLEMS, READY, locate_operation
from boxless.serve.problems import ClientGone, Problem, as_json
from boxless.serve.service import Service

WEB = Path(__file__).parent / "web"
"""Where the page's files are, all in one folder."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".webmanifest": "application/manifest+json",
}
"""The media types of the page's files by suffix; others are not for the browser."""

_KINDS: dict[type[Exception], str] = {
    NoClassMapError: "no-class-map",
    ImageError: "unreadable-image",
    UnknownClassError: "unknown-class",
    UnknownPresetError: "unknown-preset",
}


def application(service: Service, token: str | None = None, hosts: frozenset[str] | None = None) -> ASGIApp:
    """The application of a service.

    Args:
        service: its models, workers and limits.
        token: that requests to the interface have to bear; None where anybody may ask.
        hosts: the names under which it answers; None where any will do.

    Returns:
        An ASGI application, for uvicorn or any other server.

    Example:
        >>> from boxless.serve import Limits, Models, Service, application
        >>> limits = Limits(workers=1)
        >>> app = application(Service(Models(["efficientnet-lite0"], None, limits.max_pixels), limits))
    """
    api = FastAPI(
        title="boxless",
        version=__version__,
        description="What is in an image, and where.",
        docs_url=None,  # they load their scripts from elsewhere; /api.html is ours
        redoc_url=None,
        responses=PROBLEMS,
    )
    _add_locating(api, service)
    _add_operation(api, service)
    _add_problems(api, service.metrics)
    if service.folder is not None:
        add_folder(api, service.folder, service.limits)
    _add_page(api)
    return Guard(api, service.metrics, token, hosts)


def _add_locating(api: FastAPI, service: Service) -> None:
    add = partial(api.api_route, tags=["locate"], response_class=Response)
    operation = locate_operation(service.models.described())

    @add("/v1/locate", methods=["POST"], openapi_extra=operation, summary="Find what is in an image, and where")
    async def _locate(request: Request) -> Response:
        return await locate(service, request)

    @add("/v1/models", methods=["GET"], responses=MODELS, summary="What there is to locate with, and the limits")
    async def _models() -> Response:
        limits = {"body_bytes": service.limits.body_bytes, "max_pixels": service.limits.max_pixels}
        folder = service.folder and service.folder.path.resolve().name
        return as_json({"models": service.models.described(), "limits": limits, "folder": folder})

    @add("/v1/models/{name}/labels", methods=["GET"], responses=LABELS, summary="The classes of a model, by index")
    async def _labels(name: str) -> Response:
        card = service.models[name].card
        return as_json({"labels": card.labels, "class_ids": card.class_ids})


def _add_operation(api: FastAPI, service: Service) -> None:
    add = partial(api.api_route, methods=["GET"], tags=["operation"], response_class=Response)

    @add("/health/live", responses=LIVE, summary="Whether the process lives")
    async def _live() -> Response:
        return as_json({"live": True})

    @add("/health/ready", responses=READY, summary="Whether requests are taken")
    async def _ready() -> Response:
        if not service.ready:
            raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "10"})
        return as_json({"ready": True})

    @add("/metrics", responses=METRICS, summary="Counters for Prometheus")
    async def _metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_problems(api: FastAPI, metrics: Metrics) -> None:
    """Whatever a route raises is answered as a problem."""

    async def _problem(_: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return refused(error, metrics)

    async def _known(_: Request, error: Exception) -> Response:
        return refused(Problem(422, _KINDS[type(error)], str(error)), metrics)

    async def _http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "refused")
        detail = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return refused(Problem(error.status_code, kind, detail, error.headers), metrics)

    async def _gone(_: Request, __: Exception) -> Response:
        metrics.gone.inc()
        return Response(status_code=499)  # nobody sees it; the counters do

    async def _unexpected(_: Request, __: Exception) -> Response:
        return refused(Problem(500, "internal-error", "an error of the service itself; its log says more"), metrics)

    for kind in _KINDS:
        api.add_exception_handler(kind, _known)
    api.add_exception_handler(Problem, _problem)
    api.add_exception_handler(ClientGone, _gone)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _unexpected)


def _add_page(api: FastAPI) -> None:
    """The page's files, `index.html` at the root: read once, answered from memory, so that no request names a path."""
    files = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in WEB.iterdir() if path.suffix in _TYPES}

    @api.get("/{name}", include_in_schema=False)
    async def _file(name: str, request: Request) -> Response:
        if name not in files:
            raise HTTPException(404)
        content, media_type = files[name]
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    @api.get("/", include_in_schema=False)
    async def _index(request: Request) -> Response:
        return await _file("index.html", request)
