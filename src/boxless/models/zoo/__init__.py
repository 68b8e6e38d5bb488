"""The models that come with boxless. A model is a file here; `tools/build_zoo.py` makes them.

Public is what docs/api lists of it; the rest is internal.
"""

from __future__ import annotations

from pathlib import Path

from boxless.models.devices import default_device
from boxless.system.machine import has_vnni

DEFAULT_MODEL = "efficientnet-lite0"
"""In float32: what heads are fitted on, and what other precisions are made from."""

EIGHT_BIT_MODEL = "efficientnet-lite0-int8"
"""The same in eight bits."""


def quick_model(device: str | None = None) -> str:
    """The default model of everything that locates or measures: int8 where the processor is made for it.

    There it takes about half of the time and loses nothing (decision 0045); elsewhere it would gain little. Devices
    other than the processor run the one in float32: not all of them take int8. Only what makes models (fit, quantize)
    starts from `DEFAULT_MODEL`.

    Args:
        device: that runs the model; $BOXLESS_DEVICE, else cpu, where None.

    Returns:
        A name, one of `models`.

    Example:
        >>> quick_model() in models()
        True
    """
    return EIGHT_BIT_MODEL if has_vnni() and (device or default_device()) == "cpu" else DEFAULT_MODEL


def models() -> dict[str, Path]:
    """The models that come with boxless.

    Returns:
        Their files by name, the default first.

    Example:
        >>> list(models())[0]
        'efficientnet-lite0'
    """
    files = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.onnx"))}
    return {name: files[name] for name in sorted(files, key=lambda name: (name != DEFAULT_MODEL, name))}
