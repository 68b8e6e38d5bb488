"""Pictures and their class maps in rows, as in figure 4 of Network in Network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from boxless.imaging.draw import heat_map

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

TILE = 72
"""The side of a picture or map, in pixels."""

_GAP, _WIDE, _NAMES, _HEADER, _MARGIN = 4, 18, 92, 30, 14
_INK, _PAPER, _FRAME = (38, 38, 44), (255, 255, 255), (0, 158, 115)


def map_grid(images: Sequence[Pixels], maps: Sequence[Floats], names: Sequence[str]) -> Image.Image:
    """A row for each picture: the picture, then its map for every class; that of its own class is framed.

    Args:
        pictures: RGB uint8 (h, w, 3), the k-th of class k.
        maps: (K, h', w') of each; what is below zero is dark, the largest value of the row bright.
        names: of the K classes.
    """
    step = TILE + _GAP
    first = _MARGIN + _NAMES + TILE + _WIDE
    width, height = first + len(names) * step - _GAP + _MARGIN, _HEADER + len(images) * step - _GAP + _MARGIN
    grid = Image.new("RGB", (width, height), _PAPER)
    pen, font = ImageDraw.Draw(grid), ImageFont.load_default(13)
    for j, name in enumerate(names):
        pen.text((first + j * step + TILE / 2, _HEADER - 8), name, _INK, font, anchor="ms")
    for k, (image, some) in enumerate(zip(images, maps, strict=True)):
        top = _HEADER + k * step
        pen.text((_MARGIN + _NAMES - 12, top + TILE / 2), names[k], _INK, font, anchor="rm")
        grid.paste(Image.fromarray(_enlarged(image)), (_MARGIN + _NAMES, top))
        peak = max(float(some.max()), 1e-6)
        for j, each in enumerate(some):
            left = first + j * step
            grid.paste(Image.fromarray(heat_map(np.clip(_enlarged(each / peak), 0, 1))), (left, top))
            if j == k:
                pen.rectangle((left - 3, top - 3, left + TILE + 2, top + TILE + 2), outline=_FRAME, width=3)
    return grid


def _enlarged(array: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(cv2.resize(array, (TILE, TILE), interpolation=cv2.INTER_CUBIC))
