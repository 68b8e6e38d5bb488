"""The application: which route is answered by what."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp

from boxless._version import __version__
from boxless.errors import NoClassMapError, PictureError, UnknownClassError, UnknownPresetError
from boxless.serve.guard import Guard, refused
from boxless.serve.inference import infer, model_metadata, server_metadata
from boxless.serve.locating import locate
from boxless.serve.metrics import Metrics
from boxless.serve.openapi import INFER, LOCATE, PROBLEMS
from boxless.serve.page_files import add_page
from boxless.serve.problems import ClientGone, Problem
from boxless.serve.service import Service, as_json

_KINDS: dict[type[Exception], str] = {
    NoClassMapError: "no-class-map",
    PictureError: "unreadable-picture",
    UnknownClassError: "unknown-class",
    UnknownPresetError: "unknown-preset",
}


def application(service: Service, token: str | None = None) -> ASGIApp:
    """The application of a service.

    Args:
        service: its models, workers and limits.
        token: that requests to the interface have to bear; None where anybody may ask.
    """
    api = FastAPI(
        title="boxless",
        version=__version__,
        description="What is in a picture, and where.",
        docs_url=None,  # they load their scripts from elsewhere; /api.html is ours
        redoc_url=None,
        responses=PROBLEMS,
    )
    _add_locating(api, service)
    _add_inference(api, service)
    _add_problems(api, service.metrics)
    add_page(api)
    return Guard(api, service.metrics, token)


def _add_locating(api: FastAPI, service: Service) -> None:
    @api.post("/v1/locate", tags=["locate"], openapi_extra=LOCATE, summary="Find what is in a picture, and where")
    async def _locate(request: Request) -> Response:
        return await locate(service, request)

    @api.get("/v1/models", tags=["locate"], summary="What there is to locate with, and the limits")
    async def _models() -> Response:
        limits = {"body_bytes": service.limits.body_bytes, "max_pixels": service.limits.max_pixels}
        return as_json({"models": service.models.described(), "limits": limits})

    @api.get("/v1/models/{name}/labels", tags=["locate"], summary="The classes of a model, by index")
    async def _labels(name: str) -> Response:
        card = service.models[name].card
        return as_json({"labels": card.labels, "class_ids": card.class_ids})

    @api.get("/metrics", tags=["operation"], summary="Counters for Prometheus")
    async def _metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_inference(api: FastAPI, service: Service) -> None:
    tags: Any = ["Open Inference Protocol"]

    @api.get("/v2", tags=tags, summary="What this is")
    async def _server() -> Response:
        return as_json(server_metadata())

    @api.get("/v2/health/live", tags=tags, summary="Whether the process lives")
    async def _live() -> Response:
        return as_json({"live": True})

    @api.get("/v2/health/ready", tags=tags, summary="Whether requests are taken")
    async def _ready() -> Response:
        if not service.ready:
            raise Problem(503, "stopping", "the service is stopping", {"Retry-After": "10"})
        return as_json({"ready": True})

    @api.get("/v2/models/{name}", tags=tags, summary="The inputs and outputs of a model's graph")
    async def _model(name: str) -> Response:
        return as_json(model_metadata(service.models[name]))

    @api.get("/v2/models/{name}/ready", tags=tags, summary="Whether a model is ready")
    async def _model_ready(name: str) -> Response:
        return as_json({"name": service.models[name].card.name, "ready": service.ready})

    @api.post("/v2/models/{name}/infer", tags=tags, openapi_extra=INFER, summary="Run a model's graph")
    async def _infer(name: str, request: Request) -> Response:
        return await infer(service, name, request)


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
