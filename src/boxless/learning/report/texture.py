"""What is left of an image when its shading is taken away, and how well it lies on another's.

Images in the same light are alike when they are small, whatever they show; scratches, grain and edges are their own.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

SIDE = 96
"""Pixels a side of the images that are compared."""

_QUIET = 2.0
"""Grey levels; texture that is weaker is noise, and stays weak."""

_COARSE = (1.0, 8.0)
_FINE = (1.0, 4.0)
"""The bands (standard deviations of two Gaussian blurs, in pixels of the compared images): registered on the first,
judged on the second."""

_COARSE_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 1e-3)
_FINE_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-3)

_BACK = cv2.WARP_INVERSE_MAP

_SHARED = 0.6
"""The share of an image that lies on the other one, at least; and what scale may do to its area."""


def grey_square(pixels: NDArray[np.uint8], side: int = SIDE) -> Grey:
    """RGB (h, w, 3) squeezed into a grey square (side, side)."""
    how = cv2.INTER_AREA if min(pixels.shape[:2]) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.cvtColor(cv2.resize(pixels, (side, side), interpolation=how), cv2.COLOR_RGB2GRAY), np.uint8)


def texture(grey: Grey, fine: float, coarse: float) -> Floats:
    """The texture of a grey image (h, w), of about equal strength everywhere.

    What is finer than `fine` and coarser than `coarse` (standard deviations of Gaussian blurs, in pixels) is taken
    away; 0 keeps what is fine.
    """
    levels = grey.astype(np.float32)
    kept = cv2.GaussianBlur(levels, (0, 0), fine) if fine else levels
    band = kept - cv2.GaussianBlur(levels, (0, 0), coarse)
    strength = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), 2 * coarse))
    return np.asarray(band / (strength + _QUIET), np.float32)


def registered_likeness(one: Grey, other: Grey, scale: float = 1.0) -> float:
    """How much the textures of two grey squares correlate where they lie on each other; -1 where they do not.

    They are laid on each other by an affine map that maximises the enhanced correlation coefficient (Evangelidis and
    Psarakis, PAMI 2008), first of the coarse texture, then of the fine. `scale` is what one is to be shrunk by to lie
    on the middle of the other, about.
    """
    side = len(one)
    shift = (side - 1) / 2 * (1 - scale)
    start = np.array([[scale, 0, shift], [0, scale, shift]], np.float32)
    about = _registered(texture(one, *_COARSE), texture(other, *_COARSE), start, _COARSE_STEPS)
    left, right = texture(one, *_FINE), texture(other, *_FINE)
    placed = None if about is None else _registered(left, right, about, _FINE_STEPS)
    if placed is None:
        return -1.0
    inside = cv2.warpAffine(np.ones_like(one), placed, (side, side), flags=_BACK | cv2.INTER_NEAREST) > 0
    if inside.mean() < _SHARED:
        return -1.0
    laid = np.asarray(cv2.warpAffine(right, placed, (side, side), flags=_BACK | cv2.INTER_LINEAR), np.float32)
    return _correlation(left[inside], laid[inside])


def _registered(left: Floats, right: Floats, start: Floats, steps: tuple[int, int, float]) -> Floats | None:
    """The affine map (2, 3) from places of the left texture to those of the right; None where none is found."""
    try:
        _, found = cv2.findTransformECC(left, right, start, cv2.MOTION_AFFINE, steps, None, 1)  # type: ignore[call-overload]
    except cv2.error:  # its way of saying that it does not converge
        return None
    area = float(np.linalg.det(found[:, :2]))
    return np.asarray(found, np.float32) if _SHARED < area < 1 / _SHARED else None


def _correlation(left: Floats, right: Floats) -> float:
    left, right = left - left.mean(), right - right.mean()
    return float((left * right).sum() / max(float(np.sqrt((left * left).sum() * (right * right).sum())), 1e-6))
