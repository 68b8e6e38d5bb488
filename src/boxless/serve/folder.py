"""A folder on the service's own machine: its images, located one after the other while nobody else asks."""

from __future__ import annotations

import asyncio
import io
import mimetypes
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Query
from PIL import Image
from starlette.responses import FileResponse, Response

from boxless.errors import BoxlessError, ImageError
from boxless.imaging.read import images_in, read_image
from boxless.imaging.resize import resize_pixels
from boxless.results import Localization
from boxless.serve.limits import Limits
from boxless.serve.models import Models
from boxless.serve.problems import Problem, as_json

PERHAPS = 0.5
"""A less probable class is doubtful; the page says "Perhaps" of it."""

SHOWN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "all": lambda image: True,
    "detected": lambda image: image.get("detected") is True,
    "doubtful": lambda image: image.get("detected") is True and image["probability"] < PERHAPS,
    "none": lambda image: image.get("detected") is False,
    "failed": lambda image: "error" in image,
}
"""What of a folder can be shown: all images, those in which a class is detected, is detected with a probability below
`PERHAPS`, is not detected, and those that cannot be read."""

_PAUSE = 0.05

_MOST_LISTED = 500
"""Images of one answer."""

_THUMBNAIL = 240
"""Pixels of a thumbnail's longer side."""

_DAY = {"Cache-Control": "private, max-age=86400"}


class Folder:
    """The images of a folder and below, located by the first model as far as that is done.

    Images are called by their number: no request names a path.

    Raises:
        ImageError: if it is no folder, or there are no images in it.
    """

    def __init__(self, path: Path, models: Models) -> None:
        if not path.is_dir():
            raise ImageError(f"{path}: no folder")
        try:
            self._files = images_in(path)
        except ImageError as error:
            raise ImageError(f"{path}: {error}") from None
        self.path = path
        self._served = models[None]
        self._images: list[dict[str, Any]] = [
            {"id": number, "name": file.relative_to(path).as_posix()} for number, file in enumerate(self._files)
        ]
        self.done = 0
        self._stopped = threading.Event()

    def __len__(self) -> int:
        return len(self._files)

    def start(self, busy: Callable[[], bool]) -> None:
        """Locates all images in the background, whenever the service is not busy."""
        threading.Thread(target=self._locate_all, args=[busy], name="boxless-folder", daemon=True).start()

    def stop(self) -> None:
        """Leaves off after the image under way."""
        self._stopped.set()

    def file(self, number: int) -> Path | None:
        """The file of an image; None if there is none of that number."""
        return self._files[number] if 0 <= number < len(self._files) else None

    def described(self) -> dict[str, Any]:
        """The folder as plain data for JSON: how many images are located, and how many have each class."""
        counts = Counter(image["label"] for image in self._images if image.get("detected"))
        classes = [{"label": label, "images": count} for label, count in counts.most_common()]
        return {
            "name": self.path.resolve().name,
            "images": len(self),
            "done": self.done,
            "model": self._served.card.name,
            "preset": self._served.default.preset_name,
            "classes": classes,
        }

    def listed(self, offset: int, limit: int, label: str | None, shown: str) -> dict[str, Any]:
        """At most `limit` images after `offset`, and how many there are, of those `shown` (with `label` detected)."""
        fits = SHOWN[shown]
        found = [
            image
            for image in self._images
            if fits(image) and (label is None or (image.get("detected") and image["label"] == label))
        ]
        return {"total": len(found), "images": found[offset : offset + limit]}

    def _locate_all(self, busy: Callable[[], bool]) -> None:
        for number, file in enumerate(self._files):
            while busy() and not self._stopped.is_set():
                time.sleep(_PAUSE)
            if self._stopped.is_set():
                return
            try:
                found = _in_short(self._served.default.locate(file))
            except (BoxlessError, MemoryError) as error:
                found = {"error": str(error) or "not enough memory"}
            self._images[number] = {**self._images[number], **found}
            self.done += 1


def _in_short(found: Localization) -> dict[str, Any]:
    best = found.predictions[0]
    return {
        "width": found.width,
        "height": found.height,
        "label": best.label,
        "probability": round(float(best.probability), 4),
        "detected": bool(best.detected),
        "boxes": sum(len(each.boxes) for each in found.predictions),
    }


def add_folder(api: FastAPI, folder: Folder, limits: Limits) -> None:
    """Adds the routes of a folder to an application."""
    add = partial(api.api_route, methods=["GET"], tags=["folder"], response_class=Response)
    decoding = asyncio.Semaphore(limits.workers)

    def file_of(number: int) -> Path:
        path = folder.file(number)
        if path is None or not path.is_file():
            raise Problem(404, "not-found", f"no image {number} in the folder (there are 0 to {len(folder) - 1})")
        return path

    @add("/v1/folder", summary="The folder: its images, and how many have each class")
    async def _folder() -> Response:
        return as_json(folder.described())

    @add("/v1/folder/images", summary="A part of the folder's images, with what is in them")
    async def _images(
        offset: int = Query(0, ge=0, description="How many to leave out at the beginning."),
        limit: int = Query(100, ge=1, le=_MOST_LISTED, description="How many to list, at most."),
        label: str | None = Query(None, alias="class", description="Only those in which this class is detected."),
        show: str = Query("all", pattern=f"^({'|'.join(SHOWN)})$", description="Which ones."),
    ) -> Response:
        return as_json(folder.listed(offset, limit, label, show))

    @add("/v1/folder/images/{number}", summary="An image of the folder, as its file is")
    async def _image(number: int) -> Response:
        path = file_of(number)
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return FileResponse(path, media_type=media_type, filename=path.name)

    @add("/v1/folder/images/{number}/thumbnail", summary="An image of the folder, small, as JPEG")
    async def _thumbnail(number: int) -> Response:
        path = file_of(number)
        async with decoding:
            content = await asyncio.to_thread(_small, path, limits.max_pixels)
        return Response(content, media_type="image/jpeg", headers=_DAY)


def _small(path: Path, max_pixels: int) -> bytes:
    """An image made small, as JPEG."""
    image = read_image(path, enough=_THUMBNAIL // 2, max_pixels=max_pixels)
    height, width = image.pixels.shape[:2]
    scale = min(1.0, _THUMBNAIL / max(height, width))
    pixels = resize_pixels(image.pixels, max(1, round(height * scale)), max(1, round(width * scale)))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=82)
    return file.getvalue()
