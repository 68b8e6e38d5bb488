"""Label Studio's own run lengths, for brush masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_SIZES = (3, 4, 8, 16)  # bits that a length may take
_CHANNELS = 4  # Label Studio's masks are RGBA, all four alike


def brush_of(mask: NDArray[np.bool_], turns: Sequence[int]) -> list[int]:
    """A mask as bytes of Label Studio.

    A stream of bits, as the library of its pictures' masks (@thi.ng/rle-pack) reads it: the number of values (32 bits);
    bits a value less one (5); four sizes, less one (4 each); then runs: a 1, which of the sizes (2 bits), the length
    less one in as many bits, and the value. (Runs that begin with 0 list values that differ; masks need none.) The last
    byte is filled up with zeros.

    Args:
        mask: (h, w), for its size.
        turns: the lengths of background and object by turns, row after row, background first.
    """
    bits = [_binary(mask.size * _CHANNELS, 32), _binary(8 - 1, 5), *(_binary(size - 1, 4) for size in _SIZES)]
    for number, pixels in enumerate(turns):
        left = pixels * _CHANNELS
        while left:
            length = min(left, 1 << _SIZES[-1])
            which = next(i for i, size in enumerate(_SIZES) if length <= 1 << size)
            bits.append(
                "1" + _binary(which, 2) + _binary(length - 1, _SIZES[which]) + ("11111111" * (number % 2) or "0" * 8)
            )
            left -= length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[place : place + 8], 2) for place in range(0, len(text), 8)]


def _binary(value: int, bits: int) -> str:
    return f"{value:0{bits}b}"
