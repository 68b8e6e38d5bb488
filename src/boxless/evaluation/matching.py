"""Which boxes of an image are right: found ones matched with true ones, as the COCO evaluation has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MOST = 100
"""Boxes that count of one class in one image: those with the highest scores."""


@dataclass(frozen=True, eq=False)
class TrueBoxes:
    """What is there of one class in one image.

    Attributes:
        boxes: (m, 4), xyxy.
        ignored: (m,), whether prediction it is neither right nor wrong.
        crowd: (m,), whether it surrounds many objects; these are ignored too.
    """

    boxes: Array
    ignored: Flags
    crowd: Flags


@dataclass(frozen=True, eq=False)
class FoundBoxes:
    """What was found of one class in one image.

    Attributes:
        boxes: (n, 4), xyxy.
        scores: (n,), comparable over images.
    """

    boxes: Array
    scores: Array


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of found boxes.

    Attributes:
        scores: (n,), falling; at most `MOST`.
        right: (t, n), whether the box matches a true one, at each IoU.
        counted: (t, n), whether it is right or wrong at all; those on ignored boxes are neither.
        true: how many boxes there are to find.
    """

    scores: Array
    right: Flags
    counted: Flags
    true: int


NOTHING = TrueBoxes(np.zeros((0, 4)), np.zeros(0, bool), np.zeros(0, bool))
"""No object of a class in an image."""


def match(truth: TrueBoxes, found: FoundBoxes, ious: Sequence[float]) -> Matches:
    """Matches boxes of one class in one image: those with the highest scores choose first.

    The protocol of COCO (Lin et al., ECCV 2014; https://cocodataset.org/#detection-eval): a found box takes the true
    one that it overlaps most, of those not taken yet, if the IoU suffices; where none is left, an ignored one, which
    any number may take. With a crowd, the overlap is the share of the found box that lies in it. COCO lets any number
    take crowds only; that they take an object marked difficult too is Pascal VOC's protocol.

    Args:
        truth, found: the boxes.
        ious: (t,), overlaps that suffice.
    """
    order = np.argsort(-found.scores, kind="stable")[:MOST]
    enough = np.minimum(np.asarray(ious), 1 - 1e-10)
    overlaps = _overlaps(found.boxes[order], truth)
    right = np.zeros((len(enough), len(order)), bool)
    counted = np.ones((len(enough), len(order)), bool)
    ignored = truth.ignored | truth.crowd
    free = np.ones((len(enough), len(truth.boxes)), bool)
    for place, row in enumerate(overlaps if len(truth.boxes) else ()):
        near = free & (row >= enough[:, None])
        for some in (near & ~ignored, near & ignored):
            open_still = np.flatnonzero(some.any(axis=1) & ~right[:, place])
            # Of equal overlaps the last counts, as in the reference implementation.
            chosen = some.shape[1] - 1 - np.argmax(np.where(some, row, -1.0)[open_still, ::-1], axis=1)
            right[open_still, place] = True
            counted[open_still, place] = ~ignored[chosen]
            free[open_still, chosen] = ignored[chosen]
    return Matches(found.scores[order], right & counted, counted, int((~ignored).sum()))


def _overlaps(boxes: Array, truth: TrueBoxes) -> Array:
    """(n, m) in [0, 1]: IoU, or for crowds the share of the found box. In double precision: thresholds cut exactly."""
    corner = np.maximum(boxes[:, None, :2], truth.boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], truth.boxes[None, :, 2:])
    shared = np.prod(np.maximum(opposite - corner, 0.0), axis=2)
    found, true = (np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, truth.boxes))
    whole = np.where(truth.crowd, found[:, None], found[:, None] + true[None] - shared)
    return np.asarray(shared / np.maximum(whole, 1e-300))
