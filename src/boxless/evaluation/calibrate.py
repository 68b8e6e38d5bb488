"""Sets a model's thresholds on boxed images, and says how certain that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedSet
from boxless.errors import DatasetError
from boxless.evaluation.bootstrap import Bootstrap, Interval, mean_of
from boxless.evaluation.box_accuracy import THRESHOLDS, Overlaps
from boxless.evaluation.class_thresholds import ClassThresholds, calibrate_classes, gain_on_others, over_draws, right_at
from boxless.evaluation.predict import measure_model
from boxless.models.card import Card
from boxless.models.model_file import Network

FEWEST = 2
"""With fewer boxed images there is nothing to draw from."""


@dataclass(frozen=True)
class Calibration:
    """The calibration of one preset's threshold on boxed images.

    Attributes:
        preset: its name.
        old, new: the threshold before and after; the same where a new one shows no gain.
        likely: the threshold that these images choose, with its 95 % interval over draws of them.
        before, after: one box right, in percent, mean over IoU 0.3, 0.5 and 0.7, with the old and the new threshold
            on these images.
        gain: of new over old on images that did not choose it: in each draw the threshold is chosen on the
            images drawn, and both are measured on the others.
        classes: the calibration of per-class thresholds; None if it was not done.
        own: whether each class had its own threshold before. The common one is then unused, so it stays, and `before`,
            `after` and `gain` are those of `classes`.
    """

    preset: str
    old: float
    new: float
    likely: Interval
    before: Interval
    after: Interval
    gain: Interval
    classes: ClassThresholds | None = None
    own: bool = False


def calibrate(preset: str, old: float, curves: Sequence[Overlaps], images: NDArray[np.int64]) -> Calibration:
    """The threshold for one box, from overlaps over thresholds.

    The new threshold is the median of what draws of the images would choose: the accuracy is nearly flat around
    its maximum, and the very highest point of a flat curve is an accident. It
    replaces the old one only where that helps on images that did not choose it: a few images can choose worse
    than many did.

    Args:
        preset: its name.
        old: its threshold.
        curves: one for each boxed class of each image.
        images: (n,), which image each belongs to, as numbers from 0.

    Returns:
        The old and the new threshold, with intervals.

    Raises:
        DatasetError: with fewer than two images.

    Example:
        >>> from boxless.evaluation import overlaps
        >>> slope = np.tile(np.linspace(0, 1, 10, dtype=np.float32), (10, 1))
        >>> curves = [overlaps(slope, np.array([[7, 0, 10, 10]], np.float32)) for _ in range(4)]
        >>> calibrate("balanced", 0.2, curves, np.arange(4)).new
        0.56
    """
    count = len(np.unique(images))
    if count < FEWEST:
        raise DatasetError(f"{count} boxed images: a threshold needs at least {FEWEST} (some hundred to be certain)")
    right = right_at(curves)
    at_old = int(np.abs(THRESHOLDS - old).argmin())
    drawn = Bootstrap(images)
    chosen: list[NDArray[np.int64]] = []
    gains: list[NDArray[np.float64]] = []
    for weights in drawn.weights():
        best = np.asarray((weights @ right).argmax(axis=1))
        chosen.append(best)
        gains.append(gain_on_others(right, right[:, at_old], best[:, None], weights))
    at_new = int(np.median(np.concatenate(chosen)))
    likely = round(float(THRESHOLDS[at_new]), 2)
    low, high = np.percentile(THRESHOLDS[np.concatenate(chosen)], [2.5, 97.5])
    gain = np.concatenate(gains)
    if np.nanmean(gain) <= 0:
        at_new = at_old
    return Calibration(
        preset=preset,
        old=old,
        new=old if at_new == at_old else likely,
        likely=Interval(likely, float(low), float(high)),
        before=drawn.interval(mean_of(right[:, at_old])),
        after=drawn.interval(mean_of(right[:, at_new])),
        gain=over_draws(gain),
    )


def calibrate_presets(
    network: Network,
    boxed: BoxedSet,
    names: Sequence[str] | None = None,
    progress: Callable[[str, int, int], object] = lambda stage, done, total: None,
) -> tuple[list[Calibration], str]:
    """The thresholds of a model's presets, from boxed images.

    Args:
        network: the model.
        boxed: the images; its notes get those that cannot be read.
        names: of the presets; all of them where None.
        progress: called with the stage, the number of (image, class) pairs done and the total.

    Returns:
        What was found for each, and in words on what.

    Raises:
        DatasetError: with fewer than two boxed images that can be read.

    Example:
        >>> from pathlib import Path
        >>> from boxless import ModelFile
        >>> from boxless.evaluation import read_dataset
        >>> network = ModelFile("mine.onnx")  # doctest: +SKIP
        >>> boxed = read_dataset(Path("boxes.json"), network.card)  # doctest: +SKIP
        >>> calibrate_presets(network, boxed)[0][0].new  # doctest: +SKIP
        0.42
    """
    found = []
    for name in names or network.card.presets:
        preset = network.card.preset(name)
        scores = []
        for count, each in enumerate(measure_model(network, name, boxed.images, boxed.notes), 1):
            scores += [each] if each.overlaps else []
            progress(f"boxes, {name}", count, len(boxed.images))
        numbers = {path: i for i, path in enumerate(dict.fromkeys(each.path for each in scores))}
        curves = [each.overlaps for each in scores if each.overlaps is not None]
        images = np.array([numbers[each.path] for each in scores], np.int64)
        common = calibrate(name, preset.threshold, curves, images)
        before = preset.thresholds or (common.new,) * len(network.card.labels)
        indices = np.array([each.class_index for each in scores], np.int64)
        classes = calibrate_classes(before, curves, indices, images)
        if preset.thresholds:
            common = replace(
                common, new=common.old, before=classes.before, after=classes.after, gain=classes.gain, own=True
            )
        found.append(replace(common, classes=classes))
    return found, f"{boxed.name} ({len(numbers)} images), for one box, mean of IoU 0.3, 0.5, 0.7"


def with_thresholds(card: Card, found: Sequence[Calibration], set_on: str) -> Card:
    """A card with new thresholds; figures that were measured with the old ones are left out.

    Args:
        card: of the model.
        found: the calibration of each preset; presets whose threshold stays keep their note on what set it.
        set_on: what the thresholds were set on, in words.

    Returns:
        The new card.

    Example:
        >>> from boxless import ModelFile
        >>> card = ModelFile("efficientnet-lite0").card
        >>> with_thresholds(card, [], "nothing") == card
        True
    """
    presets = dict(card.presets)
    changed = [each for each in found if each.new != each.old]
    for each in changed:
        presets[each.preset] = replace(presets[each.preset], threshold=each.new, set_on=set_on)
    by_class = [each for each in found if each.classes is not None and each.classes.changed]
    for each in by_class:
        if each.classes is not None:
            presets[each.preset] = replace(presets[each.preset], thresholds=each.classes.new, set_on=set_on)
    stale = {f"{each.preset}_one_box" for each in (*changed, *by_class)}
    return replace(
        card, presets=presets, figures={key: value for key, value in card.figures.items() if key not in stale}
    )
