"""What native libraries write to standard output and error, past every handler of Python's."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any


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


_CHATTER = re.compile(
    rb"(?m)^(WARNING: All log messages before absl::InitializeLog|I\d{4} [\d:. ]+ port\.cc:\d+\] oneDNN ).*\n?"
)
"""TensorFlow 2.21 writes these before it has read TF_CPP_MIN_LOG_LEVEL: that it uses oneDNN, and that it can log."""


def quiet_import(name: str) -> Any:  # noqa: ANN401
    """A package, imported without what TensorFlow tells its makers; whatever else is written meanwhile is passed on."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name in sys.modules:
        return import_module(name)
    with without(_CHATTER):
        return import_module(name)
