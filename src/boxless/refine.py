"""Sharpening a map with what the network itself sees half-way.

A class map is coarse (7 x 7 at 224 pixels), and peaks on the part that gives the class away. Mid-level features
are finer and alike all over an object. A short random walk over that likeness spreads the evidence through the
object and stops at its edge. After Ahn and Kwak, "Learning Pixel-level Semantic Affinity", CVPR 2018, with the
likeness of features as they are instead of a learned one, so nothing is trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def affinity(layers: Sequence[Floats], grid: tuple[int, int], power: float) -> Floats:
    """How much each position looks like each other one. The NumPy reference of a model file's `affinity`.

    In every layer the mean over positions is removed from the features; what looks alike has a high cosine.
    The cosines' mean over layers is clipped at zero and raised to the power, and each row divided by its sum.
    Several layers, because edges and colours (early) and parts (late) fail on different pictures.

    Args:
        layers: feature maps (c, h, w), each with its own c, h and w.
        grid: (u, v), to which the layers are resized.
        power: how much near-perfect likeness counts over some likeness; at least 1.

    Returns:
        (u, v, u, v), not negative; the last two axes sum to one.
    """
    u, v = grid
    cosine = np.zeros((u * v, u * v), np.float32)
    for layer in layers:
        flat = resize_features(layer, u, v).reshape(len(layer), u * v)
        centred = flat - flat.mean(axis=1, keepdims=True)
        unit = centred / np.maximum(np.linalg.norm(centred, axis=0, keepdims=True), 1e-6)
        cosine += unit.T @ unit / len(layers)
    likeness = np.maximum(cosine, 0.0) ** power
    rows = likeness / np.maximum(likeness.sum(axis=1, keepdims=True), 1e-6)
    return np.asarray(rows.reshape(u, v, u, v), dtype=np.float32)


def walk(maps: Floats, affinity: Floats, steps: int) -> Floats:
    """Averages each position of a map over the positions that look like it, `steps` times.

    Args:
        maps: (k, u, v) on the affinity's grid.
        affinity: (u, v, u, v), see `affinity`.
        steps: number of averagings; 0 returns the maps as they are.

    Returns:
        (k, u, v), between the smallest and the largest value of each map.
    """
    u, v = affinity.shape[:2]
    flat = maps.reshape(-1, u * v).T
    rows = affinity.reshape(u * v, u * v)
    for _ in range(steps):
        flat = rows @ flat
    return np.ascontiguousarray(flat.T).reshape(-1, u, v)


def resize_maps(maps: Floats, height: int, width: int) -> Floats:
    """Maps (k, h, w) at another size (k, height, width), bilinear, corners not aligned (half-pixel centres)."""
    if maps.shape[1:] == (height, width):
        return maps
    return np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in maps])


def resize_features(features: Floats, height: int, width: int) -> Floats:
    """Feature maps (C, h, w) at another size (C, height, width), bilinear, with antialiasing where they shrink.

    ONNX's Resize with `mode = "linear", antialias = 1`: the triangle filter is as wide as the step between the
    new positions, or between the old ones where those are further apart.
    """
    rows, columns = _triangle(features.shape[1], height), _triangle(features.shape[2], width)
    return np.asarray(np.einsum("ay,cyx,bx->cab", rows, features, columns, optimize=True), dtype=np.float32)


def _triangle(old: int, new: int) -> Floats:
    """The weights (new, old) that resize one axis."""
    scale = old / new
    centres = (np.arange(new) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(old)[None] - centres[:, None]) / max(1.0, scale)
    weights = np.maximum(1.0 - distance, 0.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
