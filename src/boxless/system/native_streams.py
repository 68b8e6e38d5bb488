"""What native libraries write to standard output and error, past every handler of Python's."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def without(noise: re.Pattern[bytes]) -> Iterator[None]:
    """Keeps some messages off standard error; whatever else is written there meanwhile comes at the end of the block.

    Of the whole process, all its threads: for short blocks.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # there is none, as under pythonw
        yield
        return
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            if rest := noise.sub(b"", written.read()):
                os.write(2, rest)


@contextmanager
def silenced(*streams: int) -> Iterator[None]:
    """Throws away what the whole process writes to streams (1: output, 2: error). One that is closed stays closed."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept: dict[int, int] = {}
    try:
        for stream in streams:
            with suppress(OSError):
                kept[stream] = os.dup(stream)
                os.dup2(nowhere, stream)
        yield
    finally:
        for stream, before in kept.items():
            os.dup2(before, stream)
            os.close(before)
        os.close(nowhere)
