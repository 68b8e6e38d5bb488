"""Where the labels of many boxes go in one image, so that each can be read and is seen to be its box's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Edges = NDArray[np.float64]

_INSIDE = 0.3
"""What it costs to cover all of a label's size of its own box; of another's box it costs 1."""

_HIDDEN = 0.02
"""The share of a label that may lie under others."""


def label_places(
    boxes: Sequence[tuple[float, float, float, float]],
    labels: Sequence[tuple[float, float]],
    room: tuple[float, float],
    needed: Sequence[bool],
) -> list[tuple[float, float] | None]:
    """The upper left corner of each box's label, in pixels; None where there is no place that others leave free.

    Every label touches its box: above it, below it, beside it or in a corner of it, wherever it covers least of other
    boxes and of its own, and nothing of labels that were placed before.

    Args:
        boxes: xyxy in pixels, the most important first: earlier ones choose first.
        labels: width and height of each one's label.
        room: width and height of the image, at least as large as each label.
        needed: whether a label is placed even where it covers others.

    Returns:
        One place or None for each box, in their order.

    Example:
        >>> label_places([(10, 30, 50, 60)], [(20, 10)], (100, 100), [True])
        [(10.0, 20.0)]
    """
    frames = np.array(boxes, np.float64).reshape(-1, 4)
    taken = np.zeros((0, 4))
    places: list[tuple[float, float] | None] = []
    for i, ((width, height), must) in enumerate(zip(labels, needed, strict=True)):
        choices = _around(frames[i], width, height, room)
        area = width * height
        hidden = _shared(choices, taken).sum(axis=1) / area
        free = hidden <= _HIDDEN
        if not (must or free.any()):
            places.append(None)
            continue
        covers = np.delete(_shared(choices, frames), i, axis=1).max(axis=1, initial=0) / area
        covers += _INSIDE * _shared(choices, frames[i : i + 1])[:, 0] / area
        best = int((covers + 10 * np.where(free, 0, 1 + hidden)).argmin())
        taken = np.concatenate([taken, choices[best : best + 1]])
        places.append((float(choices[best, 0]), float(choices[best, 1])))
    return places


def _around(frame: Edges, width: float, height: float, room: tuple[float, float]) -> Edges:
    """Places (n, 4) for a label at a box, in the image, the usual ones first."""
    x0, y0, x1, y1 = frame
    middle = (x0 + x1 - width) / 2
    rows = [(x, y) for y in (y0 - height, y0, y1, y1 - height) for x in (x0, x1 - width, middle)]
    rows += [(x, y) for y in (y0, y1 - height, (y0 + y1 - height) / 2) for x in (x1, x0 - width)]
    corners = np.array(rows).clip(0, [room[0] - width, room[1] - height])
    return np.concatenate([corners, corners + np.array([width, height])], axis=1)


def _shared(some: Edges, others: Edges) -> Edges:
    """The area (n, m) that each of n boxes has in common with each of m others."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.prod((high - low).clip(0), axis=2))
