"""Whether a class is told by what was found, or by what is around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import PictureError
from boxless.imaging.read import read_picture, resize_pixels
from boxless.learning.report.held_out import HeldOut
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

A_CLASS = 8
"""Pictures of each class that are looked at."""

IN_ALL = 200
"""Pictures that are looked at in all; with very many classes, not all are."""

FEWEST = 4
"""Of fewer pictures nothing is noted."""

SUSPICIOUS = 0.5
"""A class that keeps as much of its evidence without what was found is told by its surroundings too."""

WHOLE = 0.9
"""A found region of so much of a picture covers nearly everything."""

SMALL, TOO_LITTLE = 0.2, 0.25
"""A region of no more of the picture, which alone keeps no more of the evidence, is probably a part of the object."""

_LEAST = 1.0
"""Logits; with less evidence than that there is nothing to take shares of."""

_GREY = 127

_SPREAD = 0.125
"""The blur of the ground that fills a hole, as a share of the picture's longer side."""


@dataclass(frozen=True)
class Survival:
    """What is left of the evidence for a class when a part of the picture is filled with the ground around it.

    Evidence is the logit of the class over that of the best other one (with several labels, the logit), beyond what
    pictures have that do not show it: an empty one, or those of other classes without what was found there, whichever
    has more. In them too some class has to be the likeliest. Shares of it are means over pictures, in [0, 1].

    Attributes:
        class_index: the class.
        pictures: how many that are rightly named, and have such evidence, were looked at.
        region: the mean share of a picture that the found region takes.
        without: the share of the evidence that is left without the found region.
        only: the share that is left when only the found region is.
        control: the share that is left when as much is filled elsewhere, where least speaks for the class: what the
            filling itself does.
    """

    class_index: int
    pictures: int
    region: float
    without: float
    only: float
    control: float

    @property
    def whole(self) -> bool:
        """Whether the found region covers nearly the whole picture, so that a box says little."""
        return self.region >= WHOLE

    @property
    def part(self) -> bool:
        """Whether what was found is probably a part of the object: small, too little alone, and hardly missed."""
        return self.without >= SUSPICIOUS and self.only <= TOO_LITTLE and self.region <= SMALL

    @property
    def suspicious(self) -> bool:
        """Whether boxes of the class may be wrong: most of the evidence lies elsewhere, or they cover everything."""
        return self.pictures >= FEWEST and (self.without >= SUSPICIOUS or self.whole)

    def in_words(self, classes: Sequence[str]) -> str:
        """For a suspicious class, of K by name, what that means, and what helps."""
        name = classes[self.class_index]
        if self.whole:
            return (
                f"{name}: boxes cover {self.region:.0%} of the picture, nearly everything: try --localization-size "
                "896, or set thresholds with a few boxed pictures (--boxes)"
            )
        if self.part:
            return (
                f"{name}: located by a region of {self.region:.0%} of the picture that alone keeps only "
                f"{self.only:.0%} of the evidence: probably a part of it; try --localization-size 448, or a few boxed "
                "pictures (--boxes)"
            )
        return (
            f"{name}: {self.without:.0%} of the evidence stays when what was found ({self.region:.0%} of the picture) "
            "is taken out: the surroundings give it away; add pictures of it elsewhere, or of the surroundings alone "
            "(background)"
        )

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """As plain data for JSON; shares in [0, 1]."""
        shares = {name: round(getattr(self, name), 4) for name in ("region", "without", "only", "control")}
        return {"class": classes[self.class_index], "pictures": self.pictures, **shares, "suspicious": self.suspicious}


def survivals(
    network: ModelFile,
    preset: str,
    held_out: HeldOut,
    done: Callable[[int, int], object] = lambda done, total: None,
    fill: Callable[[Pixels, Mask], Pixels] | None = None,
) -> tuple[Survival, ...]:
    """How far each class survives without what was found, on a few of the held-out pictures that are named rightly.

    Args:
        network: knows the pictures' classes, in their order.
        preset: the name of one of its presets; its first look names.
        held_out: what the network says of the pictures.
        done: told after each picture how many are, and of how many.
        fill: fills a hole (H, W) of a picture (H, W, 3); `filled` where None.

    Returns:
        One for each class that has such pictures and is no background.
    """
    network = network.on_one_core
    localizer = Localizer(network, preset)
    wanted = list(_chosen(held_out, network.card.background))
    looked: dict[int, list[_Said]] = {}

    def one(which: tuple[int, int]) -> _Said | None:
        k, i = which
        return _looked(network, localizer, held_out, k, i, fill or filled)

    results = ordered_map(one, wanted, usable_cores())
    for count, ((k, _), found) in enumerate(zip(wanted, results, strict=True), 1):
        done(count, len(wanted))
        if found is not None:
            looked.setdefault(k, []).append(found)
    several = held_out.pictures.several
    made = [_survival(k, said, _floor(k, looked, held_out), several) for k, said in sorted(looked.items())]
    return tuple(each for each in made if each is not None)


def filled(pixels: Pixels, hole: Mask) -> Pixels:
    """A picture (H, W, 3) with a hole filled by what is around it, blurred: the nearer, the more it counts.

    Where the ground is too far, and where there is none, its mean and grey.
    """
    weight = np.asarray(~hole, np.float32)
    spread = _SPREAD * max(hole.shape)
    ground = cv2.GaussianBlur(pixels * weight[..., None], (0, 0), spread)
    near = cv2.GaussianBlur(weight, (0, 0), spread)[..., None]
    mean = pixels[~hole].mean(axis=0) if weight.any() else np.full(3, 127.0)
    fill = np.where(near > 1e-3, ground / np.maximum(near, 1e-3), mean)
    return np.asarray(np.where(hole[..., None], fill.clip(0, 255), pixels), np.uint8)


def _chosen(held_out: HeldOut, background: Sequence[int]) -> list[tuple[int, int]]:
    """(class, picture) to look at, drawn by lot: pictures that are rightly named."""
    random = np.random.default_rng(0)
    right = (held_out.pictures.targets > 0) & held_out.said
    found = [
        (k, int(i))
        for k in range(right.shape[1])
        if k not in background
        for i in random.permutation(np.flatnonzero(right[:, k]))[:A_CLASS]
    ]
    return found[:IN_ALL]


@dataclass(frozen=True, eq=False)
class _Said:
    """What the network says of one picture, whole and with parts of it filled: logits (K,) each.

    Attributes:
        picture: its index.
        region: the share of it that was found.
        whole, empty: as it is, and of a grey one of its size.
        without, only, control: see `Survival`.
    """

    picture: int
    region: float
    whole: Floats
    empty: Floats
    without: Floats
    only: Floats
    control: Floats


def _looked(
    network: ModelFile,
    localizer: Localizer,
    held_out: HeldOut,
    k: int,
    i: int,
    fill: Callable[[Pixels, Mask], Pixels],
) -> _Said | None:
    """What is said of a picture with and without what is found of a class; None if it cannot be read."""
    side, threshold = localizer.preset.scales[0], localizer.preset.threshold_of(k)
    try:
        picture = read_picture(held_out.pictures.paths[i], enough=localizer.preset.largest)
    except PictureError:
        return None
    size = network.card.input_size(side, picture.height, picture.width)
    view = resize_pixels(picture.pixels, *size)
    prediction = localizer.locate(picture.pixels, classes=[k]).predictions[0]
    scores = prediction.scores_on(*size)
    region = scores >= threshold
    elsewhere = np.zeros(scores.size, bool)
    elsewhere[np.argsort(scores, axis=None, kind="stable")[: int(region.sum())]] = True
    elsewhere = elsewhere.reshape(scores.shape) & ~region
    seen = (view, np.full_like(view, _GREY), fill(view, region), fill(view, ~region), fill(view, elsewhere))
    logits = [network.run(np.ascontiguousarray(each), size=size, classes=[k], top=0).logits for each in seen]
    return _Said(i, float(region.mean()), *logits)


def _evidence(logits: Floats, k: int, several: bool) -> float:
    return float(logits[k] if several else logits[k] - np.delete(logits, k).max())


def _floor(k: int, looked: Mapping[int, Sequence[_Said]], held_out: HeldOut) -> float:
    """The evidence for a class in pictures of other classes without what was found there; -inf where there are none."""
    shown = held_out.pictures.targets[:, k] > 0
    others = [
        _evidence(said.without, k, held_out.pictures.several)
        for j, some in looked.items()
        for said in some
        if j != k and not shown[said.picture]
    ]
    return float(np.mean(others)) if others else -inf


def _survival(k: int, some: Sequence[_Said], floor: float, several: bool) -> Survival | None:
    """Means of the shares of a class's evidence, over the pictures that have any to speak of; None if none has."""
    rows = []
    for said in some:
        least = max(_evidence(said.empty, k, several), floor)
        whole = _evidence(said.whole, k, several) - least
        if whole >= _LEAST:
            parts = (said.without, said.only, said.control)
            left = [min(1.0, max(0.0, (_evidence(each, k, several) - least) / whole)) for each in parts]
            rows.append((said.region, *left))
    return Survival(k, len(rows), *(float(np.mean(column)) for column in zip(*rows, strict=True))) if rows else None
