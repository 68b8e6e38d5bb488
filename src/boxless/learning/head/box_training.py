"""Localization heads taught by boxes: cells inside and outside them, beside those that class maps mark.

A few boxes alone teach less than labels do. Mixed with what labels say, they move a head from the telltale part, or
from what surrounds the object, to the object. What was measured stands in docs/own-data.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.learning.head.cells import Floats, ImageCells
from boxless.learning.head.self_training import LinearCells, MarkedCells, discriminant

MIXES = (0.5, 0.8, 1.0)
"""The weight of cells of boxed images, against those that labels mark, in the heads that are candidates."""

_INSIDE, _OUTSIDE = 48, 96
"""Cells that are drawn of a boxed image."""

_ABSENT = 0.25
"""Share of images without the class among what boxes call negative."""

_CELLS = 1920
"""Positive cells that a head is learned from, and as many negative ones; drawn with replacement."""


@dataclass(frozen=True, eq=False)
class BoxedCells:
    """Cells (n, C) inside and outside the boxes of a class in one image; either may be empty."""

    inside: Floats
    outside: Floats


def boxed_cells(cells: ImageCells, boxes: Floats, size: tuple[int, int], random: np.random.Generator) -> BoxedCells:
    """Draws cells of a boxed image.

    Args:
        cells: of the image.
        boxes: (n, 4), xyxy in pixels, all objects of the class.
        size: (height, width) of the image in pixels.
        random: draws.
    """
    inside = in_boxes(cells.grid, boxes, size).ravel()
    one, other = (random.permutation(np.flatnonzero(which)) for which in (inside, ~inside))
    return BoxedCells(cells.at(one[:_INSIDE]), cells.at(other[:_OUTSIDE]))


def in_boxes(grid: tuple[int, int], boxes: Floats, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The cells (u, v) whose centre lies in a box (xyxy in pixels); of a box without one, the nearest."""
    inside = np.zeros(grid, bool)
    for box in boxes:
        rows, columns = (
            _between(box[at], box[at + 2], cells, pixels)
            for at, cells, pixels in ((1, grid[0], size[0]), (0, grid[1], size[1]))
        )
        inside |= rows[:, None] & columns
    return inside


def _between(low: float, high: float, cells: int, pixels: int) -> NDArray[np.bool_]:
    centres = (np.arange(cells) + 0.5) * pixels / cells
    found = (centres >= low) & (centres < high)
    if not found.any():
        found[np.abs(centres - (low + high) / 2).argmin()] = True
    return np.asarray(found)


def learn_from_boxes(
    share: float, mix: float, marked: MarkedCells, boxed: Sequence[BoxedCells], random: np.random.Generator
) -> LinearCells:
    """A head learned from boxes and labels.

    Args:
        share: the top share of class maps that positives of labels are taken from.
        mix: the weight of boxes against labels, in (0, 1].
        marked: the cells of labels.
        boxed: the cells of boxed images, at least one of them with cells inside.
        random: draws.
    """

    def some(parts: Sequence[Floats], weight: float) -> Floats:
        cells = np.concatenate(parts)
        return cells[random.integers(0, len(cells), round(weight * _CELLS))] if len(cells) else cells

    positive = (
        some([each.top[share] for each in marked.shown], 1 - mix),
        some([each.inside for each in boxed], mix),
    )
    negative = (
        some([each.low for each in marked.shown], (1 - mix) / 2),
        some(marked.absent, (1 - mix) / 2 + _ABSENT * mix),
        some([each.outside for each in boxed], (1 - _ABSENT) * mix),
    )
    return discriminant(np.concatenate(positive), np.concatenate(negative))
