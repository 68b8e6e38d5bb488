"""A request's body: whole, not larger and not slower than allowed."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from boxless.serve.limits import Limits
from boxless.serve.problems import BODY_IS_READ, ClientGone, Problem


class BodyReader:
    """Reads bodies into memory, a bounded number at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._readings = 0

    async def read(self, request: Request) -> bytes:
        """The body of a request; a Problem if it is too large (413), too slow (408), or one of too many (503)."""
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._limits.body_bytes:
            raise self._too_large(f"{int(announced) / 1e6:.1f} MB")
        if self._readings >= self._limits.readings:
            raise Problem(
                503,
                "too-many-uploads",
                f"{self._readings} uploads are under way (at most {self._limits.readings} at a time); try again",
                {"Retry-After": "1"},
            )
        self._readings += 1
        try:
            return await self._all_of(request)
        finally:
            self._readings -= 1

    async def _all_of(self, request: Request) -> bytes:
        limits = self._limits
        body = bytearray()
        start = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(limits.body_seconds) as deadline:
                while True:
                    message = await request.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    body += message.get("body", b"")
                    if len(body) > limits.body_bytes:
                        raise self._too_large("more")
                    if not message.get("more_body", False):
                        request.scope[BODY_IS_READ] = True
                        return bytes(body)
                    deadline.reschedule(start + limits.body_seconds + len(body) / limits.body_rate)
        except TimeoutError:
            raise Problem(
                408,
                "too-slow",
                f"the body comes too slowly: {len(body):,} bytes so far "
                f"(expected {limits.body_rate / 1e3:.0f} kB a second)",
            ) from None

    def _too_large(self, found: str) -> Problem:
        allowed = f"{self._limits.body_bytes / 1e6:.0f} MB"
        return Problem(413, "body-too-large", f"the body has {found} (at most {allowed})")
