"""What stands before every route: who may ask, the token, the headers, the counters."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boxless.serve.metrics import Metrics
from boxless.serve.problems import Problem
from boxless.system.text import printable

_log = logging.getLogger("boxless.serve")

HEALTH = ("/health/live", "/health/ready")
"""What is answered under any name and without a token: health checks cannot know either."""

_CLOSED = ("/v1/", "/metrics", "/openapi.json")
"""Where paths begin that ask for a token; the page's own files do not."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
"""What a machine calls itself."""

_SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing and cost little."""

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
        _check_host(headers, self._hosts)
        _check_origin(scope["method"], headers, self._hosts)
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


def allowed_hosts(given: Iterable[str], *, bound: str, loopback: bool) -> frozenset[str] | None:
    """The names under which a service answers, in lower case; None where any will do.

    A page of a stranger may give its own name the address 127.0.0.1 (DNS rebinding) and then read, as one of its own,
    what only this machine was meant to reach. The header Host still says the stranger's name. A service that is bound
    to other addresses than the loopback's is meant for other machines, which call it by names that it cannot know.
    """
    names = {name.strip().strip("[]").lower().rstrip(".") for name in given}
    if not names and not loopback:
        return None
    return frozenset(names | set(_LOOPBACK_NAMES) | {bound.lower()})


def _check_host(headers: Mapping[str, str], allowed: frozenset[str] | None) -> None:
    """Makes sure that a request names this service; a Problem if it names another host, or none."""
    found = headers.get("host", "")
    if allowed is not None and _hostname(found) not in allowed:
        raise Problem(
            421,
            "unknown-host",
            f"Host: {found[:200]} (this service answers to {', '.join(sorted(allowed))}; to add a name, start it with "
            "--allow-host NAME)",
        )


def _check_origin(method: str, headers: Mapping[str, str], allowed: frozenset[str] | None) -> None:
    """Makes sure that a request that costs something was not made by another site's page; a Problem if it was.

    Browsers send forms and simple requests anywhere, and say which page made them. Programs say nothing, and may ask.
    """
    if method in _SAFE:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    if origin is None and site is None:
        return
    place = (origin or "").lower().partition("://")[2]
    # Other ports of this machine are other sites.
    trusted = (allowed or frozenset()) - set(_LOOPBACK_NAMES)
    if place and (place == headers.get("host", "").lower() or _hostname(place) in trusted):
        return
    raise Problem(
        403,
        "foreign-origin",
        f"a page of {(origin or 'another site')[:200]} asks (expected this service's own page, or a program; to let "
        "the pages of a host ask, start the service with --allow-host NAME)",
    )


def _hostname(place: str) -> str:
    """The name of `name:port` or `[address]:port`, in lower case; empty where there is none."""
    try:
        return (urlsplit(f"//{place}").hostname or "").rstrip(".")
    except ValueError:
        return ""
