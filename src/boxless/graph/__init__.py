"""ONNX graphs: a network made into a boxless model. Needs the `graph` extra (the onnx package)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from boxless.errors import MissingExtraError

try:
    import onnx as _onnx  # noqa: F401
except ImportError:
    raise MissingExtraError(
        "working on ONNX graphs needs the onnx package: pip install 'boxless[graph]' ('boxless[fit]' to learn classes)"
    ) from None

if TYPE_CHECKING:
    from boxless.graph.attachment import Attached, attach

__all__ = ["Attached", "attach"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in __all__:
        raise AttributeError(f"module 'boxless.graph' has no attribute '{name}'")
    return getattr(import_module("boxless.graph.attachment"), name)
