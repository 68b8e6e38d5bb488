"""Which letters a font has: the `cmap` table of OpenType (ISO/IEC 14496-22, clause 5.2.1)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Letters = NDArray[np.uint32]

_OUTLINES = (b"glyf", b"CFF ", b"CFF2")
_NONE = np.empty(0, np.uint32)


def letters_in(path: Path) -> Letters:
    """The letters that a font can draw at any size, as sorted code points; of a collection, its first font's.

    Empty where the file cannot be read, is no font, or one of images of one size (as of emoji).
    """
    try:
        with path.open("rb") as file:
            start = 0
            if file.read(4) == b"ttcf":
                file.seek(12)
                (start,) = struct.unpack(">I", file.read(4))
            file.seek(start + 4)
            (count,) = struct.unpack(">H", file.read(2))
            file.seek(start + 12)
            entries = [struct.unpack(">4sIII", file.read(16)) for _ in range(count)]
            tables = {tag: (offset, length) for tag, _, offset, length in entries}
            if not any(tag in tables for tag in _OUTLINES):
                return _NONE
            offset, length = tables[b"cmap"]
            file.seek(offset)
            return _letters_of(file.read(length))
    except (OSError, struct.error, ValueError, KeyError, IndexError):
        return _NONE


def _letters_of(table: bytes) -> Letters:
    """The letters of a cmap table: of its subtable for all of Unicode (format 12), else for the lower half (4)."""
    (count,) = struct.unpack_from(">H", table, 2)
    offsets = [struct.unpack_from(">HHI", table, 4 + 8 * i)[2] for i in range(count)]
    kinds = {struct.unpack_from(">H", table, offset)[0]: offset for offset in offsets}
    if 12 in kinds:
        return _of_groups(table, kinds[12])
    return _of_segments(table, kinds[4]) if 4 in kinds else _NONE


def _of_groups(table: bytes, offset: int) -> Letters:
    (count,) = struct.unpack_from(">I", table, offset + 12)
    groups = np.frombuffer(table, ">u4", 3 * count, offset + 16).reshape(-1, 3)
    if groups.size and groups[:, :2].max() > 0x10FFFF:
        raise ValueError("letters beyond Unicode")
    found = [np.arange(first, last + 1, dtype=np.uint32) for first, last, _ in groups.tolist()]
    return np.concatenate(found or [_NONE])


def _of_segments(table: bytes, offset: int) -> Letters:
    (twice,) = struct.unpack_from(">H", table, offset + 6)
    count = twice // 2
    ends = np.frombuffer(table, ">u2", count, offset + 14).astype(int)
    places = offset + 16 + twice  # of the starts, then deltas, then offsets of glyph numbers from where they stand
    starts = np.frombuffer(table, ">u2", count, places).astype(int)
    deltas = np.frombuffer(table, ">u2", count, places + twice).astype(int)
    shifts = np.frombuffer(table, ">u2", count, places + 2 * twice).astype(int)
    found = []
    for i in range(count):
        letters = np.arange(starts[i], ends[i] + 1, dtype=np.uint32)
        if shifts[i]:
            glyphs = np.frombuffer(table, ">u2", len(letters), places + 2 * twice + 2 * i + int(shifts[i]))
            letters = letters[glyphs != 0]
        else:
            letters = letters[(letters + deltas[i]) % 65536 != 0]
        found.append(letters)
    return np.concatenate(found or [_NONE])
