"""Masks as run lengths, as COCO has them: background and object by turns, column after column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_MOST_BITS = 40  # of a length


def counts_of(mask: Mask) -> list[int]:
    """The lengths of background and object by turns, of a mask (h, w), column after column; background first."""
    return turns_of(mask.ravel(order="F"))


def turns_of(flat: Mask) -> list[int]:
    """The lengths of False and True by turns in (n,); False first, of which there may be none."""
    changes = np.flatnonzero(np.diff(flat, prepend=False))
    return [int(length) for length in np.diff(changes, prepend=0, append=len(flat))]


def mask_of(counts: Sequence[int], height: int, width: int) -> Mask:
    """The mask (height, width) of `counts_of`.

    Raises:
        ValueError: if the lengths are of another number of pixels.
    """
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    if flat.size != height * width:
        raise ValueError(f"a run-length mask of {flat.size} pixels (expected {height} x {width})")
    return np.ascontiguousarray(flat.reshape(width, height).T)


def packed(counts: Sequence[int]) -> str:
    """COCO's compressed counts: five bits a character, from the third on as differences to the one before last."""
    text = []
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != (-1 if bits & 16 else 0)
            text.append(chr((bits | 32 if more else bits) + 48))
    return "".join(text)


def unpacked(text: str) -> list[int]:
    """The counts of `packed`.

    Raises:
        ValueError: if the text is not of that form.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text.encode("ascii"):
        bits = character - 48
        if not 0 <= bits < 64 or shift > _MOST_BITS:
            raise ValueError(f"'{chr(character)}' in compressed run lengths")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    return counts
