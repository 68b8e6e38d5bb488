"""What a figure depends on beside the code: processor, cores, accelerators, versions, the day."""

from __future__ import annotations

import platform
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from boxless.system.cores import usable_cores

LEARNING = ("boxless", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "onnxruntime")
"""The packages on whose versions a trained network may depend."""

CPU_INFO = Path("/proc/cpuinfo")
"""Where Linux says what the processor can."""

_EIGHT_BIT_FLAGS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})
"""What the kernel calls the instructions that multiply and add eight-bit numbers in one step."""

_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""What the kernel calls the instructions that multiply and add numbers of bfloat16 in one step."""


def machine(packages: Sequence[str]) -> dict[str, Any]:
    """The facts of this machine, today; of the packages, those that are not installed are left out."""
    processor = platform.processor()
    if CPU_INFO.exists():
        lines = CPU_INFO.read_text().splitlines()
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), processor)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": processor,
        "cores": usable_cores(),
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


@cache
def has_vnni() -> bool:
    """Whether the processor multiplies eight-bit numbers in one step (VNNI, or Arm's dot product).

    Read off /proc/cpuinfo, so False where there is none: on macOS and Windows.
    """
    return not _words_of_the_processor().isdisjoint(_EIGHT_BIT_FLAGS)


@cache
def has_bfloat16() -> bool:
    """Whether the processor multiplies numbers of bfloat16 in one step; read off as `has_vnni` is."""
    return not _words_of_the_processor().isdisjoint(_BFLOAT16_FLAGS)


def _words_of_the_processor() -> set[str]:
    try:
        return set(CPU_INFO.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return set()
