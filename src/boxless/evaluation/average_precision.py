"""Which boxes are right, and average precision over all of them, as the COCO evaluation has it, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.bootstrap import Bootstrap, Interval

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

IOUS = (0.3, *np.linspace(0.5, 0.95, 10).tolist())
"""The overlaps from which on a box counts as right: a loose one, and COCO's ten."""

RECALLS = np.linspace(0.0, 1.0, 101)
"""Where COCO reads precision."""

MEASURES: dict[str, tuple[str, slice]] = {
    "ap_30": ("AP at IoU 0.3", slice(0, 1)),
    "ap_50": ("AP at IoU 0.5", slice(1, 2)),
    "ap_50_95": ("AP at IoU 0.5 to 0.95", slice(1, None)),
}
"""By their names for machines: names for people, and which of `IOUS` they are the mean over."""


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
class Matches:
    """What became of found boxes.

    Attributes:
        scores: (n,), falling; at most `MOST`.
        right: (t, n), whether the box matches a true one, at each of `IOUS`.
        counted: (t, n), whether it is right or wrong at all; those on ignored boxes are neither.
        true: how many boxes there are to find.
    """

    scores: Array
    right: Flags
    counted: Flags
    true: int


NOTHING = TrueBoxes(np.zeros((0, 4)), np.zeros(0, bool), np.zeros(0, bool))
"""No object of a class in an image."""


def match(truth: TrueBoxes, boxes: Array, scores: Array) -> Matches:
    """Matches boxes of one class in one image: those with the highest scores choose first.

    The protocol of COCO (Lin et al., ECCV 2014; https://cocodataset.org/#detection-eval): a found box takes the true
    one that it overlaps most, of those not taken yet, if the IoU suffices; where none is left, an ignored one, which
    any number may take. With a crowd, the overlap is the share of the found box that lies in it. COCO lets any number
    take crowds only; that they take an object marked difficult too is Pascal VOC's protocol.

    Args:
        truth: the true boxes.
        boxes, scores: the found ones, (n, 4) xyxy and (n,), comparable over images.
    """
    order = np.argsort(-scores, kind="stable")[:MOST]
    enough = np.minimum(np.asarray(IOUS), 1 - 1e-10)
    overlaps = _overlaps(boxes[order], truth)
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
    return Matches(scores[order], right & counted, counted, int((~ignored).sum()))


def _overlaps(boxes: Array, truth: TrueBoxes) -> Array:
    """(n, m) in [0, 1]: IoU, or for crowds the share of the found box. In double precision: thresholds cut exactly."""
    corner = np.maximum(boxes[:, None, :2], truth.boxes[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], truth.boxes[None, :, 2:])
    shared = np.prod(np.maximum(opposite - corner, 0.0), axis=2)
    found, true = (np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, truth.boxes))
    whole = np.where(truth.crowd, found[:, None], found[:, None] + true[None] - shared)
    return np.asarray(shared / np.maximum(whole, 1e-300))


@dataclass(frozen=True, eq=False)
class ClassMatches:
    """What became of all found boxes of one class.

    Attributes:
        scores: (n,), falling.
        right, counted: (t, n), see `Matches`.
        images: (n,), the number of each box's image.
        true: (p,), how many boxes there are to find in each image.
    """

    scores: Array
    right: Flags
    counted: Flags
    images: NDArray[np.int64]
    true: NDArray[np.int64]

    @classmethod
    def of(cls, matches: Mapping[int, Matches], images: int) -> ClassMatches:
        """From the matches of each image, by its number; images without truth and boxes may be left out."""
        numbers = sorted(matches)
        some = [matches[number] for number in numbers]
        scores = np.concatenate([each.scores for each in some])
        order = np.argsort(-scores, kind="stable")
        true = np.zeros(images, np.int64)
        true[numbers] = [each.true for each in some]
        return cls(
            scores[order],
            np.concatenate([each.right for each in some], axis=1)[:, order],
            np.concatenate([each.counted for each in some], axis=1)[:, order],
            np.repeat(numbers, [len(each.scores) for each in some])[order],
            true,
        )


def precision_at_recalls(matches: ClassMatches, weights: Array) -> Array:
    """Average precision of one class in [0, 1]: (draws, t), NaN in draws without a true box.

    The mean over `RECALLS` of the best precision at that recall or a higher one.

    Args:
        matches: of the class.
        weights: (draws, p), how often each image counts.
    """
    found = np.full((len(weights), len(IOUS)), np.nan)
    true = weights @ matches.true
    known = true > 0
    if not known.any():
        return found
    drawn, positives = weights[known][:, matches.images], true[known, None]
    for place, (right, counted) in enumerate(zip(matches.right, matches.counted, strict=True)):
        hits = np.cumsum(drawn * right, axis=1)
        precision = hits / np.maximum(np.cumsum(drawn * counted, axis=1), 1e-12)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        found[known, place] = _interpolated(hits / positives, best)
    return found


def _interpolated(recall: Array, best: Array) -> Array:
    """The mean over `RECALLS` of `best` where `recall`, (draws, n) and rising, first reaches them; 0 where never."""
    draws, count = recall.shape
    ranges = 2.0 * np.arange(draws)[:, None]  # the recalls of each draw in a range of their own: one search for all
    places = np.searchsorted((recall + ranges).ravel(), (RECALLS + ranges).ravel()).reshape(draws, -1)
    places -= count * np.arange(draws)[:, None]
    padded = np.concatenate([best, np.zeros((draws, 1))], axis=1)
    return np.asarray(np.take_along_axis(padded, np.minimum(places, count), axis=1).mean(axis=1))


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """Average precision of one model on one set of images, in percent.

    Attributes:
        classes: the names of the classes that have a true box.
        values: (classes, t), of the images as they are.
        draws: (d, classes, t), of images drawn anew; NaN where a draw has no true box of a class. Two of them that
            were measured on the same images have the same draws.
    """

    classes: tuple[str, ...]
    values: Array
    draws: Array

    @classmethod
    def of(cls, matches: Mapping[str, ClassMatches], images: int, draws: int = 1000) -> AveragePrecision:
        """Computes average precision from matches.

        Args:
            matches: of each class by name; those without a true box are not measured.
            images: how many images there are.
            draws: of the bootstrap.

        Returns:
            The average precision of each class.
        """
        known = {name: each for name, each in matches.items() if each.true.sum() > 0}
        rounds: Iterable[Array] = (np.ones((1, images)), *Bootstrap(np.arange(images), draws).weights())
        tables = [
            np.stack([precision_at_recalls(each, weights) for each in known.values()], axis=1) for weights in rounds
        ]
        return cls(tuple(known), 100 * tables[0][0], 100 * np.concatenate(tables[1:]))

    def only(self, classes: Sequence[str]) -> AveragePrecision:
        """The average precision of some of the classes.

        Args:
            classes: their names.

        Returns:
            The same, of these classes in this order.
        """
        chosen = [self.classes.index(name) for name in classes]
        return AveragePrecision(tuple(classes), self.values[chosen], self.draws[:, chosen])

    def interval(self, measure: str) -> Interval:
        """One measure, the mean over the classes, with its 95 % interval.

        Args:
            measure: one of `MEASURES`.

        Returns:
            Percent.
        """
        found = _interval(self._means(measure, self.values[None])[0], self._means(measure, self.draws))
        return Interval(found.value, max(found.low, 0.0), min(found.high, 100.0))

    def less(self, other: AveragePrecision, measure: str) -> Interval:
        """How much higher this is than another, on the same images drawn together.

        Args:
            other: of the same images and classes.
            measure: one of `MEASURES`.

        Returns:
            The difference in percentage points, with its 95 % interval.
        """
        value = self.interval(measure).value - other.interval(measure).value
        return _interval(value, self._means(measure, self.draws) - other._means(measure, other.draws))

    @staticmethod
    def _means(measure: str, values: Array) -> Array:
        """(d,) from (d, classes, t); classes without a true box in a draw do not count there."""
        some = values[:, :, MEASURES[measure][1]]
        known = np.isfinite(some)
        count = known.sum(axis=(1, 2))
        total = np.where(known, some, 0.0).sum(axis=(1, 2))
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _interval(value: float, draws: Array) -> Interval:
    """The percentiles, moved by how much higher draws come out: images drawn twice raise precision.

    How often such intervals hold the truth, moved and not, is measured in docs/decisions/0028.
    """
    known = draws[np.isfinite(draws)]
    low, high = np.percentile(known, [2.5, 97.5]) - (known.mean() - value)
    return Interval(float(value), float(min(low, value)), float(max(high, value)))
