"""The routes of a folder on the service's own machine."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Query
from PIL import Image
from starlette.responses import FileResponse, Response

from boxless.imaging.read import read_image
from boxless.imaging.resize import resize_pixels
from boxless.serve.folder import SHOWN, Folder, media_type
from boxless.serve.problems import Problem
from boxless.serve.service import Service, as_json

MOST_LISTED = 500
"""Images of one answer."""

THUMBNAIL = 240
"""Pixels of a thumbnail's longer side."""

_DAY = {"Cache-Control": "private, max-age=86400"}


def add_folder(api: FastAPI, folder: Folder, service: Service) -> None:
    """Adds the routes of a folder to an application."""
    add = partial(api.api_route, methods=["GET"], tags=["folder"], response_class=Response)
    decoding = asyncio.Semaphore(service.limits.workers)

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
        limit: int = Query(100, ge=1, le=MOST_LISTED, description="How many to list, at most."),
        label: str | None = Query(None, alias="class", description="Only those in which this class is detected."),
        show: str = Query("all", pattern=f"^({'|'.join(SHOWN)})$", description="Which ones."),
    ) -> Response:
        listed = folder.listed(offset, limit, label, show)
        return as_json({"total": listed.total, "images": listed.images})

    @add("/v1/folder/images/{number}", summary="An image of the folder, as its file is")
    async def _image(number: int) -> Response:
        path = file_of(number)
        return FileResponse(path, media_type=media_type(path), filename=path.name)

    @add("/v1/folder/images/{number}/thumbnail", summary="An image of the folder, small, as JPEG")
    async def _thumbnail(number: int) -> Response:
        path = file_of(number)
        async with decoding:
            content = await asyncio.to_thread(_small, path, service.limits.max_pixels)
        return Response(content, media_type="image/jpeg", headers=_DAY)


def _small(path: Path, max_pixels: int) -> bytes:
    """An image made small, as JPEG."""
    image = read_image(path, enough=THUMBNAIL // 2, max_pixels=max_pixels)
    height, width = image.pixels.shape[:2]
    scale = min(1.0, THUMBNAIL / max(height, width))
    pixels = resize_pixels(image.pixels, max(1, round(height * scale)), max(1, round(width * scale)))
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=82)
    return file.getvalue()
