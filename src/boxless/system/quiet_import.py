"""Imports a framework without what TensorFlow tells its makers."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from importlib import import_module
from typing import Any

_CHATTER = re.compile(rb"WARNING: All log messages before absl::InitializeLog|I\d{4} [\d:. ]+ port\.cc:\d+\] oneDNN ")
"""TensorFlow 2.21 writes these before it has read TF_CPP_MIN_LOG_LEVEL: that it uses oneDNN, and that it can log."""


def quiet_import(name: str) -> Any:  # noqa: ANN401
    """A package, imported; whatever else than TensorFlow's notes on the processor is written meanwhile is passed on.

    Args:
        name: keras, tensorflow, or what imports them.

    Raises:
        ImportError: if it is not installed, or something that it needs.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name in sys.modules:
        return import_module(name)
    try:
        stderr = os.dup(2)
    except OSError:  # there is none, as under pythonw
        return import_module(name)
    with tempfile.TemporaryFile() as written:
        # Not sys.stderr: it is written to by C++.
        os.dup2(written.fileno(), 2)
        try:
            return import_module(name)
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            for line in written:
                if not _CHATTER.match(line):
                    os.write(2, line)
