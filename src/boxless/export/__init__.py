"""ONNX graphs: a network made into a boxless model. Needs the `graph` extra (the onnx package).

Public is what docs/api lists of it; the rest is internal.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from boxless.system.extras import require

if TYPE_CHECKING:
    from boxless.export.attachment import Attached, attach

__all__ = ["Attached", "attach"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in __all__:
        raise AttributeError(f"module 'boxless.export' has no attribute '{name}'")
    require("graph", "working on ONNX graphs")
    return getattr(import_module("boxless.export.attachment"), name)
