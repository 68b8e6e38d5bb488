"""What a figure depends on beside the code: processor, cores, accelerators, versions, the day."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LEARNING = ("boxless", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "onnxruntime")
"""The packages on whose versions a trained network may depend."""


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """The facts of this machine, today.

    Args:
        packages: whose versions count; those that are not installed are left out.
    """
    processor = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": processor,
        "cores": os.cpu_count(),
        "accelerators": _accelerators(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: found for name in packages if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _accelerators() -> list[str]:
    """The names of NVIDIA's GPUs, as their own tool lists them; others are not asked for."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    done = subprocess.run([tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []
