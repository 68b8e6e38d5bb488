"""ICC profiles for tests."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

Primaries: TypeAlias = "Sequence[tuple[float, float]]"

ADOBE = ((0.648, 0.331), (0.230, 0.701), (0.156, 0.066))
"""Primaries (xy) of Adobe RGB, adapted to D50; so are the others."""

DISPLAY_P3 = ((0.682, 0.3194), (0.2846, 0.6746), (0.1559, 0.0661))
PROPHOTO = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))
SRGB = ((0.6484405662727, 0.3308586073419), (0.3211722584617, 0.5978766661502), (0.1558965809895, 0.0660554082182))

_WHITE = (0.9642, 1.0, 0.8249)


def gamma(value: float) -> bytes:
    """A curve that is a power."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def table(values: Sequence[float]) -> bytes:
    """A curve of values between 0 and 1."""
    words = [round(65535 * value) for value in values]
    return b"curv" + bytes(4) + struct.pack(f">I{len(words)}H", len(words), *words)


def parametric(kind: int, *values: float) -> bytes:
    """A curve of one of ICC's formulas."""
    return b"para" + bytes(4) + struct.pack(">HH", kind, 0) + _numbers(values)


def rgb(primaries: Primaries, *curves: bytes, **tags: bytes) -> bytes:
    """A profile of primaries (xy) and a curve, or one for each channel."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    columns = columns * np.linalg.solve(columns, _WHITE)
    named = zip("rgb", columns.T, curves * (3 // len(curves)), strict=True)
    for name, colorant, curve in named:
        tags |= {f"{name}XYZ": _xyz(colorant), f"{name}TRC": curve}
    return _profile(b"RGB XYZ ", tags)


def grey(curve: bytes, connection: bytes = b"XYZ ") -> bytes:
    """A profile of a curve from grey to luminance, or to lightness where it is connected by Lab."""
    return _profile(b"GRAY" + connection, {"kTRC": curve})


def _numbers(values: Sequence[float]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + _numbers(values)


def _profile(spaces: bytes, tags: dict[str, bytes]) -> bytes:
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {"desc": text, "wtpt": _xyz(_WHITE), **tags}
    body, listed = b"", b""
    offset = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        listed += name.encode() + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I", offset + len(body)) + bytes(4) + b"\x02\x10\0\0mntr" + spaces + bytes(12) + b"acsp"
    head += bytes(28) + _numbers(_WHITE)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + listed + body
