"""What is done to pixels before a network sees them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

Preparation = Callable[[Pixels], Floats]
"""From uint8 (n, h, w, 3) to float32 of the same shape, around zero."""

_ZCA_FLOOR = 0.1
_CONTRAST_FLOOR = 1e-8


def standard(train: Pixels) -> Preparation:
    """Each colour less its mean, over its deviation, both of the training pictures."""
    mean = train.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
    deviation = train.std(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)

    def prepare(pixels: Pixels) -> Floats:
        return (pixels - mean) / deviation

    return prepare


def gcn_zca(train: Pixels) -> Preparation:
    """Global contrast normalisation and ZCA whitening, as Network in Network has them after Goodfellow et al. (2013).

    Each picture, as one long vector, less its mean and over its deviation; then rotated to the principal components of
    the training pictures, each divided by the root of its variance plus a floor, and rotated back.
    """
    flat = _contrast(train)
    mean = flat.mean(axis=0)
    flat -= mean
    variance, axes = np.linalg.eigh(flat.T @ flat / len(flat))
    whiten = ((axes / np.sqrt(np.maximum(variance, 0) + _ZCA_FLOOR)) @ axes.T).astype(np.float32)

    def prepare(pixels: Pixels) -> Floats:
        return np.asarray(((_contrast(pixels) - mean) @ whiten).reshape(pixels.shape), np.float32)

    return prepare


PREPARATIONS: dict[str, Callable[[Pixels], Preparation]] = {"standard": standard, "gcn_zca": gcn_zca}
"""By name: from the training pictures to what is done to any."""


def _contrast(pixels: Pixels) -> Floats:
    """(n, h * w * 3), every row of mean 0 and deviation 1."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(flat.std(axis=1, keepdims=True), _CONTRAST_FLOOR)
    return flat
