"""Answers that are images: what was found, drawn; and the map of a class."""

from __future__ import annotations

import io
from dataclasses import replace
from math import sqrt

import numpy as np
from PIL import Image

from boxless.imaging.read import read_image, resize_pixels
from boxless.results import Localization, Prediction


def drawn_jpeg(found: Localization, most_pixels: int) -> bytes:
    """The image with heat map, boxes and labels, as JPEG; larger ones are drawn smaller, to bound memory."""
    return _encoded(_fitted(found, most_pixels).draw(), "JPEG", quality=92)


def map_png(found: Localization, most_pixels: int) -> bytes:
    """The score map of the first prediction as grey PNG: 0 for 0, 255 for 1; black where nothing was found."""
    fitted = _fitted(found, most_pixels)
    shape = (fitted.height or 1, fitted.width or 1)
    scores = fitted.predictions[0].score_map if fitted.predictions else np.zeros(shape, np.float32)
    return _encoded(Image.fromarray((scores * 255).round().astype(np.uint8)), "PNG")


def _fitted(found: Localization, most_pixels: int) -> Localization:
    """The same of the image made smaller, if it has more pixels than that."""
    height, width = found.height or 1, found.width or 1
    scale = sqrt(most_pixels / (height * width))
    if scale >= 1:
        return found
    size = (max(1, int(height * scale)), max(1, int(width * scale)))
    pixels = resize_pixels(read_image(found.source, enough=min(size), max_pixels=height * width).pixels, *size)
    return replace(
        found,
        height=size[0],
        width=size[1],
        source=pixels,
        predictions=tuple(_scaled(prediction, *size) for prediction in found.predictions),
    )


def _scaled(prediction: Prediction, height: int, width: int) -> Prediction:
    across, down = width / prediction.width, height / prediction.height
    boxes = tuple(
        replace(box, x0=box.x0 * across, y0=box.y0 * down, x1=box.x1 * across, y1=box.y1 * down)
        for box in prediction.boxes
    )
    return replace(prediction, boxes=boxes, height=height, width=width)


def _encoded(image: Image.Image, kind: str, **how: int) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()
