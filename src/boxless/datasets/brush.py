"""Label Studio's own run lengths, for brush masks.

A stream of bits, as the library of its images' masks (@thi.ng/rle-pack) reads it: the number of values (32 bits);
bits a value less one (5); four sizes, less one (4 each); then runs. One that begins with 1 is a value that repeats:
which of the sizes (2 bits), the length less one in as many bits, and the value. One that begins with 0 lists as many
values that differ. The last byte is filled up with zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_SIZES = (3, 4, 8, 16)  # bits that a length may take
_CHANNELS = 4  # Label Studio's masks are RGBA, all four alike
_MOST_VALUES = 4 * 150_000_000


def brush_of(turns: Sequence[int]) -> list[int]:
    """A mask as bytes of Label Studio, as numbers, of `turns_of_brush`."""
    bits = [_binary(sum(turns) * _CHANNELS, 32), _binary(8 - 1, 5), *(_binary(size - 1, 4) for size in _SIZES)]
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


def turns_of_brush(content: Sequence[int]) -> list[int]:
    """The lengths of background and object by turns, in pixels, row after row, of bytes of Label Studio, as numbers.

    Background comes first, of which there may be none.

    Raises:
        ValueError: if it is no such stream, or one of more than 150 million pixels.
    """
    stream = _Bits(bytes(content))
    total, width = stream.read(32), stream.read(5) + 1
    sizes = [stream.read(4) + 1 for _ in range(4)]
    if total > _MOST_VALUES or total % _CHANNELS:
        raise ValueError(f"a brush mask of {total} values")
    changes = [0]  # where background and object take turns, in values
    place, inside = 0, False
    while place < total:
        repeats, length = stream.read(1), 1 + stream.read(sizes[stream.read(2)])
        for count in [length] if repeats else [1] * length:
            if (stream.read(width) >= 1 << (width - 1)) != inside:
                changes.append(place)
                inside = not inside
            place += count
    if place != total:
        raise ValueError("a brush mask whose runs do not fit")
    pixels = [(each + _CHANNELS - 1) // _CHANNELS for each in [*changes, total]]
    return [end - start for start, end in pairwise(pixels)]


class _Bits:
    """Bits of bytes, the highest first."""

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, 0

    def read(self, count: int) -> int:
        end = self._place + count
        if end > 8 * len(self._content):
            raise ValueError("a brush mask that is cut off")
        part = int.from_bytes(self._content[self._place // 8 : (end + 7) // 8], "big")
        self._place = end
        return (part >> (-end % 8)) & ((1 << count) - 1)
