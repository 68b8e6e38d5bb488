"""A threshold for each class from a few boxed images of it, regularized towards its old one.

`boxless calibrate` and the end of `boxless fit --boxes` set them; for classes with a localization head,
`boxless.learning.head.few_boxes` chooses head and threshold first.
`boxless.models.presets.Preset.thresholds` stores them, and `Preset.threshold_of` looks them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.bootstrap import Array, Bootstrap, Interval, mean_of
from boxless.evaluation.box_accuracy import IOUS, THRESHOLDS, Overlaps

PULL = 400.0
"""How strongly a class with few boxed images keeps its threshold: a step of 0.2 has to put 16 % more boxes of one
image right, or 1.6 % more of ten images'."""

_SMOOTH = 3  # thresholds to either side: the very highest point of a flat curve is an accident


@dataclass(frozen=True)
class ClassThresholds:
    """The calibration of per-class thresholds on boxed images.

    Attributes:
        old, new: (K,), before and after; the same where new ones show no gain.
        boxed: (K,), how many boxed images of each class there were.
        before, after: one box right, in percent, mean over IoU 0.3, 0.5 and 0.7, on these images.
        gain: of new over old on images that did not choose.
    """

    old: tuple[float, ...]
    new: tuple[float, ...]
    boxed: tuple[int, ...]
    before: Interval
    after: Interval
    gain: Interval

    @property
    def changed(self) -> tuple[int, ...]:
        """The indices of the classes whose threshold changed."""
        return tuple(k for k, (old, new) in enumerate(zip(self.old, self.new, strict=True)) if old != new)


def calibrate_classes(
    old: Sequence[float], curves: Sequence[Overlaps], classes: NDArray[np.int64], images: NDArray[np.int64]
) -> ClassThresholds:
    """A threshold for each class.

    Each class takes the threshold that puts most of its own boxes right, less `PULL / n` times the square of the step
    away from its old one, for its n boxed images. A class without any keeps its old one. As with one threshold
    for all (`calibrate`), nothing is changed unless it helps on images that did not choose.

    Args:
        old: (K,), in (0, 1).
        curves: (n,), one for each boxed class of each image.
        classes: (n,), whose each is.
        images: (n,), which image each belongs to, as numbers from 0.

    Returns:
        The old and the new thresholds, with intervals.

    Example:
        >>> from boxless.evaluation import overlaps
        >>> slope = np.tile(np.linspace(0, 1, 10, dtype=np.float32), (10, 1))
        >>> curves = [overlaps(slope, np.array([[7, 0, 10, 10]], np.float32)) for _ in range(20)]
        >>> calibrate_classes([0.2, 0.2], curves, np.zeros(20, np.int64), np.arange(20)).changed
        (0,)
    """
    right = right_at(curves)
    before = np.asarray(old)
    drawn = Bootstrap(images)
    at_old = at_thresholds(right, before[classes])
    gains = []
    for weights in drawn.weights():
        chosen = choose(right, classes, before, weights)[:, classes]
        gains.append(gain_on_others(right, at_old, chosen, weights))
    gain = np.concatenate(gains)
    after = before
    if np.nanmean(gain) > 0:
        whole = choose(right, classes, before, np.ones((1, len(right))))[0]
        moved = np.isin(np.arange(len(before)), classes)
        after = np.where(moved, THRESHOLDS[whole].round(2), before)
    return ClassThresholds(
        old=tuple(float(each) for each in before),
        new=tuple(float(each) for each in after),
        boxed=tuple(int((classes == k).sum()) for k in range(len(before))),
        before=drawn.interval(mean_of(at_old)),
        after=drawn.interval(mean_of(at_thresholds(right, after[classes]))),
        gain=over_draws(gain),
    )


def gain_on_others(right: Array, at_old: Array, chosen: NDArray[np.int64], weights: Array) -> Array:
    """What chosen thresholds gain on the cases that were not drawn: (r,), NaN where all were.

    Args:
        right, at_old: (n, thresholds), see `right_at`, and (n,) of it, with the old thresholds.
        chosen: (r, n), by index into `THRESHOLDS`.
        weights: (r, n), how often each counts.
    """
    others = (weights == 0).astype(np.float64)
    left_out = others.sum(axis=1)
    gain = right[np.arange(len(right)), chosen] - at_old
    return np.asarray((others * gain).sum(axis=1) / np.where(left_out > 0, left_out, np.nan))


def over_draws(values: Array) -> Interval:
    """The mean of a figure over draws, with the middle 95 % of them."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(np.nanmean(values)), float(low), float(high))


def right_at(curves: Sequence[Overlaps]) -> Array:
    """Whether the one box is right at each threshold, in percent, mean over `IOUS`: (n, thresholds)."""
    best = np.stack([each.best_box for each in curves])
    return np.asarray(100.0 * np.mean([best >= enough for enough in IOUS], axis=0))


def at_thresholds(right: Array, thresholds: NDArray[np.float64]) -> Array:
    """(n,) from (n, thresholds): each at its own threshold (n,)."""
    nearest = np.abs(THRESHOLDS[None] - thresholds[:, None]).argmin(axis=1)
    return np.asarray(right[np.arange(len(right)), nearest])


def choose(right: Array, classes: NDArray[np.int64], old: NDArray[np.float64], weights: Array) -> NDArray[np.int64]:
    """The threshold of each class by index into `THRESHOLDS`: (r, K) of r draws.

    Args:
        right: (n, thresholds), see `right_at`.
        classes, old: (n,) and (K,), see `calibrate_classes`.
        weights: (r, n), how often each counts.
    """
    around = np.pad(right, ((0, 0), (_SMOOTH, _SMOOTH)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * _SMOOTH + 1, axis=1)
    smooth = windows.mean(axis=2)
    nearest = np.abs(THRESHOLDS[None] - old[:, None]).argmin(axis=1)
    chosen = np.repeat(nearest[None], len(weights), axis=0)
    for k in np.unique(classes):
        mine = classes == k
        count = weights[:, mine].sum(axis=1, keepdims=True)
        mean = (weights[:, mine] @ smooth[mine]) / np.maximum(count, 1)
        best = (mean - PULL * (THRESHOLDS - old[k]) ** 2 / np.maximum(count, 1)).argmax(axis=1)
        chosen[:, k] = np.where(count[:, 0] > 0, best, nearest[k])
    return chosen
