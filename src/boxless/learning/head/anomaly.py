"""What cells of images are usually made of, and whether what is unusual in an image is what its class map points at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.export.anomaly import Gaussian
from boxless.export.backbone import Backbone, CellFeatures
from boxless.learning.head.cells import seen_at
from boxless.maps.class_maps import class_maps
from boxless.maps.refine import anomaly_weights, resize_maps, sharpened, walk
from boxless.models.presets import LocalizationPass

Floats = NDArray[np.float32]

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


def _at_peak(one: Floats, other: Floats) -> float:
    """A map's value at the peak of another, as a fraction of its maximum."""
    fitted = resize_maps(one[None], *other.shape)[0]
    return float(fitted.flat[other.argmax()] / max(float(fitted.max()), 1e-9))
