"""What all routes share: models, workers, limits, counters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from boxless.serve.body import BodyReader
from boxless.serve.decoded_size import decoded_bytes
from boxless.serve.folder import Folder
from boxless.serve.limits import Limits
from boxless.serve.metrics import Metrics
from boxless.serve.models import Models
from boxless.serve.problems import Problem, in_utf8
from boxless.serve.workers import Workers

Result = TypeVar("Result")


class Service:
    """The state of a service.

    Args:
        models: that it serves.
        limits: of its requests.
        folder: of images on this machine, if it shows one.
    """

    def __init__(self, models: Models, limits: Limits, folder: Folder | None = None) -> None:
        self.models = models
        self.limits = limits
        self.workers = Workers(limits)
        self.bodies = BodyReader(limits)
        self.metrics = Metrics(self.workers)
        self.ready = True
        self.folder = folder
        if folder is not None:
            folder.start(busy=lambda: self.workers.running + self.workers.waiting > 0)

    async def read(self, request: Request) -> bytes:
        """The body of a request; a request whose job would find no room is refused first.

        Args:
            request: whose body is read.

        Returns:
            The body.

        Raises:
            Problem: 503, 413 or 408.
            ClientGone: if the client hangs up.
        """
        self.workers.check_room()
        return await self.bodies.read(request)

    async def work(self, request: Request, image: bytes, job: Callable[[float], Result]) -> Result:
        """Runs a job in a worker for as long as the client waits for it.

        Args:
            request: whose client waits.
            image: the encoded image that the job decodes; a large one waits for other large ones.
            job: is called with the seconds that it waited.

        Returns:
            What the job returns.

        Raises:
            Problem: 503.
            BoxlessError: what the job raises.
            ClientGone: if the client hangs up.
        """

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        try:
            large = await asyncio.to_thread(decoded_bytes, image) > self.limits.large_bytes
            return await self.workers.run(job, gone, large=large)
        except MemoryError:
            raise Problem(
                503, "out-of-memory", "not enough memory for this image now; try a smaller one", {"Retry-After": "5"}
            ) from None


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; a Problem if it is none."""
    data: object = None
    with suppress(ValueError, RecursionError):
        data = json.loads(body)
    if not isinstance(data, dict):
        raise Problem(400, "broken-json", "the body is no JSON object")
    return data


def as_json(data: object, headers: dict[str, str] | None = None) -> Response:
    """Plain data as an answer."""
    return Response(in_utf8(data), headers=headers, media_type="application/json")
