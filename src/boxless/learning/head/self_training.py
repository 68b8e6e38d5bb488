"""Self-training of localization heads: cells that class maps mark teach what a cell of an object looks like.

A class map peaks on the part that gives a class away. But that part differs from image to image, so among the cells
near the peaks of many images every part of the object is positive somewhere, and a linear head on single cells learns
the whole object. How many cells are taken sets how far its regions reach. Which share is right, and at which scale, is
chosen without boxes, by heads learned on one half of the images and measured on the other; see `Evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.learning.head.cells import Floats, ImageCells
from boxless.maps.refine import resize_maps

SHARES = (0.002, 0.005, 0.01, 0.03, 0.08, 0.15, 0.3)
"""The top shares of a class map's cells that positives are taken from."""

FEWEST = 8
"""Images with, and without, a class that it takes to learn where it is."""

_MOST = 80
"""Images with, and without, a class that a head is learned from."""

_JUDGED = 60
"""Images with, and without, a class that heads are judged on."""

_CELLS = 24
"""Positive cells of an image, and as many negative ones."""

_FEW = 40
"""From fewer images than these, as many cells are taken in all as from `_MOST`."""

_RIDGE = 1.0
"""Added to the variances of standardized features."""

_HALF = 0.5


@dataclass(frozen=True, eq=False)
class LinearCells:
    """probability of a cell = sigmoid(weight @ cell + bias): (C,) and a number."""

    weight: Floats
    bias: float


@dataclass(frozen=True)
class Evidence:
    """What labels say of a head, judged on images of the half that it has not seen; means over images.

    Attributes:
        contrast: the mean probability inside the region (probability 0.5 or more), minus that outside, in [-1, 1].
        agreement: the IoU of the region with that of the head of the other half, above what regions of this size have
            by chance, in [0, 1].
        separation: how probably the region is larger in an image that shows the class than in one that does not (AUC).
        area: the share of the image that the region covers.
    """

    contrast: float
    agreement: float
    separation: float
    area: float

    @property
    def score(self) -> float:
        """The higher, the better the region says what is the object."""
        return self.contrast * self.agreement * self.separation


@dataclass(frozen=True, eq=False)
class Candidates:
    """Heads of one class at one scale, by the share of cells that they are learned from, with their evidence.

    Attributes:
        heads: learned on all images.
        evidence: of the same shares, across the halves of the images.
        cells: how many cells of all images each share marks.
    """

    heads: Mapping[float, LinearCells]
    evidence: Mapping[float, Evidence]
    cells: Mapping[float, int]


def candidates(
    images: Sequence[ImageCells], targets: NDArray[np.float32], k: int, random: np.random.Generator
) -> Candidates | None:
    """Learns and judges the heads of a class.

    Args:
        images: n.
        targets: (n, K), zeros and ones: which classes they show.
        k: the class, by index.
        random: draws images and cells.

    Returns:
        None with too few images with, or without, the class.
    """
    marked = marked_cells(images, targets, k, random)
    if marked is None:
        return None
    heads = {
        half: {share: _learn(share, marked.shown[part], marked.absent[part], random) for share in SHARES}
        for half, part in ((None, slice(None)), (0, slice(0, None, 2)), (1, slice(1, None, 2)))
    }
    seen: dict[float, list[tuple[float, float, float]]] = {share: [] for share in SHARES}
    off: dict[float, list[float]] = {share: [] for share in SHARES}
    for n, i in enumerate(marked.own[:_JUDGED]):
        unseen, taught = (_probabilities(images[i], heads[half]) for half in (1 - n % 2, n % 2))
        for share, one, other in zip(SHARES, unseen, taught, strict=True):
            seen[share].append(_judged(one, other > _HALF))
    for n, i in enumerate(marked.others[:_JUDGED]):
        for share, one in zip(SHARES, _probabilities(images[i], heads[1 - n % 2]), strict=True):
            off[share].append(float((one > _HALF).mean()))
    cells = {share: sum(_count(share, int(np.prod(images[i].grid))) for i in marked.own) for share in SHARES}
    return Candidates(heads[None], {share: _evidence(seen[share], off[share]) for share in SHARES}, cells)


@dataclass(frozen=True, eq=False)
class DrawnCells:
    """Cells of an image that shows the class: (n, C) each, by share, and those of the lower half of its map."""

    top: Mapping[float, Floats]
    low: Floats


@dataclass(frozen=True, eq=False)
class MarkedCells:
    """The cells that a class's heads are learned from.

    Attributes:
        own, others: the images with and without the class, by index.
        shown: cells of each of the first.
        absent: (n, C), of each of the others.
    """

    own: Sequence[int]
    others: Sequence[int]
    shown: Sequence[DrawnCells]
    absent: Sequence[Floats]


def marked_cells(
    images: Sequence[ImageCells], targets: NDArray[np.float32], k: int, random: np.random.Generator
) -> MarkedCells | None:
    """Draws cells of images with and without a class; see `candidates`."""
    shown = targets[:, k] > 0
    own, others = (random.permutation(np.flatnonzero(which))[:_MOST].tolist() for which in (shown, ~shown))
    if min(len(own), len(others)) < FEWEST:
        return None
    each = _CELLS if len(own) >= _FEW else _CELLS * _MOST // len(own)
    drawn = [_draw(images[i], images[i].maps[k], each, random) for i in own]
    count = max(2 * _CELLS, 2 * each * len(own) // len(others))
    absent = [images[i].at(random.integers(0, np.prod(images[i].grid), count)) for i in others]
    return MarkedCells(own, others, drawn, absent)


def _draw(image: ImageCells, class_map: Floats, count: int, random: np.random.Generator) -> DrawnCells:
    order = resize_maps(class_map[None], *image.grid)[0].argsort(axis=None)
    some = {share: order[-_count(share, len(order)) :] for share in SHARES}
    return DrawnCells(
        {share: image.at(random.permutation(top)[:count]) for share, top in some.items()},
        image.at(random.choice(order[: len(order) // 2], count)),
    )


def _count(share: float, cells: int) -> int:
    """How many of an image's cells a share marks."""
    return max(4, int(share * cells))


def _learn(
    share: float, drawn: Sequence[DrawnCells], absent: Sequence[Floats], random: np.random.Generator
) -> LinearCells:
    positive = np.concatenate([each.top[share] for each in drawn])
    own, without = np.concatenate([each.low for each in drawn]), random.permutation(np.concatenate(absent))
    negative = np.concatenate([own, without[: len(own)]])
    return discriminant(positive, random.permutation(negative)[: len(positive)])


def discriminant(positive: Floats, negative: Floats, ridge: float = _RIDGE) -> LinearCells:
    """Linear discriminant analysis of two sets of cells (n, C), `ridge` added to variances of standardized features.

    In closed form, and as good here as a logistic regression.
    """
    both = np.concatenate([positive, negative]).astype(np.float32)
    mean, deviation = both.mean(axis=0), both.std(axis=0) + 1e-3
    above, below = ((cells - mean) / deviation for cells in (positive, negative))
    centres = above.mean(axis=0), below.mean(axis=0)
    spread = [cells - centre for cells, centre in zip((above, below), centres, strict=True)]
    covariance = sum(each.T @ each for each in spread) / len(both)
    weight = np.linalg.solve(covariance + ridge * np.eye(len(mean), dtype=np.float32), centres[0] - centres[1])
    bias = np.log(len(positive) / len(negative)) - weight @ (centres[0] + centres[1]) / 2
    weight = (weight / deviation).astype(np.float32)
    return LinearCells(weight, float(bias - weight @ mean))


def _probabilities(image: ImageCells, heads: Mapping[float, LinearCells]) -> Floats:
    """(shares, u, v)."""
    weights = np.stack([heads[share].weight for share in SHARES])
    return image.probabilities(weights, np.array([heads[share].bias for share in SHARES], np.float32))


def _judged(probability: Floats, other: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Of one image (u, v): area of the region, contrast, and IoU with another region."""
    region = probability > _HALF
    inside = float(probability[region].mean()) if region.any() else 0.0
    outside = float(probability[~region].mean()) if not region.all() else 1.0
    overlap = (region & other).sum() / max(1, (region | other).sum())
    return float(region.mean()), inside - outside, float(overlap)


def _evidence(seen: Sequence[tuple[float, float, float]], off: Sequence[float]) -> Evidence:
    area, contrast, overlap = np.mean(seen, axis=0)
    chance = area / (2 - area)  # the IoU of two regions of this area, anywhere
    areas, absent = np.array(seen)[:, 0], np.array(off)
    larger = (areas[:, None] > absent).mean() + (areas[:, None] == absent).mean() / 2
    return Evidence(float(contrast), float(max(0, overlap - chance) / (1 - chance)), float(larger), float(area))
