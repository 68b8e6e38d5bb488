"""The memory that models take when they run: bounded over all of a process, for a model file may be anybody's.

A graph can compute the size of a tensor from the image, so no check of the file can tell what it will take.
"""

from __future__ import annotations

import re
from functools import cache

import onnxruntime as ort

from boxless.errors import first_line
from boxless.system.cores import usable_cores, usable_memory

_PER_CORE = 1 << 32
"""Bytes, 4 GiB: each core has an image of its own. The largest usual networks take 2 GiB of a 2048 x 2048 image."""

_SHARE = 0.75
"""Of the memory that the process may use, at most."""


def bounded(options: ort.SessionOptions) -> ort.SessionOptions:
    """Lets a session take its memory, on the processor, from the one arena of this process, which is bounded.

    A run that asks for more raises an error, which `run_error` words; others go on.

    Args:
        options: of the session; changed.
    """
    _register()
    options.add_session_config_entry("session.use_env_allocators", "1")
    return options


def run_error(error: Exception) -> str:
    """Why ONNX Runtime could not run a model, in a line."""
    if asked := re.search(r"is smaller than requested bytes of (\d+)", str(error)):
        return f"it asks for {int(asked[1]) / 1e9:.1f} GB at once; models get {limit() / 1e9:.1f} GB in all"
    return first_line(error)


@cache
def limit() -> int:
    """Bytes that models of this process may take, at most: 4 GiB a core, and three quarters of the memory."""
    most = _PER_CORE * usable_cores()
    memory = usable_memory()
    return most if memory is None else min(most, int(_SHARE * memory))


@cache
def _register() -> None:
    cpu = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(cpu, ort.OrtArenaCfg({"max_mem": limit()}))
