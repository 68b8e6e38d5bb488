"""Images that are nearly the same, one learned from and one held out: what they measure is memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.imaging.read import read_image
from boxless.learning.report.texture import SIDE, Grey, grey_square, registered_likeness, texture
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

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
        return registered_likeness(one, other, pair.scale)

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
    detail = texture(np.asarray(cv2.resize(grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA), np.uint8), 0, _SHADE)
    for row, share in enumerate(_MIDDLES):
        margin = round(_SMALL * (1 - share) / 2)
        middle = detail[margin : _SMALL - margin, margin : _SMALL - margin]
        small = cv2.resize(middle, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
        small -= small.mean()
        made[row] = small / max(float(np.linalg.norm(small)), 1e-6)
    return made


def _read(path: Path) -> Grey | None:
    try:
        return grey_square(read_image(path, enough=SIDE).pixels)
    except ImageError:
        return None
