"""What stands before every route: who may ask, the token, the headers, the counters."""

from __future__ import annotations

import hmac
import logging

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boxless.serve.metrics import Metrics
from boxless.serve.problems import Problem
from boxless.serve.visitors import check_host, check_origin
from boxless.system.text import printable

_log = logging.getLogger("boxless.serve")

HEALTH = ("/health/live", "/health/ready")
"""What is answered under any name and without a token: health checks cannot know either."""

_CLOSED = ("/v1/", "/metrics", "/openapi.json")
"""Where paths begin that ask for a token; the page's own files do not."""

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
        b"media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
        b"form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def refused(problem: Problem, metrics: Metrics) -> Response:
    """Counts a refusal, and makes its answer."""
    metrics.refusals.labels(problem.kind).inc()
    return problem.response()


class Guard:
    """Wraps an application: checks the host, the origin and the token; adds headers; counts requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics, token: str | None, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._metrics = metrics
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        # HEAD is GET without the body, which the connection leaves out.
        asked = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            self._check(scope)
            await self._app(asked, receive, send_with_headers)
        except Problem as problem:
            await refused(problem, self._metrics)(asked, receive, send_with_headers)
        except Exception:  # it is answered already, by the application's handler
            _log.exception("an error of boxless itself, at %s %s", scope["method"], printable(scope["path"]))
        route = getattr(asked.get("route"), "path", "other")
        self._metrics.requests.labels(route, status).inc()

    def _check(self, scope: Scope) -> None:
        path = scope["path"]
        if path in HEALTH:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        check_host(headers, self._hosts)
        check_origin(scope["method"], headers, self._hosts)
        if self._token is not None and path.startswith(_CLOSED):
            _check_token(headers.get("authorization", ""), self._token)


def _check_token(authorization: str, token: str) -> None:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), token.encode()):
        return
    raise Problem(
        401,
        "wrong-token" if authorization else "no-token",
        f"{'another token' if authorization else 'no token'} (expected the header Authorization: Bearer TOKEN)",
        {"WWW-Authenticate": 'Bearer realm="boxless"'},
    )
