"""Occlusion test: does the model recognize a class by the region it locates, or by the surroundings?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.imaging.read import read_image, resize_pixels
from boxless.learning.report.held_out import HeldOut
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

A_CLASS = 8
"""Images tested per class."""

IN_ALL = 200
"""Images tested in total, so with very many classes some are not tested."""

FEWEST = 4
"""A class with fewer tested images is never reported as suspicious."""

SUSPICIOUS = 0.5
"""A class that keeps this share of its score without the located region is recognized by its surroundings too."""

WHOLE = 0.9
"""A located region that takes at least this share of an image covers nearly everything."""

SMALL, TOO_LITTLE = 0.2, 0.25
"""A region is probably only a part of the object if it takes at most the first share of the image and alone keeps at
most the second share of the score."""

_LEAST = 1.0
"""In logits: images with a lower class score are skipped, because shares of it would be noise."""

_GREY = 127

_SPREAD = 0.125
"""Standard deviation of the blur that fills a hole, as a share of the image's longer side."""


@dataclass(frozen=True)
class OcclusionResult:
    """How much of a class's score remains when part of the image is filled with blurred context.

    The score is the logit of the class minus that of the best other class (for multi-label models, the logit itself).
    The score of images that do not show the class is subtracted, since some class is the most probable in those too:
    a grey image, or images of other classes without the region located there, whichever scores higher. The shares
    are means over images, in [0, 1].

    Attributes:
        class_index: the class.
        images: the number of tested images: correctly classified, and with a high enough score.
        region: the mean share of an image that the located region takes.
        without: the share of the score that remains without the located region.
        only: the share that remains with the located region alone.
        control: the share that remains when an equal area is filled where the class map is lowest: the effect of
            filling itself.
    """

    class_index: int
    images: int
    region: float
    without: float
    only: float
    control: float

    @property
    def whole(self) -> bool:
        """Whether the located region covers nearly the whole image, so that its box tells little."""
        return self.region >= WHOLE

    @property
    def part(self) -> bool:
        """Whether the region is probably only a part of the object: small, and neither sufficient nor necessary."""
        return self.without >= SUSPICIOUS and self.only <= TOO_LITTLE and self.region <= SMALL

    @property
    def suspicious(self) -> bool:
        """Whether boxes of the class may be wrong: most of the score comes from elsewhere, or they cover everything."""
        return self.images >= FEWEST and (self.without >= SUSPICIOUS or self.whole)

    def in_words(self, classes: Sequence[str]) -> str:
        """For a suspicious class: what was found, and what to do about it."""
        name = classes[self.class_index]
        if self.whole:
            return (
                f"{name}: boxes cover {self.region:.0%} of the image, nearly everything: try --localization-size "
                "896, or set thresholds with a few boxed images (--boxes)"
            )
        if self.part:
            return (
                f"{name}: the located region takes {self.region:.0%} of the image and alone keeps only "
                f"{self.only:.0%} of the score, so it is probably a part of the object: try --localization-size 448, "
                "or a few boxed images (--boxes)"
            )
        return (
            f"{name}: {self.without:.0%} of the score remains when the located region ({self.region:.0%} of the "
            "image) is removed, so the surroundings give it away: add images of it elsewhere, or of the "
            "surroundings alone (background)"
        )

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """As plain data for JSON; shares in [0, 1]."""
        shares = {name: round(getattr(self, name), 4) for name in ("region", "without", "only", "control")}
        return {"class": classes[self.class_index], "images": self.images, **shares, "suspicious": self.suspicious}


def occlusion_test(
    network: ModelFile,
    preset: str,
    held_out: HeldOut,
    done: Callable[[int, int], object] = lambda done, total: None,
    fill: Callable[[Pixels, Mask], Pixels] | None = None,
) -> tuple[OcclusionResult, ...]:
    """Tests how much of each class's score comes from the region that is located.

    Args:
        network: a model with the classes of the images, in their order.
        preset: the name of one of its presets; scores are those of its classification pass.
        held_out: the predictions for the held-out images; a few correctly classified ones of each class are used.
        done: called after each image with the number done and the total.
        fill: fills a hole (H, W) of an image (H, W, 3) [default: `filled`].

    Returns:
        One result for each class, other than background, that has usable images.
    """
    network = network.on_one_core
    localizer = Localizer(network, preset)
    wanted = list(_chosen(held_out, network.card.background))
    measured: dict[int, list[_Logits]] = {}

    def one(which: tuple[int, int]) -> _Logits | None:
        k, i = which
        return _measured(network, localizer, held_out, k, i, fill or filled)

    results = ordered_map(one, wanted)
    for count, ((k, _), found) in enumerate(zip(wanted, results, strict=True), 1):
        done(count, len(wanted))
        if found is not None:
            measured.setdefault(k, []).append(found)
    several = held_out.images.several
    tested = [_result(k, some, _floor(k, measured, held_out), several) for k, some in sorted(measured.items())]
    return tuple(each for each in tested if each is not None)


def filled(pixels: Pixels, hole: Mask) -> Pixels:
    """An image (H, W, 3) whose hole (H, W) is filled with the blurred pixels around it; nearer ones count more.

    Pixels too far from any context get its mean colour; an image that is all hole becomes grey.
    """
    weight = np.asarray(~hole, np.float32)
    spread = _SPREAD * max(hole.shape)
    context = cv2.GaussianBlur(pixels * weight[..., None], (0, 0), spread)
    near = cv2.GaussianBlur(weight, (0, 0), spread)[..., None]
    mean = pixels[~hole].mean(axis=0) if weight.any() else np.full(3, 127.0)
    fill = np.where(near > 1e-3, context / np.maximum(near, 1e-3), mean)
    return np.asarray(np.where(hole[..., None], fill.clip(0, 255), pixels), np.uint8)


def _chosen(held_out: HeldOut, background: Sequence[int]) -> list[tuple[int, int]]:
    """The (class, image) pairs to test: a random sample of the correctly classified images."""
    random = np.random.default_rng(0)
    right = (held_out.images.targets > 0) & held_out.predicted
    found = [
        (k, int(i))
        for k in range(right.shape[1])
        if k not in background
        for i in random.permutation(np.flatnonzero(right[:, k]))[:A_CLASS]
    ]
    return found[:IN_ALL]


@dataclass(frozen=True, eq=False)
class _Logits:
    """The logits (K,) of one image, unchanged and with parts of it filled.

    Attributes:
        image: its index.
        region: the share of it that the located region takes.
        whole, empty: of the image unchanged, and of a grey one of its size.
        without, only, control: see `OcclusionResult`.
    """

    image: int
    region: float
    whole: Floats
    empty: Floats
    without: Floats
    only: Floats
    control: Floats


def _measured(
    network: ModelFile,
    localizer: Localizer,
    held_out: HeldOut,
    k: int,
    i: int,
    fill: Callable[[Pixels, Mask], Pixels],
) -> _Logits | None:
    """The logits of an image with and without the region located for class k; None if it cannot be read."""
    side, threshold = localizer.preset.scales[0], localizer.preset.threshold_of(k)
    try:
        image = read_image(held_out.images.paths[i], enough=localizer.preset.largest)
    except ImageError:
        return None
    size = network.card.input_size(side, image.height, image.width)
    view = resize_pixels(image.pixels, *size)
    prediction = localizer.locate(image.pixels, classes=[k]).predictions[0]
    scores = prediction.scores_on(*size)
    region = scores >= threshold
    elsewhere = np.zeros(scores.size, bool)
    elsewhere[np.argsort(scores, axis=None, kind="stable")[: int(region.sum())]] = True
    elsewhere = elsewhere.reshape(scores.shape) & ~region
    seen = (view, np.full_like(view, _GREY), fill(view, region), fill(view, ~region), fill(view, elsewhere))
    logits = [network.run(np.ascontiguousarray(each), size=size, classes=[k], top=0).logits for each in seen]
    return _Logits(i, float(region.mean()), *logits)


def _score(logits: Floats, k: int, several: bool) -> float:
    return float(logits[k] if several else logits[k] - np.delete(logits, k).max())


def _floor(k: int, measured: Mapping[int, Sequence[_Logits]], held_out: HeldOut) -> float:
    """The mean score of class k in other classes' images without their located region; -inf if there are none."""
    shown = held_out.images.targets[:, k] > 0
    others = [
        _score(logits.without, k, held_out.images.several)
        for j, some in measured.items()
        for logits in some
        if j != k and not shown[logits.image]
    ]
    return float(np.mean(others)) if others else -inf


def _result(k: int, some: Sequence[_Logits], floor: float, several: bool) -> OcclusionResult | None:
    """The mean shares of class k's score, over the images whose score is high enough; None if there are none."""
    rows = []
    for logits in some:
        least = max(_score(logits.empty, k, several), floor)
        whole = _score(logits.whole, k, several) - least
        if whole >= _LEAST:
            parts = (logits.without, logits.only, logits.control)
            remaining = [min(1.0, max(0.0, (_score(each, k, several) - least) / whole)) for each in parts]
            rows.append((logits.region, *remaining))
    if not rows:
        return None
    return OcclusionResult(k, len(rows), *(float(np.mean(column)) for column in zip(*rows, strict=True)))
