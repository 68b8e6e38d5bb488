"""Sets detection thresholds, on images that show a class, images that do not, and blank images.

A preset stores them, and `boxless.models.presets.Preset.is_detected` applies them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Pixels, Source
from boxless.localizer import Localizer
from boxless.models.model_file import Network
from boxless.models.presets import Preset
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

KEPT = 0.97
"""The share of present classes that must pass where thresholds are set; about 96 % then pass on other images."""

LEAST_KEPT = 0.96
"""The share that is enough if it keeps blank images from showing a class."""

FEWEST = 20
"""With fewer present classes no thresholds are set."""

_SHARES = np.linspace(0.0, 1.0 - LEAST_KEPT, 21)
"""The shares of present classes that one threshold alone may lose."""

_MARGIN = 1.05
"""A threshold that excludes blank images is above their activation by this factor."""

_BLANK_SIZE = (300, 400)

_BLANK_COLOURS = (
    (0, 0, 0), (64, 64, 64), (128, 128, 128), (192, 192, 192), (255, 255, 255), (220, 30, 30), (40, 180, 60),
    (30, 60, 210), (135, 180, 230), (200, 170, 120),
)  # fmt: skip

_GRAINS = (1, 2, 4, 16)
"""Sides of the squares that noise is made of, in pixels."""

_DEVIATIONS = (10, 40)
"""Of faint noise around mid grey, beside noise of all values."""


@dataclass(frozen=True, eq=False)
class Surveys:
    """The probability and activation of all classes in n images.

    Attributes:
        probabilities: (n, K), in [0, 1].
        activation: (n, K), in logits.
    """

    probabilities: Floats
    activation: Floats

    @classmethod
    def of(cls, localizer: Localizer, sources: Sequence[Source]) -> Surveys:
        """Surveys images, all of which must be readable."""
        surveys = list(ordered_map(localizer.survey, sources, 2))
        probabilities, activation = zip(*surveys, strict=True)
        return cls(np.stack(probabilities), np.stack(activation))

    def of_classes(self, classes: NDArray[np.int64]) -> Surveys:
        """The survey of some of the classes, by index."""
        return Surveys(self.probabilities[:, classes], self.activation[:, classes])

    def passing(self, probability: float, activation: float) -> NDArray[np.bool_]:
        """(n, K), which classes reach both thresholds."""
        return (self.probabilities >= probability) & (self.activation >= activation)


@dataclass(frozen=True)
class DetectionThresholds:
    """Detection thresholds, and how well they separate on the images that set them.

    Attributes:
        probability, activation: the two thresholds; see `Preset`.
        present: the share of classes shown by an image that pass, in percent.
        absent: the share of classes not shown by an image that pass, in percent.
        blank: the share of blank images of which any class passes, in percent.
    """

    probability: float
    activation: float
    present: float
    absent: float
    blank: float


def detection_thresholds(surveys: Surveys, shown: NDArray[np.bool_], blank: Surveys) -> DetectionThresholds | None:
    """The thresholds that present classes pass, and as few blank images and absent classes as possible.

    Of all pairs of thresholds (probability, activation) that `LEAST_KEPT` of the present classes pass, it is the one
    with the fewest blank images showing a class; then one that `KEPT` pass; then the one with the fewest absent
    classes. None with fewer than `FEWEST` present classes.

    Args:
        surveys: the survey of n images whose classes are known.
        shown: (n, K), which classes each image shows.
        blank: the survey of images that show nothing.
    """
    if shown.sum() < FEWEST:
        return None
    best: tuple[tuple[float, float, float], DetectionThresholds] | None = None
    floors = np.quantile(surveys.activation[shown], _SHARES, method="lower")
    for probability in np.unique(_rounded_down(np.quantile(surveys.probabilities[shown], _SHARES, method="lower"))):
        probable = blank.activation[blank.probabilities >= probability]
        above_blank = [_MARGIN * float(probable.max())] if probable.size else []
        for activation in np.unique(_rounded_down(np.maximum([0.0, *floors, *above_blank], 0.0))):
            passing = surveys.passing(probability, activation)
            found = DetectionThresholds(
                probability=float(probability),
                activation=float(activation),
                present=100 * float(passing[shown].mean()),
                absent=100 * float(passing[~shown].mean()) if (~shown).any() else 0.0,
                blank=100 * float(blank.passing(probability, activation).any(axis=1).mean()),
            )
            if found.present < 100 * LEAST_KEPT:
                continue
            rank = (found.blank, max(0.0, 100 * KEPT - found.present), found.absent)
            if best is None or rank < best[0]:
                best = (rank, found)
    return best[1] if best else None


def set_detection_thresholds(
    network: Network, preset: str, sources: Sequence[Source], shown: NDArray[np.bool_], named: str, draws: int = 1
) -> tuple[Preset, DetectionThresholds | None]:
    """A preset with its detection thresholds set on images.

    Background classes are left out. If there are too few images, a class is detected from a probability of 0.5 on,
    where it is more probable than not. A model whose image always shows one class, and has no background, keeps its
    preset: its most probable class is there, however probable.

    Args:
        network, preset: the model, and the name of one of its presets.
        sources: n images, all readable.
        shown: (n, K), which classes each shows.
        named: a description of the images.
        draws: the number of blank images of each kind of noise.
    """
    localizer = Localizer(network, preset)
    things = np.setdiff1d(np.arange(len(network.card.labels)), network.card.background)
    found = detection_thresholds(
        Surveys.of(localizer, sources).of_classes(things),
        shown[:, things],
        Surveys.of(localizer, blank_images(draws=draws)).of_classes(things),
    )
    if found is None:
        if network.card.background or network.card.activation == "sigmoid":
            words = f"more probable than not: fewer than {FEWEST} of {named} show a class"
            return replace(localizer.preset, min_probability=0.5, detection_set_on=words), None
        return localizer.preset, None
    return (
        replace(
            localizer.preset,
            min_probability=found.probability,
            min_activation=found.activation,
            detection_set_on=f"{named} and blank images: {found.present:.1f} % of present classes pass, "
            f"{found.absent:.2f} % of absent ones, {found.blank:.0f} % of blank images",
        ),
        found,
    )


def blank_images(seed: int = 0, draws: int = 1) -> list[Pixels]:
    """Images that show nothing: one colour, a slope of brightness, noise; RGB uint8 (300, 400, 3) each.

    They are always the same for a seed; `draws` is how many there are of each kind of noise. A model's activations on
    them are meaningless, and so show how much activation means nothing.
    """
    height, width = _BLANK_SIZE
    random = np.random.default_rng(seed)
    plain = [np.full((*_BLANK_SIZE, 3), colour, np.uint8) for colour in _BLANK_COLOURS]
    across = np.linspace(0, 255, width, dtype=np.float32)[None].repeat(height, axis=0)
    down = np.linspace(0, 255, height, dtype=np.float32)[:, None].repeat(width, axis=1)
    slopes = [slope.astype(np.uint8)[..., None].repeat(3, axis=2) for slope in (across, down, (across + down) / 2)]
    noise = []
    for grain in _GRAINS * draws:
        shape = (-(-height // grain), -(-width // grain), 3)
        grains = [random.integers(0, 256, shape).astype(np.uint8)]
        grains += [random.normal(128, deviation, shape).clip(0, 255).astype(np.uint8) for deviation in _DEVIATIONS]
        noise += [
            cv2.resize(each, None, fx=grain, fy=grain, interpolation=cv2.INTER_NEAREST)[:height, :width]
            for each in grains
        ]
    return [*plain, *slopes, *(np.asarray(each, np.uint8) for each in noise)]


def _rounded_down(values: Floats) -> NDArray[np.float64]:
    """Rounded down to three significant digits, so that the value that set a threshold still passes it."""
    values = np.asarray(values, np.float64)
    digits = 10.0 ** (2 - np.floor(np.log10(np.maximum(values, 1e-12))))
    return np.asarray(np.floor(values * digits) / digits)
