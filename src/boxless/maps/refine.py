"""Random-walk refinement: sharpens class maps with the network's own mid-level features.

A class map is coarse (7 x 7 at 224 pixels), and peaks on the most discriminative part. Mid-level features are finer
and similar all over an object. A short random walk over their affinity spreads the activation through the object and
stops at its edge. After Ahn and Kwak, "Learning Pixel-level Semantic Affinity", CVPR 2018, but with the similarity of
the features themselves instead of a learned affinity, so nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def affinity(layers: Sequence[Floats], fine: tuple[int, int], coarse: tuple[int, int], power: float) -> Floats:
    """The affinity of each fine position to each coarse one. The NumPy reference of a model file's `affinity`.

    In each layer the mean over positions is removed from the features, so that similar positions have a high cosine.
    The sum of the cosines over layers is clipped at zero and raised to the power, and each row is divided by its sum.
    Several layers are used, because colours and edges (early) and parts (late) fail on different images.

    Args:
        layers: feature maps (c, h', w'), each with its own c, h' and w'; each is resized to both grids.
        fine: (u, v), the grid of refined maps.
        coarse: (h, w), the grid of class maps.
        power: the affinity exponent, at least 1; higher values favour the most similar positions.

    Returns:
        (u, v, h, w), not negative; the last two axes sum to one.

    Example:
        >>> layer = np.array([[[1.0, 0.0], [0.0, 1.0]]], np.float32)  # one feature on a 2 x 2 grid
        >>> affinity([layer], fine=(2, 2), coarse=(2, 2), power=1.0)[0, 0].tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """
    cosine = sum(_unit(layer, *fine).T @ _unit(layer, *coarse) for layer in layers)
    likeness = np.maximum(cosine, 0.0) ** power
    rows = likeness / np.maximum(likeness.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(rows.reshape(*fine, *coarse), dtype=np.float32)


def walk(maps: Floats, affinity: Floats, steps: int) -> Floats:
    """Class maps refined by random walk: each fine position is the affinity-weighted mean of the coarse ones.

    Each further step averages the result down to the coarse grid and repeats, so that the activation spreads.

    Args:
        maps: (k, h, w) on the coarse grid.
        affinity: (u, v, h, w), see `affinity`.
        steps: the number of steps, at least 1.

    Returns:
        (k, u, v), between the smallest and the largest value of each map.

    Example:
        >>> alike = np.full((4, 4, 2, 2), 0.25, np.float32)  # every position is like every other
        >>> walk(np.array([[[4.0, 0.0], [0.0, 0.0]]], np.float32), alike, steps=1)[0, 0].tolist()
        [1.0, 1.0, 1.0, 1.0]
    """
    u, v, h, w = affinity.shape
    rows = affinity.reshape(u * v, h * w).T
    fine = maps.reshape(-1, h * w) @ rows
    for _ in range(steps - 1):
        coarse = resize_maps(fine.reshape(-1, u, v), h, w)
        fine = coarse.reshape(-1, h * w) @ rows
    return fine.reshape(-1, u, v)


def sharpened(affinity: Floats, exponent: float) -> Floats:
    """An affinity (u, v, h, w) raised to a power of at least 1, its rows summing to one again.

    The same as if the cosines had been raised to `power * exponent` in the first place.
    """
    if exponent == 1.0:
        return affinity
    raised = affinity * affinity if exponent == 2.0 else affinity**exponent
    return np.asarray(raised / np.maximum(raised.sum(axis=(2, 3), keepdims=True), 1e-12), np.float32)


def anomaly_weights(anomaly: Floats) -> Floats:
    """The weight of each cell, in [0, 1], of an image's anomaly scores (u, v): 0 for half of the image.

    The anomaly score is the Mahalanobis distance of a position's features from those of the images that a model
    learned from (Rippel, Mertens and Merhof, "Modeling the distribution of normal data in pre-trained deep features for
    anomaly detection", ICPR 2020). The median is taken off, since light and material move all positions of an image
    alike.
    """
    above = np.maximum(anomaly - np.median(anomaly), 0.0)
    return np.asarray(above / max(float(above.max()), 1e-6), np.float32)


def resize_maps(maps: Floats, height: int, width: int) -> Floats:
    """Maps at another size: bilinear about cell centres where they grow, averaged where they shrink.

    Args:
        maps: (k, h, w).
        height, width: of the result, in cells.

    Returns:
        (k, height, width).

    Example:
        >>> resize_maps(np.array([[[0.0, 4.0]]], np.float32), 1, 4).tolist()
        [[[0.0, 1.0, 3.0, 4.0]]]
    """
    if maps.shape[1:] == (height, width):
        return maps
    how = cv2.INTER_AREA if height < maps.shape[1] and width < maps.shape[2] else cv2.INTER_LINEAR
    return np.stack([cv2.resize(one, (width, height), interpolation=how) for one in maps])


def resize_features(features: Floats, height: int, width: int) -> Floats:
    """Feature maps (C, h, w) at another size (C, height, width), bilinear, with antialiasing where they shrink.

    ONNX's Resize with `mode = "linear", antialias = 1`: the triangle filter is as wide as the step between the
    new positions, or between the old ones where those are further apart.
    """
    rows, columns = _triangle(features.shape[1], height), _triangle(features.shape[2], width)
    return np.asarray(np.einsum("ay,cyx,bx->cab", rows, features, columns, optimize=True), dtype=np.float32)


def _unit(features: Floats, height: int, width: int) -> Floats:
    """Features on a grid, their mean over positions removed, at length one: (C, height * width)."""
    flat = resize_features(features, height, width).reshape(len(features), -1)
    centred = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=0, keepdims=True), 1e-6), dtype=np.float32)


def _triangle(old: int, new: int) -> Floats:
    """The weights (new, old) that resize one axis; beyond the border lies the border's own value."""
    scale = old / new
    reach = max(1.0, scale)
    around = ceil(reach)
    positions = np.arange(-around, old + around)
    centres = (np.arange(new) + 0.5) * scale - 0.5
    shares = np.maximum(1.0 - np.abs(positions[None] - centres[:, None]) / reach, 0.0)
    weights = np.zeros((new, old))
    np.add.at(weights.T, positions.clip(0, old - 1), shares.T)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
