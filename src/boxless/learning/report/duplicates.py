"""Images that are nearly the same, one learned from and one held out: what they measure is memory.

Images in the same light are alike when they are small, whatever they show; scratches, grain and edges are their own. So
what is compared is what is left of an image when its shading is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.imaging.read import read_image
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Grey = NDArray[np.uint8]

ALIKE = 0.85
"""Textures that correlate as much, laid on each other, are of the same thing in the same view."""

_POSSIBLE = 0.5
"""Pairs whose thumbnails correlate less are not compared more closely."""

_CLOSER = 3
"""How many partners of a held-out image are compared more closely."""

_SMALL, _THUMBNAIL = 32, 16
_SHADE = 4.0
"""Pixels a side of what a thumbnail is made of, and of the thumbnail; the blur that takes the shading away."""

_MIDDLES = (1.0, 0.9, 0.8)
"""The middle parts of an image that have a thumbnail, as shares of its sides: for copies that were cropped."""

_FLAT = 2.0  # grey levels; images that vary less have nothing to compare
_PAIRS = 4_000_000
"""Pairs that are compared at once, so that memory does not grow with their number; each takes 80 bytes."""


_SIDE = 96
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


@dataclass(frozen=True)
class _Pair:
    """A held-out image, one that was learned from, and how they may lie on each other."""

    held_out: int
    learned: int
    mirrored: bool
    scale: float


def near_duplicates(learned: Sequence[Path], held_out: Sequence[Path]) -> list[tuple[int, int, float]]:
    """Held-out images that nearly are, maybe mirrored, images that were learned from.

    Partners are picked by thumbnails of which the shading is removed, and confirmed by the texture of 96 x 96 pixels,
    laid on each other: that the light is the same makes no duplicate (decision 0043).

    Returns:
        (index in `held_out`, index in `learned`, correlation of their textures), the likest first; the likest partner
        of each.
    """
    pairs = list(_possible(_thumbnails(learned), _thumbnails(held_out)))
    found: dict[int, tuple[int, float]] = {}

    def likeness(pair: _Pair) -> float:
        one, other = _read(held_out[pair.held_out]), _read(learned[pair.learned])
        if one is None or other is None:
            return -1.0
        one = np.ascontiguousarray(one[:, ::-1]) if pair.mirrored else one
        return _registered_likeness(one, other, pair.scale)

    for pair, like in zip(pairs, ordered_map(likeness, pairs), strict=True):
        if like >= ALIKE and like > found.get(pair.held_out, (0, 0.0))[1]:
            found[pair.held_out] = (pair.learned, like)
    return sorted(((i, j, like) for i, (j, like) in found.items()), key=lambda each: -each[2])


def _possible(known: Floats, others: Floats) -> Iterator[_Pair]:
    """The pairs to be compared more closely, of thumbnails (n, middles, side, side)."""
    if not len(known):
        return
    at_once = max(1, _PAIRS // len(known))
    for start in range(0, len(others), at_once):
        ways = list(_ways(known, others[start : start + at_once]))
        table = np.stack([likeness for *_, likeness in ways])
        for row, scores in enumerate(table.max(axis=0)):
            for j in np.argsort(-scores, kind="stable")[:_CLOSER]:
                if scores[j] >= _POSSIBLE:
                    mirrored, scale, _ = ways[int(table[:, row, j].argmax())]
                    yield _Pair(start + row, int(j), mirrored, scale)


def _ways(known: Floats, others: Floats) -> Iterator[tuple[bool, float, Floats]]:
    """How two images may lie on each other (mirrored or not, one the middle of the other), and the likeness.

    Yields:
        (whether the others are mirrored, what they are shrunk by, correlations (others, known)).
    """
    for mirrored in (False, True):
        seen = others[..., ::-1] if mirrored else others
        for m, share in enumerate(_MIDDLES):
            yield mirrored, share, _flat(seen, 0) @ _flat(known, m).T
            if m:
                yield mirrored, 1 / share, _flat(seen, m) @ _flat(known, 0).T


def _flat(thumbnails: Floats, middle: int) -> Floats:
    return np.ascontiguousarray(thumbnails[:, middle]).reshape(len(thumbnails), -1)


def _thumbnails(paths: Sequence[Path]) -> Floats:
    """(n, middles, side, side), each with mean 0 and length 1; zeros where there is nothing to see."""
    rows = list(ordered_map(_thumbnail, paths))
    return np.stack(rows) if rows else np.zeros((0, len(_MIDDLES), _THUMBNAIL, _THUMBNAIL), np.float32)


def _thumbnail(path: Path) -> Floats:
    grey = _read(path)
    made = np.zeros((len(_MIDDLES), _THUMBNAIL, _THUMBNAIL), np.float32)
    if grey is None or grey.std() < _FLAT:
        return made
    detail = _texture(np.asarray(cv2.resize(grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA), np.uint8), 0, _SHADE)
    for row, share in enumerate(_MIDDLES):
        margin = round(_SMALL * (1 - share) / 2)
        middle = detail[margin : _SMALL - margin, margin : _SMALL - margin]
        small = cv2.resize(middle, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
        small -= small.mean()
        made[row] = small / max(float(np.linalg.norm(small)), 1e-6)
    return made


def _read(path: Path) -> Grey | None:
    """An image squeezed into a grey square (_SIDE, _SIDE); None if it cannot be read."""
    try:
        pixels = read_image(path, enough=_SIDE).pixels
    except ImageError:
        return None
    how = cv2.INTER_AREA if min(pixels.shape[:2]) > _SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.cvtColor(cv2.resize(pixels, (_SIDE, _SIDE), interpolation=how), cv2.COLOR_RGB2GRAY), np.uint8)


def _texture(grey: Grey, fine: float, coarse: float) -> Floats:
    """The texture of a grey image (h, w), of about equal strength everywhere.

    What is finer than `fine` and coarser than `coarse` (standard deviations of Gaussian blurs, in pixels) is taken
    away; 0 keeps what is fine.
    """
    levels = grey.astype(np.float32)
    kept = cv2.GaussianBlur(levels, (0, 0), fine) if fine else levels
    band = kept - cv2.GaussianBlur(levels, (0, 0), coarse)
    strength = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), 2 * coarse))
    return np.asarray(band / (strength + _QUIET), np.float32)


def _registered_likeness(one: Grey, other: Grey, scale: float = 1.0) -> float:
    """How much the textures of two grey squares correlate where they lie on each other; -1 where they do not.

    They are laid on each other by an affine map that maximises the enhanced correlation coefficient (Evangelidis and
    Psarakis, PAMI 2008), first of the coarse texture, then of the fine. `scale` is what one is to be shrunk by to lie
    on the middle of the other, about.
    """
    side = len(one)
    shift = (side - 1) / 2 * (1 - scale)
    start = np.array([[scale, 0, shift], [0, scale, shift]], np.float32)
    about = _registered(_texture(one, *_COARSE), _texture(other, *_COARSE), start, _COARSE_STEPS)
    left, right = _texture(one, *_FINE), _texture(other, *_FINE)
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
