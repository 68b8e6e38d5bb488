"""Memory for decoding large images: bounded over all threads, and given back."""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from PIL import Image

MAX_BYTES = 1 << 30
"""Bytes that decoding may take at a time, over all threads: 1 GiB. A single image may take more, if it is alone."""

_LARGE = 64 << 20
"""Images that take less are decoded at once: each thread has one, and their number is bounded already."""

_BYTES_PER_PIXEL = {"WEBP": 16, "AVIF": 16, "JPEG2000": 20}
"""What decoders take beside the image itself, by Pillow's names of formats."""

_USUAL_BYTES_PER_PIXEL = 8

_PROGRESSIVE = 6
"""Bytes a pixel for the coefficients of a progressive JPEG, which are kept until its last scan."""


class ByteBudget:
    """Admits work in turn, as long as what is under way takes no more bytes than a limit.

    Args:
        limit: bytes in flight, at most; work that alone takes more is admitted when nothing else is under way.

    Example:
        >>> budget = ByteBudget(1000)
        >>> with budget.take(600):
        ...     pass  # another thread's `take(600)` waits until here
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Waits for its turn and for room, and holds the room while the block runs.

        Args:
            count: bytes.
        """
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and self._has_room(count))
                self._used += count
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._used -= count
                self._changed.notify_all()

    def _has_room(self, count: int) -> bool:
        return not self._used or self._used + count <= self.limit


budget = ByteBudget(MAX_BYTES)
"""Of this process."""


@contextmanager
def room_to_decode(image: Image.Image, factor: int = 1) -> Iterator[None]:
    """Holds memory for an image while it is decoded; afterwards what is free goes back to the system.

    Args:
        image: opened and not decoded yet.
        factor: by which its decoder reduces it.
    """
    needed = decoding_bytes(image, factor)
    if needed < _LARGE:
        yield
        return
    with budget.take(needed):
        try:
            yield
        finally:
            give_back()


def decoding_bytes(image: Image.Image, factor: int = 1) -> int:
    """About how many bytes it takes to decode an image to RGB, at most; see `room_to_decode`."""
    whole = image.width * image.height
    needed = whole * _BYTES_PER_PIXEL.get(image.format or "", _USUAL_BYTES_PER_PIXEL) // factor**2
    return needed + (_PROGRESSIVE * whole if "progressive" in image.info else 0)


def give_back() -> None:
    """Gives free memory back to the system, where the C library keeps it (glibc); elsewhere nothing happens."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # not glibc; Windows
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim
