"""Pictures of what was found: heat map, boxes, labels; several on one contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxless.boxes import Box
from boxless.fonts import Lettering
from boxless.image import resize_pixels

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Okabe and Ito's colours, which colour-blind people can tell apart.
_COLOURS: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178),
)  # fmt: skip
_INK: Colour = (18, 18, 22)
_PAPER: Colour = (255, 255, 255)

TILE = 320
"""The side of a picture's square on a contact sheet, in pixels."""

_HEAT = 0.72
"""How much of the picture the strongest heat covers."""

_SMALLEST = 320
"""A picture whose longer side is shorter than this, in pixels, is enlarged before it is drawn on."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One class to draw.

    Attributes:
        title: what is written, such as "espresso 87 %".
        score_map: (H, W) of the picture in [0, 1].
        strength: of the heat map, in [0, 1].
        boxes: in pixels of the picture, the best first; the best gets the title.
    """

    title: str
    score_map: Floats
    strength: float
    boxes: Sequence[Box]


def heat_map(score_map: Floats) -> Pixels:
    """A score map (H, W) in [0, 1] in colour: RGB uint8 (H, W, 3), perceptually uniform (inferno)."""
    grey = (np.clip(score_map, 0.0, 1.0) * 255).round().astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8)


def overlay(pixels: Pixels, score_map: Floats, strength: float = 1.0) -> Pixels:
    """A heat map over a picture, clear where the score is low.

    Args:
        pixels: RGB uint8 (H, W, 3).
        score_map: (H, W) in [0, 1].
        strength: of the heat map, in [0, 1]; 0 leaves the picture as it is.
    """
    score = np.clip(score_map, 0.0, 1.0)
    cover = (_HEAT * strength * score * score * (3 - 2 * score))[..., None]  # a smooth step from clear to covered
    return np.asarray((pixels * (1 - cover) + heat_map(score) * cover).round(), dtype=np.uint8)


def draw(pixels: Pixels, layers: Sequence[Layer]) -> Image.Image:
    """Draws classes over a picture: their heat maps together, a box and a label for each.

    Args:
        pixels: RGB uint8 (H, W, 3).
        layers: none leaves the picture as it is.

    Returns:
        A picture of the same size; of a small one (longer side below 320 pixels) an enlargement.
    """
    height, width = pixels.shape[:2]
    zoom = max(1.0, _SMALLEST / max(height, width))
    size = (max(1, round(height * zoom)), max(1, round(width * zoom)))
    canvas = pixels if zoom == 1.0 else resize_pixels(pixels, *size)
    if layers:
        heat = np.max([layer.score_map * layer.strength for layer in layers], axis=0)
        if zoom > 1.0:
            heat = cv2.resize(heat, size[::-1], interpolation=cv2.INTER_LINEAR)
        canvas = overlay(canvas, heat / max(float(heat.max()), 1e-6), float(heat.max()))
    image = Image.fromarray(canvas)
    unit = max(1.0, min(max(size) / 400, min(size) / 150))
    font = Lettering(round(13 * unit))
    labels: list[tuple[float, float, str, Colour]] = []
    for layer, colour in zip(layers, _cycle(len(layers)), strict=True):
        for rank, box in enumerate(layer.boxes):
            _frame(image, box, zoom, colour, unit * (1.0 if rank == 0 else 0.5))
        x, y = (layer.boxes[0].x0 * zoom, layer.boxes[0].y0 * zoom) if layer.boxes else (0.0, 0.0)
        labels.append((x, y, layer.title, colour))
    return _labelled(image, labels, font, unit)


def contact_sheet(images: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    """Several pictures on one sheet, each in a square of `TILE` pixels with its caption below.

    Raises:
        ValueError: without pictures.
    """
    if not images:
        raise ValueError("a contact sheet needs at least one picture")
    columns = ceil(sqrt(len(images)))
    font = Lettering(14)
    gap, line = 12, 24
    step = (TILE + gap, TILE + line + gap)
    rows = ceil(len(images) / columns)
    sheet = Image.new("RGB", (columns * step[0] + gap, rows * step[1] + gap), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = gap + i % columns * step[0], gap + i // columns * step[1]
        small = image.copy()
        small.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
        sheet.paste(small, (left + (TILE - small.width) // 2, top + (TILE - small.height) // 2))
        shown = _fitted(caption, font, TILE)
        font.write(pen, left + (TILE - font.length(shown)) / 2, top + TILE + 4, shown, _INK)
    return sheet


def _cycle(count: int) -> list[Colour]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(count)]


def _frame(image: Image.Image, box: Box, zoom: float, colour: Colour, unit: float) -> None:
    pen = ImageDraw.Draw(image)
    line = max(1, round(2 * unit))
    # The line lies inside the box, between two dark ones, so that it shows on any ground.
    for inset, stroke, ink in ((0, 3 * line, _INK), (line, line, colour)):
        x0, y0 = box.x0 * zoom + inset, box.y0 * zoom + inset
        x1, y1 = box.x1 * zoom - 1 - inset, box.y1 * zoom - 1 - inset
        if x1 > x0 and y1 > y0:
            pen.rectangle((x0, y0, x1, y1), outline=ink, width=stroke)


def _labelled(
    image: Image.Image, labels: Sequence[tuple[float, float, str, Colour]], font: Lettering, unit: float
) -> Image.Image:
    """Writes labels at their places, moved so that they are whole inside the picture and cover no other label."""
    pad = round(4 * unit)
    taken: list[tuple[float, float, float, float]] = []
    for x, y, text, colour in labels:
        left, top, right, bottom = font.box(text)
        width, height = right - left + 3 * pad, bottom - top + 2 * pad
        if image.width < width or image.height < height:
            roomier = Image.new("RGB", (max(image.width, ceil(width)), max(image.height, ceil(height))), _INK)
            roomier.paste(image, (0, 0))
            image = roomier
        x = min(max(x, 0.0), image.width - width)
        y = min(max(y, 0.0), image.height - height)
        for other in sorted(taken, key=lambda each: each[1]):
            if x < other[2] and x + width > other[0] and y < other[3] and y + height > other[1]:
                y = min(other[3], image.height - height)
        taken.append((x, y, x + width, y + height))
        pen = ImageDraw.Draw(image)
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=_INK)
        pen.rectangle((x, y, x + pad - 1, y + height - 1), fill=colour)
        font.write(pen, x + 2 * pad - left, y + pad - top, text, _PAPER)
    return image


def _fitted(text: str, font: Lettering, width: float) -> str:
    """The text, its beginning left out until it is no wider than `width` pixels."""
    if font.length(text) <= width:
        return text
    while text and font.length("…" + text) > width:
        text = text[1:]
    return "…" + text
