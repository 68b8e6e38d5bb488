"""The models that come with boxless. A model is a file here; `tools/build_zoo.py` makes them."""

from __future__ import annotations

from pathlib import Path

DEFAULT_MODEL = "efficientnet-lite0"


def models() -> dict[str, Path]:
    """The model files by name, the default first."""
    files = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.onnx"))}
    return {name: files[name] for name in sorted(files, key=lambda name: (name != DEFAULT_MODEL, name))}
