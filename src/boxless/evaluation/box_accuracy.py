"""How well boxes from maps match boxes that people drew, over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.threshold_tree import Pieces, pieces
from boxless.maps.boxes import iou

Floats = NDArray[np.float32]

THRESHOLDS = np.linspace(0.01, 0.99, 99)
"""The fractions of the maximum at which maps are cut."""

IOUS = (0.3, 0.5, 0.7)
"""A box counts as right from these overlaps on; MaxBoxAccV2 is the mean over them."""

_CENTRE_GRID = 256


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The overlap of a picture's boxes with the true ones, at each threshold: (thresholds,) each, in [0, 1].

    Attributes:
        any_box: the best IoU of any piece with any true box: the piece is picked with the truth in hand.
        best_box: the best IoU of the one box that a user gets with any true box.
        largest_box: the best IoU of the piece with most cells with any true box.
        any_box_inclusive: as `any_box`, with `inclusive_iou`.
    """

    any_box: Floats
    best_box: Floats
    largest_box: Floats
    any_box_inclusive: Floats


def overlaps(score_map: Floats, truth: Floats, size: tuple[int, int] | None = None) -> Overlaps:
    """Cuts a map at every threshold and compares.

    Args:
        score_map: (h, w), not negative; a map of zeros has no boxes, and overlaps with nothing.
        truth: (n, 4), xyxy in pixels of the picture; n is at least 1.
        size: the (height, width) of the picture; the map's own where None.
    """
    return _compared(pieces(score_map, THRESHOLDS), score_map.shape, truth, size or score_map.shape)


def centre_overlaps(truth: Floats, size: tuple[int, int]) -> Overlaps:
    """The overlaps of `centre_map`, the baseline that never looks; arguments as for `overlaps`."""
    return _compared(_centre_pieces(), (_CENTRE_GRID, _CENTRE_GRID), truth, size)


def _compared(found: Pieces, grid: tuple[int, ...], truth: Floats, size: tuple[int, ...]) -> Overlaps:
    (height, width), curves = size, np.zeros((4, len(THRESHOLDS)), np.float32)
    if len(found.threshold):
        right, down = width / grid[1], height / grid[0]
        boxes = (found.xyxy * [right, down, right, down]).astype(np.float32)
        plain = iou(boxes, truth).max(axis=1)
        for curve, values in ((curves[0], plain), (curves[3], inclusive_iou(boxes, truth).max(axis=1))):
            np.maximum.at(curve, found.threshold, values)
        for curve, rank in ((curves[1], found.evidence), (curves[2], found.cells)):
            # The last one of each threshold, after sorting by threshold and rank.
            order = np.lexsort((rank, found.threshold))
            curve[found.threshold[order]] = plain[order]
    return Overlaps(*curves)


def inclusive_iou(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union as the reference benchmark (wsolevaluation) has it: (n, m) from xyxy (n, 4), (m, 4).

    Its boxes hold their last row and column, so one is added to each side, of what is shared too; half-open boxes
    measured so come out larger, and small ones overlap more than they do. For comparison with published figures.
    """
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(opposite - corner + 1, 0.0), axis=2)
    areas = [np.prod(some[:, 2:] - some[:, :2] + 1, axis=1) for some in (boxes, others)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared), dtype=np.float32)


def max_box_acc_v2(pictures: Sequence[Overlaps]) -> float:
    """MaxBoxAccV2 in percent: the share of pictures with a right box at the best threshold, mean over `IOUS`.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods Right", CVPR 2020 (and its journal
    version, arXiv 2007.04178, which brought V2): of all pieces the best counts, and each IoU has its own best
    threshold. An oracle figure: thresholds and piece are picked with the truth in hand.
    """
    right = np.stack([picture.any_box for picture in pictures])
    return float(np.mean([(right >= enough).mean(axis=0).max() for enough in IOUS]) * 100)


def max_box_acc(pictures: Sequence[Overlaps]) -> float:
    """MaxBoxAcc in percent: the share of pictures whose largest piece's box has IoU 0.5, at the best threshold.

    Choe et al., CVPR 2020, section 4.2. An oracle figure: the threshold is picked with the truth in hand. The
    reference takes the piece whose outline encloses most; here it is the piece with most cells.
    """
    right = np.stack([picture.largest_box for picture in pictures])
    return float((right >= 0.5).mean(axis=0).max() * 100)


def one_box_accuracy(pictures: Sequence[Overlaps]) -> NDArray[np.float64]:
    """The share of pictures, in percent, whose one best box is right, mean over `IOUS`: (thresholds,)."""
    right = np.stack([picture.best_box for picture in pictures])
    return np.asarray(np.mean([(right >= enough).mean(axis=0) for enough in IOUS], axis=0) * 100)


@cache
def _centre_pieces() -> Pieces:
    return pieces(centre_map(_CENTRE_GRID, _CENTRE_GRID), THRESHOLDS)


def centre_map(height: int, width: int) -> Floats:
    """An isotropic Gaussian in the middle of the picture: (height, width) in (0, 1], the baseline of Choe et al.

    Cut at a threshold it gives a box in the middle, of any size from all to nothing as the threshold rises; the
    standard deviation, a quarter of each side, only says which threshold gives which.
    """
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    return np.asarray(np.exp(-8 * (y[:, None] ** 2 + x[None] ** 2)), dtype=np.float32)
