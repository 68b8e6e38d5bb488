"""What stands before every route: the token, the headers, the counters."""

from __future__ import annotations

import hmac
import logging

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boxless.serve.metrics import Metrics
from boxless.serve.problems import Problem
from boxless.system.text import printable

_log = logging.getLogger("boxless.serve")

_OPEN = ("/v2/health/live", "/v2/health/ready")
"""What is answered without a token, beside the page's own files: health checks cannot know it."""

_CLOSED = ("/v1/", "/v2", "/metrics", "/openapi.json")

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
    """Wraps an application.

    Args:
        app: that answers.
        metrics: that count.
        token: that requests have to bear; None where anybody may ask.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, token: str | None) -> None:
        self._app = app
        self._metrics = metrics
        self._token = token

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

        try:
            self._check_token(scope)
            await self._app(scope, receive, send_with_headers)
        except Problem as problem:
            await refused(problem, self._metrics)(scope, receive, send_with_headers)
        except Exception:  # it is answered already, by the application's handler
            _log.exception("an error of boxless itself, at %s %s", scope["method"], printable(scope["path"]))
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(route, status).inc()

    def _check_token(self, scope: Scope) -> None:
        path = scope["path"]
        if self._token is None or path in _OPEN or not path.startswith(_CLOSED):
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = given.partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token.encode()):
            return
        found = "no token" if not given else "another token"
        raise Problem(
            401,
            "unauthorized",
            f"{found} (expected the header Authorization: Bearer TOKEN)",
            {"WWW-Authenticate": 'Bearer realm="boxless"'},
        )
