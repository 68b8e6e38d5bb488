"""Imports a framework without what TensorFlow tells its makers."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from typing import Any

from boxless.system.native_streams import without

_CHATTER = re.compile(
    rb"(?m)^(WARNING: All log messages before absl::InitializeLog|I\d{4} [\d:. ]+ port\.cc:\d+\] oneDNN ).*\n?"
)
"""TensorFlow 2.21 writes these before it has read TF_CPP_MIN_LOG_LEVEL: that it uses oneDNN, and that it can log."""


def quiet_import(name: str) -> Any:  # noqa: ANN401
    """A package, imported; whatever else than TensorFlow's notes on the processor is written meanwhile is passed on.

    Args:
        name: keras, tensorflow, or what imports them.

    Raises:
        ImportError: if it is not installed, or something that it needs.

    Example:
        >>> keras = quiet_import("keras")
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name in sys.modules:
        return import_module(name)
    with without(_CHATTER):
        return import_module(name)
