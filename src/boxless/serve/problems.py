"""Answers in JSON: data, and refusals as problem documents (RFC 9457)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64_000_000


class Problem(Exception):  # noqa: N818 - it is called so by the RFC
    """Why a request is refused.

    Args:
        status: of HTTP.
        kind: of problem, a short name that programs can go by: "queue-full".
        detail: what was found, what was expected, what helps.
        headers: of the answer, beside the usual.
        more: members of the document, beside the usual.
    """

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def document(self) -> dict[str, Any]:
        """The problem as plain data, of the members that RFC 9457 names."""
        return {
            "type": f"urn:boxless:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }

    def response(self) -> Response:
        """The problem as an answer."""
        return Refusal(in_utf8(self.document()), self.status, self.headers, media_type=MEDIA_TYPE)


def in_utf8(data: object) -> bytes:
    """Plain data as JSON; halves of letters, which a request may name, as they came: \\udcXX."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def as_json(data: object, headers: dict[str, str] | None = None) -> Response:
    """Plain data as an answer."""
    return Response(in_utf8(data), headers=headers, media_type="application/json")


class ClientGone(Exception):  # noqa: N818 - no error of anybody here
    """Nobody waits for the answer any more."""


BODY_IS_READ = "boxless.body_is_read"
"""Stands in a request's scope once its body is read whole."""


class Refusal(Response):
    """An answer that may come before the request's body is read; the connection then ends with it.

    A connection that is closed with bytes unread is reset, and the reset overtakes the answer. So the answer is sent,
    the rest of the body is thrown away for a while, and only then the connection is closed.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, then waits for what is still to come."""
        if scope["method"] not in ("POST", "PUT", "PATCH") or scope.get(BODY_IS_READ):
            await super().__call__(scope, receive, send)
            return
        headers = [*self.raw_headers, (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await _drain(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _drain(receive: Receive) -> None:
    """Throws a body away, for a bounded time."""
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                left -= len(message.get("body", b""))
    except TimeoutError:
        return
