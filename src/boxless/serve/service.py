"""What all routes share: models, workers, limits, counters."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import TypeVar

from PIL import Image
from starlette.requests import Request

from boxless.imaging.containers import open_image
from boxless.serve.body import BodyReader
from boxless.serve.folder import Folder
from boxless.serve.limits import Limits
from boxless.serve.metrics import Metrics
from boxless.serve.models import Models
from boxless.serve.problems import Problem
from boxless.serve.workers import Workers

Result = TypeVar("Result")

_WIDE = {"I": 4, "F": 4}
"""Bytes a sample of Pillow's modes that have more than one; 16-bit modes are `I;16` and the like."""


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


def decoded_bytes(content: bytes) -> int:
    """The bytes of an image's samples, by its header; 0 for what is no image: whoever decodes it says so.

    A PNG of 579 kB may have 12,200 x 12,200 pixels in four channels: 595 MB. Nothing is decoded to find that.
    """
    try:
        with open_image(io.BytesIO(content)) as image:
            width, height = image.size
            return width * height * _bytes_a_pixel(image)
    except Exception:  # broken headers raise nearly anything; decoding will say what is wrong
        return 0


def _bytes_a_pixel(image: Image.Image) -> int:
    if image.mode.startswith("I;16"):
        return 2
    # A palette becomes RGB or RGBA; everything else keeps at least the three channels that the network sees.
    channels = 4 if image.mode == "P" or "transparency" in image.info else max(3, len(image.getbands()))
    return channels * _WIDE.get(image.mode, 1)
