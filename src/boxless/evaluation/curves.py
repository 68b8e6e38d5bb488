"""Curves and bar charts of an evaluation: accuracy by threshold and object size, precision-recall, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.box_accuracy import IOUS
from boxless.evaluation.score import Score

Array = NDArray[np.float64]

SIZES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Borders between object sizes: the largest true box as a share of the image."""


@dataclass(frozen=True, eq=False)
class Bin:
    """One bar of a bar chart.

    Attributes:
        low, high: the borders of the bin.
        count: the number of images.
        mean: the mean of the quantity on the x axis; NaN if there are no images.
        share: the share of correct images, in percent; NaN if there are none.
    """

    low: float
    high: float
    count: int
    mean: float
    share: float


def over_thresholds(scores: Sequence[Score]) -> dict[str, Array]:
    """The share of correct boxes, in percent, at each threshold, by name: any component (oracle), and the one box."""
    curves = [each.overlaps for each in scores if each.overlaps is not None]
    found: dict[str, Array] = {}
    for enough in IOUS if curves else ():
        found[f"any component, IoU {enough}"] = np.mean([each.any_box >= enough for each in curves], axis=0) * 100
        found[f"one box, IoU {enough}"] = np.mean([each.best_box >= enough for each in curves], axis=0) * 100
    return found


def by_size(scores: Sequence[Score]) -> list[Bin]:
    """The share of images whose one box is correct at IoU 0.5, by the size of the largest true box.

    There are no bins if no image has a predicted box, which is so for maps without a threshold.
    """
    boxed = [each for each in scores if each.boxed]
    if not any(each.prediction.box for each in boxed):
        return []
    areas = np.array([each.area for each in boxed])
    right = np.array([each.box_iou >= 0.5 for each in boxed])
    return _bins(areas, right, np.array(SIZES))


def reliability(scores: Sequence[Score]) -> list[Bin]:
    """The share of images whose most probable class is correct, by its probability, in tenths.

    Guo et al., "On Calibration of Modern Neural Networks", ICML 2017. With several true classes, any of them is
    correct.
    """
    confidence, correct, _ = _top_predictions(scores)
    return _bins(confidence, correct, np.arange(11) / 10)


def calibration_error(scores: Sequence[Score]) -> float:
    """The expected calibration error in percent: the mean over images of |share - probability| of their tenth."""
    bins = [each for each in reliability(scores) if each.count]
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.share - 100 * each.mean) for each in bins) / total if total else float("nan")


def detections(scores: Sequence[Score]) -> tuple[Array, Array]:
    """Precision and recall, in percent, of the box that a user gets, from the most to the least confident image.

    Each image gives one box, of its most probable class, with that class's probability as its confidence. It is
    correct if the class is, and the box has IoU 0.5 (Everingham et al., IJCV 2010). Recall counts images.
    """
    boxed = [each for each in scores if each.boxed]
    confidence, _, correct = _top_predictions(boxed)
    hits = correct[np.argsort(-confidence, kind="stable")].cumsum()
    ranks = np.arange(1, len(hits) + 1)
    return 100 * hits / ranks, 100 * hits / max(1, len(hits))


def _top_predictions(scores: Sequence[Score]) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """For each image: the probability of its most probable class, whether that is correct, whether its box is too."""
    images: dict[object, tuple[float, bool, bool]] = {}
    for each in scores:
        if each.prediction.confidence is None:
            continue
        correct = each.prediction.top_class == each.class_index
        _, classified, located = images.get(each.path, (0.0, False, False))
        images[each.path] = (
            each.prediction.confidence,
            classified or correct,
            located or (correct and each.box_iou >= 0.5),
        )
    table = np.array(list(images.values()), np.float64).reshape(-1, 3)
    return table[:, 0], table[:, 1] > 0, table[:, 2] > 0


def _bins(values: Array, right: NDArray[np.bool_], borders: Array) -> list[Bin]:
    place = np.clip(np.searchsorted(borders, values, side="right") - 1, 0, len(borders) - 2)
    found = []
    for i in range(len(borders) - 1):
        inside = place == i
        count = int(inside.sum())
        mean, share = (float(values[inside].mean()), 100 * float(right[inside].mean())) if count else (np.nan, np.nan)
        found.append(Bin(float(borders[i]), float(borders[i + 1]), count, mean, share))
    return found
