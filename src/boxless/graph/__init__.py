"""ONNX graphs: a network made into a boxless model. Needs the `graph` extra (the onnx package)."""

from __future__ import annotations

from boxless.errors import MissingExtraError

try:
    import onnx as _onnx  # noqa: F401
except ImportError:
    raise MissingExtraError("working on ONNX graphs needs the onnx package: pip install 'boxless[graph]'") from None
