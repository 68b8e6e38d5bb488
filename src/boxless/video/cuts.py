"""Detects cuts: where a clip changes to another scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import resize_pixels

Floats = NDArray[np.float32]

_GRID = (24, 24)
_BINS = 6

_ALIKE = 0.5
"""The least correlation between consecutive frames of one scene, both made small."""

_COLOURS = 0.5
"""The least share of colours that consecutive frames of one scene have in common."""


class Cuts:
    """Detects whether each frame begins a new scene.

    A new scene begins when either the layout or the colours are unlike those of the frame before. How often that is
    wrong: `python -m benchmarks.video`.
    """

    def __init__(self) -> None:
        self._before: tuple[Floats, Floats] | None = None

    def __call__(self, pixels: NDArray[np.uint8]) -> bool:
        """Whether this frame, RGB (H, W, 3), begins a scene; the first does not."""
        small = resize_pixels(pixels, *_GRID)
        before, self._before = self._before, (_places(small), _colours(small))
        if before is None:
            return False
        places, colours = self._before
        shared = float(np.minimum(before[1], colours).sum())
        return float((before[0] * places).sum()) < _ALIKE * _contrast(before[0], places) or shared < _COLOURS


def _places(small: NDArray[np.uint8]) -> Floats:
    """Of each colour its deviation from the mean, smooth, together of length one; zeros without contrast."""
    smooth = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.0), np.float32)
    centred = smooth - smooth.mean(axis=(0, 1))
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length if length > smooth.size**0.5 else np.zeros_like(centred), np.float32)


def _contrast(one: Floats, other: Floats) -> float:
    """1; 0 where one of the two has no contrast, so that there is nothing to correlate."""
    return float(one.any() and other.any())


def _colours(small: NDArray[np.uint8]) -> Floats:
    """A smooth histogram of colours: (bins * bins * bins,), its sum one."""
    counts = cv2.calcHist([small], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3).reshape(_BINS, _BINS * _BINS)
    smooth = np.asarray(cv2.GaussianBlur(counts, (0, 0), 0.7), np.float32)
    return np.asarray(smooth.ravel() / max(float(smooth.sum()), 1e-6), np.float32)
