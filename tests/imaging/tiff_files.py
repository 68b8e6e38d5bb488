"""TIFF files that Pillow does not write: other depths, signs, photometric interpretations, colours plane by plane."""

from __future__ import annotations

import struct
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff_file(
    values: NDArray[np.generic],
    photometric: int,
    *,
    planar: bool = False,
    order: Literal["<", ">"] = "<",
    orientation: int = 1,
) -> bytes:
    """An uncompressed TIFF of values (h, w) or (h, w, channels).

    Args:
        values: of any integer or floating type.
        photometric: 0 white is zero, 1 black is zero, 2 RGB.
        planar: whether each channel is stored in a plane of its own.
        order: of bytes, "<" or ">".
        orientation: how the values are turned to be displayed, 1 to 8.
    """
    height, width = values.shape[:2]
    channels = values.reshape(height, width, -1)
    count = channels.shape[2]
    bits, kind = values.dtype.itemsize * 8, FORMATS[values.dtype.kind]
    planes = channels.transpose(2, 0, 1) if planar else channels
    data = planes.astype(values.dtype.newbyteorder(order)).tobytes()
    strips = count if planar else 1
    size = len(data) // strips
    tags = [
        (256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * count), (259, 3, [1]), (262, 3, [photometric]),
        (273, 4, [8 + i * size for i in range(strips)]), (274, 3, [orientation]), (277, 3, [count]), (278, 4, [height]),
        (279, 4, [size] * strips), (284, 3, [2 if planar else 1]), (339, 3, [kind] * count),
    ]  # fmt: skip
    if count == 4:
        tags.append((338, 3, [2]))
        tags.sort()
    start = 8 + len(data) + len(data) % 2
    beyond = start + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, form, numbers in tags:
        packed = struct.pack(f"{order}{len(numbers)}{'H' if form == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, more = struct.pack(f"{order}I", beyond + len(more)), more + packed
        entries += struct.pack(f"{order}HHI", tag, form, len(numbers)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    directory = struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    return head + data + bytes(len(data) % 2) + directory + more
