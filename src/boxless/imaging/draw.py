"""Images of what was found: heat map, boxes, labels; several on one contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, log, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxless.imaging.fonts import Lettering
from boxless.imaging.label_layout import label_places
from boxless.imaging.read import resize_pixels
from boxless.maps.boxes import Box

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
"""The side of an image's square on a contact sheet, in pixels."""

_HEAT = 0.72
"""How much of the image the strongest heat covers."""

_HIDES = 0.25
"""The share of a box that its label may hide."""

_THIN = 15
"""A box that is thinner than so many lines has its frame outside."""

_SMALLEST = 320
"""An image whose longer side is shorter than this, in pixels, is enlarged before it is drawn on."""

_LARGEST = 12_000_000
"""Pixels that several panels have together, at most: a photograph's, however many classes are drawn."""

_STRIP = 1_000_000
"""Pixels that heat is mixed into at a time."""

_SCREEN = 4 / 3
"""Width over height that several panels come near to."""

_GAP = 6
"""Between panels, in pixels."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One class to draw.

    Attributes:
        title: what is written, such as "espresso 87 %".
        score_map: (H, W) of the image in [0, 1]; None of a detector's class, which is drawn without heat.
        strength: of the heat map, in [0, 1].
        boxes: in pixels of the image, the best first; the best gets the title. Without heat each gets it, with its
            score.
        kind: the class's number: without heat, classes keep their colours from image to image as far as it goes.
    """

    title: str
    score_map: Floats | None
    strength: float
    boxes: Sequence[Box]
    kind: int = 0


def heat_map(score_map: Floats) -> Pixels:
    """A score map in colour, perceptually uniform (inferno).

    Args:
        score_map: (H, W) in [0, 1].

    Returns:
        RGB uint8 (H, W, 3).

    Example:
        >>> heat_map(np.zeros((2, 2), np.float32))[0, 0].tolist()
        [0, 0, 4]
    """
    grey = (np.clip(score_map, 0.0, 1.0) * 255).round().astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8)


def overlay(pixels: Pixels, score_map: Floats, strength: float = 1.0) -> Pixels:
    """A heat map over an image, clear where the score is low.

    Args:
        pixels: RGB uint8 (H, W, 3).
        score_map: (H, W) in [0, 1].
        strength: of the heat map, in [0, 1]; 0 leaves the image as it is.

    Returns:
        RGB uint8 (H, W, 3).

    Example:
        >>> overlay(np.zeros((40, 60, 3), np.uint8), np.ones((40, 60), np.float32)).shape
        (40, 60, 3)
    """
    drawn = np.empty_like(pixels)
    rows = max(1, _STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):  # floats of a whole large image would take a lot of memory
        strip = slice(top, top + rows)
        score = np.clip(score_map[strip], 0.0, 1.0)
        cover = (_HEAT * strength * score * score * (3 - 2 * score))[..., None]  # a smooth step from clear to covered
        drawn[strip] = (pixels[strip] * (1 - cover) + heat_map(score) * cover).round()
    return drawn


def draw(pixels: Pixels, layers: Sequence[Layer]) -> Image.Image:
    """Draws classes over an image, each its heat map, boxes and label: several classes with heat in a panel each.

    Heat of several classes in one image would cover each other: what is alike, such as a jack and a queen, is hot in
    the same places (decision 0014).

    Args:
        pixels: RGB uint8 (H, W, 3).
        layers: none leaves the image as it is.

    Returns:
        For one class an image of the same size; of a small one (longer side below 320 pixels) an enlargement. For
        several, panels in rows, first to last, together about 12 megapixels: large images are made smaller,
        though not below a longer side of 320 pixels.

    Example:
        >>> layer = Layer("cup 90 %", np.ones((400, 600), np.float32), 1.0, boxes=[])
        >>> draw(np.zeros((400, 600, 3), np.uint8), [layer]).size
        (600, 400)
    """
    height, width = pixels.shape[:2]
    zoom = max(1.0, _SMALLEST / max(height, width))
    heated = [layer for layer in layers if layer.score_map is not None]
    if len(heated) > 1:
        fitting = sqrt(_LARGEST / (len(layers) * height * width))
        zoom = min(zoom, max(fitting, _SMALLEST / max(height, width)))
    size = (max(1, round(height * zoom)), max(1, round(width * zoom)))
    canvas = pixels if zoom == 1.0 else resize_pixels(pixels, *size)
    if not layers:
        return Image.fromarray(canvas)
    if not heated:
        return _boxed(canvas, layers, zoom)
    panels = [_panel(canvas, layer, zoom, colour) for layer, colour in zip(layers, cycle(_COLOURS), strict=False)]
    return panels[0] if len(panels) == 1 else _in_rows(panels)


def contact_sheet(images: Sequence[Image.Image], captions: Sequence[str]) -> Image.Image:
    """Several images on one sheet, each in a square of `TILE` pixels with its caption below.

    Args:
        images: of any size and mode.
        captions: as many; what does not fit is cut at its beginning.

    Returns:
        About as many columns as rows.

    Raises:
        ValueError: without images.

    Example:
        >>> contact_sheet([Image.new("RGB", (40, 30))], ["grey.png"]).size
        (344, 368)
    """
    if not images:
        raise ValueError("a contact sheet needs at least one image")
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


def _panel(canvas: Pixels, layer: Layer, zoom: float, colour: Colour) -> Image.Image:
    """A class over an image (h, w, 3) that is `zoom` times as large as the one its boxes are in pixels of."""
    size = canvas.shape[:2]
    scores = np.zeros(size, np.float32) if layer.score_map is None else layer.score_map
    if scores.shape != size:
        shrinks = scores.shape[0] > size[0]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        scores = np.asarray(cv2.resize(scores, size[::-1], interpolation=how), np.float32)
    image = Image.fromarray(overlay(canvas, scores, layer.strength))
    unit = _unit(size)
    for rank, box in enumerate(layer.boxes):
        _frame(image, box, zoom, colour, unit * (1.0 if rank == 0 else 0.5))
    label = _Label(layer.title, colour, unit)
    image = label.room_in(image)
    label.write(image, *(_beside(layer.boxes[0], zoom, label, image.size) if layer.boxes else (0.0, 0.0)))
    return image


def _beside(box: Box, zoom: float, label: _Label, room: tuple[int, int]) -> tuple[float, float]:
    """Where a box's label goes: into its corner, or outside if it would hide much of what is in the box."""
    x0, y0, x1, y1 = (edge * zoom for edge in box.xyxy)
    width, height = label.size
    if width * height <= _HIDES * (x1 - x0) * (y1 - y0) and width <= x1 - x0:
        return x0, y0
    around = 6.0 * label.edge  # the frame of a small box is outside
    (place,) = label_places([(x0 - around, y0 - around, x1 + around, y1 + around)], [label.size], room, [True])
    return place or (x0, y0)


def _boxed(canvas: Pixels, layers: Sequence[Layer], zoom: float) -> Image.Image:
    """All boxes of all classes in one image, a colour a class, the surest on top.

    Each is labelled with its score, if there is a free place at it; the surest of a class is always.
    """
    unit = 0.8 * _unit(canvas.shape[:2])
    drawn = [
        (box, _Label(f"{layer.title} {box.score:.0%}", colour, unit), rank == 0)
        for layer, colour in zip(layers, _colours([layer.kind for layer in layers]), strict=True)
        for rank, box in enumerate(layer.boxes)
    ]
    drawn.sort(key=lambda each: -each[0].score)
    image = Image.fromarray(canvas)
    for _, label, _ in drawn:
        image = label.room_in(image)
    for box, label, _ in reversed(drawn):
        _frame(image, box, zoom, label.colour, unit)
    edges = [(box.x0 * zoom, box.y0 * zoom, box.x1 * zoom, box.y1 * zoom) for box, _, _ in drawn]
    places = label_places(edges, [label.size for _, label, _ in drawn], image.size, [first for _, _, first in drawn])
    for (_, label, _), place in reversed(list(zip(drawn, places, strict=True))):
        if place is not None:
            label.write(image, *place)
    return image


def _colours(kinds: Sequence[int]) -> list[Colour]:
    """A colour for each class of an image: its own, or, if another has that already, the next free one."""
    taken: list[int] = []
    for kind in kinds:
        wanted = [(kind + step) % len(_COLOURS) for step in range(len(_COLOURS))]
        taken.append(min(wanted, key=taken.count))
    return [_COLOURS[index] for index in taken]


def _unit(size: tuple[int, ...]) -> float:
    """How thick lines and how large letters are on a canvas of a size, 1 being the least."""
    return max(1.0, min(max(size) / 400, min(size) / 150))


def _in_rows(panels: Sequence[Image.Image]) -> Image.Image:
    """Panels side by side and below each other, so that the whole is about as wide as a screen."""
    width, height = (max(side) for side in zip(*(each.size for each in panels), strict=True))
    columns = min(
        range(1, len(panels) + 1),
        key=lambda count: abs(log(count * width / (ceil(len(panels) / count) * height) / _SCREEN)),
    )
    rows = ceil(len(panels) / columns)
    step = (width + _GAP, height + _GAP)
    sheet = Image.new("RGB", (columns * step[0] - _GAP, rows * step[1] - _GAP), _PAPER)
    for i, each in enumerate(panels):
        sheet.paste(each, (i % columns * step[0], i // columns * step[1]))
    return sheet


def _frame(image: Image.Image, box: Box, zoom: float, colour: Colour, unit: float) -> None:
    pen = ImageDraw.Draw(image)
    line = max(1, round(2 * unit))
    small = min(box.x1 - box.x0, box.y1 - box.y0) * zoom < _THIN * line
    # The line lies inside the box, between two dark ones, so that it shows on any ground; it must hide nothing small.
    for inset, stroke, ink in ((-3 * line, 3 * line, _INK), (-2 * line, line, colour)) if small else (
        (0, 3 * line, _INK), (line, line, colour)
    ):  # fmt: skip
        x0, y0 = box.x0 * zoom + inset, box.y0 * zoom + inset
        x1, y1 = box.x1 * zoom - 1 - inset, box.y1 * zoom - 1 - inset
        if x1 > x0 and y1 > y0:
            pen.rectangle((x0, y0, x1, y1), outline=ink, width=stroke)


class _Label:
    """What is written at a box: white on dark, with an edge in the class's colour."""

    def __init__(self, text: str, colour: Colour, unit: float) -> None:
        self.text, self.colour, self.edge = text, colour, unit
        self._pad, self._letters = round(4 * unit), Lettering(round(13 * unit))
        self._left, self._top, right, bottom = self._letters.box(text)
        self.size = (right - self._left + 3 * self._pad, bottom - self._top + 2 * self._pad)

    def room_in(self, image: Image.Image) -> Image.Image:
        """The image; one that is too small for the label, with a dark rim at its right and below."""
        width, height = (ceil(each) for each in self.size)
        if image.width >= width and image.height >= height:
            return image
        roomier = Image.new("RGB", (max(image.width, width), max(image.height, height)), _INK)
        roomier.paste(image, (0, 0))
        return roomier

    def write(self, image: Image.Image, x: float, y: float) -> None:
        """Writes it with its upper left corner there, or near, so that it is whole inside the image."""
        width, height = self.size
        x = min(max(x, 0.0), image.width - width)
        y = min(max(y, 0.0), image.height - height)
        pen = ImageDraw.Draw(image)
        pen.rectangle((x, y, x + width - 1, y + height - 1), fill=_INK)
        pen.rectangle((x, y, x + self._pad - 1, y + height - 1), fill=self.colour)
        self._letters.write(pen, x + 2 * self._pad - self._left, y + self._pad - self._top, self.text, _PAPER)


def _fitted(text: str, font: Lettering, width: float) -> str:
    """The text, its beginning left out until it is no wider than `width` pixels."""
    if font.length(text) <= width:
        return text
    while text and font.length("…" + text) > width:
        text = text[1:]
    return "…" + text
