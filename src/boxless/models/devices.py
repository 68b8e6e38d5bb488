"""The hardware that runs models, by ONNX Runtime's execution providers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from boxless.errors import ModelFileError
from boxless.system.extras import install

if TYPE_CHECKING:
    import onnxruntime as ort

Device = Literal["cpu", "cuda", "openvino", "coreml", "directml"]


VARIABLE = "BOXLESS_DEVICE"
"""The environment variable that names the device where nobody else does; worker processes inherit it."""


@dataclass(frozen=True)
class Provider:
    """How ONNX Runtime calls a device.

    Attributes:
        name: of the execution provider.
        package: of PyPI, which brings an ONNX Runtime that has it.
        hardware: in words.
        options: of the provider.
    """

    name: str
    package: str
    hardware: str
    options: tuple[tuple[str, str], ...] = ()


PROVIDERS: dict[Device, Provider] = {
    "cpu": Provider("CPUExecutionProvider", "onnxruntime", "any processor"),
    "cuda": Provider("CUDAExecutionProvider", "onnxruntime-gpu", "NVIDIA GPUs", (("use_tf32", "0"),)),
    "openvino": Provider("OpenVINOExecutionProvider", "onnxruntime-openvino", "Intel processors and GPUs"),
    "coreml": Provider("CoreMLExecutionProvider", "onnxruntime", "Apple's GPU and neural engine, on macOS"),
    "directml": Provider("DmlExecutionProvider", "onnxruntime-directml", "GPUs, on Windows"),
}
"""By name. Where a device cannot run an operator, the processor does."""


def default_device() -> str:
    """The device where none is named: $BOXLESS_DEVICE, else cpu."""
    return os.environ.get(VARIABLE) or "cpu"


def available() -> dict[Device, bool]:
    """Which devices the installed ONNX Runtime can run on.

    Returns:
        For every device, whether it has its execution provider.

    Example:
        >>> available()["cpu"]
        True
    """
    import onnxruntime

    installed = onnxruntime.get_available_providers()
    return {device: provider.name in installed for device, provider in PROVIDERS.items()}


def providers(device: str) -> list[str | tuple[str, dict[str, Any]]]:
    """What ONNX Runtime is given to run on a device.

    Args:
        device: cpu, cuda, openvino, coreml or directml.

    Returns:
        The device's execution provider with its options, and the processor for what it cannot run.

    Raises:
        ModelFileError: if there is no such device, or the installed ONNX Runtime lacks it; says what to install.

    Example:
        >>> providers("cpu")
        ['CPUExecutionProvider']
    """
    if device not in PROVIDERS:
        raise ModelFileError(f"no device '{device}' (expected {', '.join(get_args(Device))})")
    provider = PROVIDERS[device]
    there = [name for name, is_there in available().items() if is_there]
    if device not in there:
        raise ModelFileError(
            f"the device {device} needs {provider.package}, and the ONNX Runtime that is installed has "
            f"{', '.join(there)} only: {install(provider.package)} (in the place of onnxruntime)"
        )
    rest: Sequence[str] = () if device == "cpu" else (PROVIDERS["cpu"].name,)
    return [(provider.name, dict(provider.options)) if provider.options else provider.name, *rest]


def check_runs(session: ort.InferenceSession, device: str) -> None:
    """Makes sure that a session runs where it was meant to: ONNX Runtime goes to the processor without an error.

    Raises:
        ModelFileError: if it does not, as where the driver or a library of the device is missing.
    """
    provider = PROVIDERS[device]  # type: ignore[index]
    if provider.name not in session.get_providers():
        raise ModelFileError(
            f"ONNX Runtime has {device}, but cannot use it here (is the driver installed, and {provider.hardware} in "
            "this machine?)"
        )
