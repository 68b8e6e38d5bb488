"""WebM files, changed: other times, damaged frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator

_SEGMENT, _CLUSTER, _TIME, _BLOCK = 0x18538067, 0x1F43B675, 0xE7, 0xA3


def retimed(content: bytes, milliseconds: Callable[[int], int]) -> bytes:
    """The clip, each frame of which is shown from another time on.

    Args:
        content: of the file.
        milliseconds: the time of each frame, by its number.
    """
    changed = bytearray(content)
    for number, (begun, start, _) in enumerate(_blocks(content)):
        changed[start + 1 : start + 3] = (milliseconds(number) - begun).to_bytes(2, "big", signed=True)
    return bytes(changed)


def damaged(content: bytes, first: int, last: int) -> bytes:
    """The clip, the frames `first` to `last` of which cannot be decoded."""
    changed = bytearray(content)
    for _, start, end in list(_blocks(content))[first : last + 1]:
        changed[start + 4 : end] = b"\x55" * (end - start - 4)
    return bytes(changed)


def _blocks(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Of each frame the time of its cluster, and where its block begins and ends."""
    time = 0
    for name, start, end in _elements(content, 0, len(content)):
        if name == _TIME:
            time = int.from_bytes(content[start:end], "big")
        elif name == _BLOCK:
            yield time, start, end


def _elements(content: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    while at < end:
        length = 9 - content[at].bit_length()
        name = int.from_bytes(content[at : at + length], "big")
        at += length
        length = 9 - content[at].bit_length()
        size = int.from_bytes(content[at : at + length], "big") & ((1 << 7 * length) - 1)
        at += length
        if name in (_SEGMENT, _CLUSTER):
            yield from _elements(content, at, at + size)
        else:
            yield name, at, at + size
        at += size
