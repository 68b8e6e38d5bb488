"""Features of single cells of images: kept for a few images, read at some cells, weighed by linear heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.export.backbone import Backbone, CellFeatures
from boxless.imaging.margin import with_margin, without_margin
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import class_maps
from boxless.maps.refine import resize_maps, walk
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class ImageCells:
    """One image at one scale.

    Attributes:
        layers: float16 (c, h, w) each, the mid-level feature maps, the finest first; its grid (u, v) is that of cells.
        maps: float32 (u', v'), the refined class map of each class that the image shows, by class.
    """

    layers: tuple[NDArray[np.float16], ...]
    maps: Mapping[int, Floats]

    @property
    def grid(self) -> tuple[int, int]:
        """(u, v), of its cells."""
        _, rows, columns = self.layers[0].shape
        return rows, columns

    def at(self, cells: Indices) -> Floats:
        """The features (n, C) of cells, by their index in the grid read row by row, bilinear in coarser maps."""
        rows, columns = np.divmod(cells, self.grid[1])
        return np.concatenate([_bilinear(layer, rows, columns, self.grid) for layer in self.layers], axis=1)

    def probabilities(self, weights: Floats, biases: Floats) -> Floats:
        """What n linear heads (n, C) and (n,) say of all cells: (n, u, v), in [0, 1]."""
        ends = np.cumsum([len(layer) for layer in self.layers])[:-1]
        parts = zip(self.layers, np.split(weights, ends, axis=1), strict=True)
        logits = sum(resize_maps(class_maps(layer.astype(np.float32), part), *self.grid) for layer, part in parts)
        return np.asarray(1 / (1 + np.exp(-(logits + biases[:, None, None]).clip(-30, 30))), np.float32)


def read_cells(
    trunk: Backbone,
    weight: Floats,
    paths: Sequence[Path],
    shown: Sequence[Sequence[int]],
    scale: int,
    steps: int,
    margin: int = 0,
    done: Callable[[int], object] = lambda count: None,
) -> list[ImageCells | None]:
    """The cells of images; None for those that cannot be read.

    Args:
        trunk: a backbone with mid-level features.
        weight: (K, C), of the classification head, whose refined class maps are wanted.
        paths: n images.
        shown: the classes that each shows, by index.
        scale: pixels; an image is seen with about scale * scale of them.
        steps: of the refinement.
        margin: see `boxless.models.presets.LocalizationPass`.
        done: called after each image with how many are done.
    """

    def kept(which: int, seen: CellFeatures) -> ImageCells:
        classes = list(shown[which])
        layers = tuple(layer.astype(np.float16) for layer in seen.layers)
        if not classes:
            return ImageCells(layers, {})
        refined = walk(np.maximum(class_maps(seen.features, weight[classes]), 0), seen.affinity, steps)
        return ImageCells(layers, dict(zip(classes, refined, strict=True)))

    found = []
    for count, each in enumerate(seen_at(trunk, paths, scale, kept, margin), 1):
        found.append(each)
        done(count)
    return found


def seen_at(
    trunk: Backbone, paths: Sequence[Path], scale: int, use: Callable[[int, CellFeatures], Made], margin: int = 0
) -> Iterator[Made | None]:
    """What is made of the features of each image, in order; None for images that cannot be read."""

    def one(which: int) -> Made | None:
        try:
            image = read_image(paths[which], enough=scale)
        except ImageError:
            return None
        height, width = trunk.card.input_size(scale, image.height, image.width)
        size = (height + 2 * margin, width + 2 * margin)
        found = trunk.cells(with_margin(resize_pixels(image.pixels, height, width), margin), size)
        return use(which, _inside(found, margin, size) if margin else found)

    return ordered_map(one, range(len(paths)), usable_cores())


def _inside(found: CellFeatures, margin: int, size: tuple[int, int]) -> CellFeatures:
    """The features of the image itself; the rows of the affinity sum to one again."""
    features = without_margin(found.features, margin, size)
    layers = tuple(without_margin(layer, margin, size) for layer in found.layers)
    u, v, h, w = found.affinity.shape
    by_coarse = without_margin(found.affinity.reshape(u * v, h, w), margin, size)
    by_fine = without_margin(by_coarse.reshape(u, v, -1).transpose(2, 0, 1), margin, size).transpose(1, 2, 0)
    affinity = by_fine.reshape(*by_fine.shape[:2], *by_coarse.shape[1:])
    total = affinity.sum(axis=(2, 3), keepdims=True)
    return CellFeatures(features, layers, np.asarray(affinity / np.maximum(total, 1e-6), np.float32))


def _bilinear(layer: NDArray[np.float16], rows: Indices, columns: Indices, grid: tuple[int, int]) -> Floats:
    """A feature map (c, h, w) at cells of a finer grid, as `resize_maps` has them: (n, c)."""
    near = []
    for cells, coarse, fine in ((rows, layer.shape[1], grid[0]), (columns, layer.shape[2], grid[1])):
        at = np.clip((cells + 0.5) * coarse / fine - 0.5, 0, coarse - 1)
        first = at.astype(np.int64)
        near.append((first, np.minimum(first + 1, coarse - 1), (at - first).astype(np.float32)))
    (top, bottom, down), (left, right, across) = near
    upper = layer[:, top, left] * (1 - across) + layer[:, top, right] * across
    lower = layer[:, bottom, left] * (1 - across) + layer[:, bottom, right] * across
    return np.asarray((upper * (1 - down) + lower * down).T, np.float32)
