"""How well boxes from maps match boxes that people drew, over thresholds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.boxes import boxes_in_map, iou

Floats = NDArray[np.float32]

THRESHOLDS = np.linspace(0.01, 0.99, 99)
"""The fractions of the maximum at which maps are cut."""

IOUS = (0.3, 0.5, 0.7)
"""A box counts as right from these overlaps on; MaxBoxAccV2 is the mean over them."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The overlap of a picture's boxes with the true ones, at each threshold.

    Attributes:
        any_box: (thresholds,), the best IoU of any piece with any true box: the piece is picked with the truth
            in hand.
        best_box: (thresholds,), the best IoU of the one box that a user gets with any true box.
    """

    any_box: Floats
    best_box: Floats


def overlaps(score_map: Floats, truth: Floats) -> Overlaps:
    """Cuts a map at every threshold and compares.

    Args:
        score_map: (H, W) of the picture, not negative.
        truth: (n, 4), xyxy in pixels of the picture.
    """
    any_box, best_box = np.zeros((2, len(THRESHOLDS)), np.float32)
    for i, threshold in enumerate(THRESHOLDS):
        found = boxes_in_map(score_map, float(threshold), *score_map.shape)
        if found:
            best = iou(np.array([box.xyxy for box in found], np.float32), truth).max(axis=1)
            any_box[i], best_box[i] = best.max(), best[0]
    return Overlaps(any_box, best_box)


def max_box_acc_v2(pictures: list[Overlaps]) -> float:
    """MaxBoxAccV2 in percent: the share of pictures with a right box at the best threshold, mean over `IOUS`.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods Right", CVPR 2020 (and its journal
    version, which brought V2). An oracle figure: threshold and piece are picked with the truth in hand.
    """
    right = np.stack([picture.any_box for picture in pictures])
    return float(np.mean([(right >= enough).mean(axis=0).max() for enough in IOUS]) * 100)


def one_box_accuracy(pictures: list[Overlaps]) -> NDArray[np.float64]:
    """The share of pictures, in percent, whose one best box is right, mean over `IOUS`: (thresholds,)."""
    right = np.stack([picture.best_box for picture in pictures])
    return np.asarray(np.mean([(right >= enough).mean(axis=0) for enough in IOUS], axis=0) * 100)
