"""Small objects: whether a set shows them, and which classes are localized by what is unusual in an image.

A scratch is unusual, the metal around it is not. Where heads cannot tell images with a class from those without, and
their regions are far larger than what is unusual within, objects are small. `boxless.learning.head.localization` asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages
from boxless.errors import ImageError
from boxless.export.anomaly import Gaussian
from boxless.export.backbone import Backbone, CellFeatures
from boxless.learning.head.cells import read_cells, seen_at
from boxless.learning.head.sampling import evenly
from boxless.learning.head.scale import Heads, HeadsAtScale
from boxless.maps.class_maps import class_maps
from boxless.maps.refine import anomaly_weights, resize_maps, sharpened, walk
from boxless.models.presets import LocalizationPass
from boxless.system.progress import Progress

Floats = NDArray[np.float32]

_SMALL = 1.6
"""Objects are small where regions have more than so many times the area of the anomalies in them."""

_POINTS_AT = 0.87
"""A class is localized by anomalies where its class map reaches so much of its maximum at theirs."""

_AGREEMENT_IMAGES, _AGREEMENT_A_CLASS, _AGREEMENT_MOST = 60, 20, 150
"""Images on which class maps and anomalies are compared: so many, or so many a class, but never more than the last."""

IMAGES = 100
_AN_IMAGE = 200
"""Cells that an image gives, by lot."""


def usual_cells(
    trunk: Backbone,
    paths: Sequence[Path],
    scale: int,
    seed: int = 0,
    done: Callable[[int, int], object] = lambda n, of: None,
) -> Gaussian:
    """The distribution of the mid-level features of images, cell by cell.

    All classes together: what a class alone has is rare among all cells, and so unusual for them.

    Args:
        trunk: a backbone with mid-level features.
        paths: of images; `IMAGES` of them are read, by lot, and those that cannot be read are left out.
        scale: pixels; an image is seen with about scale * scale of them.
        seed: of the lots.
        done: called after each image with how many are done, and of how many.

    Raises:
        ImageError: if none can be read.
    """
    chosen = np.random.default_rng(seed).permutation(len(paths))[:IMAGES].tolist()

    def some(which: int, seen: CellFeatures) -> Floats:
        layer = seen.layers[trunk.anomaly_layer]
        flat = layer.reshape(len(layer), -1).T
        return flat[np.random.default_rng((seed, chosen[which])).permutation(len(flat))[:_AN_IMAGE]]

    found = []
    for n, cells in enumerate(seen_at(trunk, [paths[i] for i in chosen], scale, some), 1):
        if cells is not None:
            found.append(cells)
        done(n, len(chosen))
    if not found:
        raise ImageError(f"none of {len(chosen)} images can be read")
    return Gaussian.of(np.concatenate(found))


@dataclass(frozen=True)
class AtAnomalies:
    """What refined class maps and anomaly-weighted ones have in common; medians over images that show the class.

    Attributes:
        activation: what the refined class map says at the peak of the anomaly-weighted one, as a fraction of its
            maximum. Near 1, both point at the same place.
        area: the share of the image where the anomaly-weighted map is at least half its maximum.
    """

    activation: float
    area: float


def at_anomalies(
    trunk: Backbone,
    weight: Floats,
    gaussian: Gaussian,
    paths: Sequence[Path],
    maps: Sequence[Mapping[int, Floats]],
    how: LocalizationPass,
    done: Callable[[int], object] = lambda count: None,
) -> dict[int, AtAnomalies]:
    """What is found at anomalies, by class.

    Args:
        trunk: a backbone with mid-level features.
        weight: (K, C), of the classification head.
        gaussian: of the trunk's anomaly layer, at the pass's scale.
        paths: n images.
        maps: refined class maps (u, v) of the classes that each shows, made at another scale, by class.
        how: the pass that would localize by anomalies.
        done: called after each image with how many are done.
    """

    def one(which: int, seen: CellFeatures) -> dict[int, AtAnomalies]:
        classes = list(maps[which])
        if not classes:
            return {}
        weights = anomaly_weights(gaussian.distances(seen.layers[trunk.anomaly_layer]))
        weighted = class_maps(seen.features, weight[classes])
        weighted = weighted * resize_maps(weights[None], *weighted.shape[1:])
        affinity = sharpened(seen.affinity, how.affinity_exponent)
        refined = walk(np.maximum(weighted, 0), affinity, how.refinement_steps)
        return {
            k: AtAnomalies(_at_peak(maps[which][k], each), float((each >= each.max() / 2).mean()))
            for k, each in zip(classes, refined, strict=True)
        }

    found: dict[int, list[AtAnomalies]] = {}
    for n, each in enumerate(seen_at(trunk, paths, how.scale, one), 1):
        for k, value in (each or {}).items():
            found.setdefault(k, []).append(value)
        done(n)
    return {
        k: AtAnomalies(
            float(np.median([each.activation for each in values])), float(np.median([each.area for each in values]))
        )
        for k, values in found.items()
    }


def anomalies_of(
    trunk: Backbone,
    heads: Heads,
    gaussian: Gaussian,
    learned: LabelledImages,
    first: HeadsAtScale,
    scale: int,
    steps: int,
    seed: int,
    progress: Progress,
) -> dict[int, AtAnomalies]:
    """What is at anomalies, on some of the images that heads were learned from."""
    count = min(max(_AGREEMENT_IMAGES, _AGREEMENT_A_CLASS * len(learned.classes)), _AGREEMENT_MOST)
    used = learned.only(np.array(first.indices))
    some = used.only(evenly(used, count, seed))
    shown = [[int(k) for k in np.flatnonzero(row) if k not in learned.background] for row in some.targets]
    # Without a margin, as classes are that anomalies do not localize: with one, maps peak elsewhere.
    read = read_cells(trunk, heads.at(first.scale), some.paths, shown, first.scale, steps)
    kept = [(path, cells.maps) for path, cells in zip(some.paths, read, strict=True) if cells is not None]
    paths, maps = [path for path, _ in kept], [each for _, each in kept]
    return at_anomalies(
        trunk, heads.at(scale), gaussian, paths, maps, LocalizationPass(scale, (), "anomaly"),
        lambda n: progress("what is unusual", n, len(kept)),
    )  # fmt: skip


def are_small(first: HeadsAtScale, anomalies: Mapping[int, AtAnomalies]) -> bool:
    """Whether the regions of heads are far larger than what is unusual within: geometric mean over classes."""
    areas = first.areas
    ratios = [areas[k] / max(each.area, 1e-4) for k, each in anomalies.items() if k in areas]
    return bool(ratios) and float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-4))))) > _SMALL


def by_anomalies(anomalies: Mapping[int, AtAnomalies]) -> tuple[int, ...]:
    """The classes whose class maps point at anomalies, by index."""
    return tuple(sorted(k for k, each in anomalies.items() if each.activation >= _POINTS_AT))


def _at_peak(one: Floats, other: Floats) -> float:
    """A map's value at the peak of another, as a fraction of its maximum."""
    fitted = resize_maps(one[None], *other.shape)[0]
    return float(fitted.flat[other.argmax()] / max(float(fitted.max()), 1e-9))
