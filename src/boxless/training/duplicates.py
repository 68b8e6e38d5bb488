"""Pictures that are nearly the same, one learned from and one held out: what they measure is memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import PictureError
from boxless.image import read_picture
from boxless.ordered import ordered_map

Floats = NDArray[np.float32]

ALIKE = 0.95
"""Thumbnails that correlate as much are of the same picture, or of one made from it."""

_SIDE = 16
_FLAT = 4.0  # grey levels; thumbnails that vary less have nothing to compare
_AT_ONCE = 1000


def near_duplicates(learned: Sequence[Path], held_out: Sequence[Path]) -> list[tuple[int, int, float]]:
    """Held-out pictures that nearly are, maybe mirrored, pictures that were learned from.

    Args:
        learned: paths.
        held_out: paths.

    Returns:
        (index in `held_out`, index in `learned`, correlation of 16 x 16 colour thumbnails), the likest first; the
        likest partner of each.
    """
    known, others = _thumbnails(learned), _thumbnails(held_out)
    mirrored = known[:, :, ::-1].reshape(len(known), -1)
    known = known.reshape(len(known), -1)
    found = []
    for start in range(0, len(others), _AT_ONCE):
        some = others[start : start + _AT_ONCE].reshape(-1, known.shape[1])
        likeness = np.maximum(some @ known.T, some @ mirrored.T)
        best = likeness.argmax(axis=1)
        found += [
            (start + int(row), int(best[row]), float(likeness[row, best[row]]))
            for row in np.flatnonzero(likeness.max(axis=1) >= ALIKE)
        ]
    return sorted(found, key=lambda each: -each[2])


def _thumbnails(paths: Sequence[Path]) -> Floats:
    """(n, side, side, 3), each with mean 0 and length 1; zeros where there is nothing to see."""
    rows = list(ordered_map(_thumbnail, paths, os.cpu_count() or 1))
    return np.stack(rows) if rows else np.zeros((0, _SIDE, _SIDE, 3), np.float32)


def _thumbnail(path: Path) -> Floats:
    try:
        pixels = read_picture(path, enough=4 * _SIDE).pixels
    except PictureError:
        return np.zeros((_SIDE, _SIDE, 3), np.float32)
    small = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < _FLAT:
        return np.zeros_like(small)
    small -= small.mean()
    return np.asarray(small / np.linalg.norm(small), np.float32)
