"""How many processor cores this process may use, which in a container is fewer than the machine has."""

from __future__ import annotations

import os
from contextlib import suppress
from math import ceil
from pathlib import Path

from boxless.system.cgroups import granted


def usable_cores() -> int:
    """The cores that this process may use: at least 1.

    The fewest of what the machine has, what the process is pinned to (affinity, as `taskset` and cpusets set it), and
    the processor time that its control groups grant, rounded up (`docker run --cpus 1.5` gives 2). `os.cpu_count()`
    counts the machine's cores alone, so that a container of two cores on a machine of 64 would start 64 workers.

    Example:
        >>> from boxless.system.cores import usable_cores
        >>> usable_cores() >= 1
        True
    """
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, min([cores, *map(ceil, granted("cpu", _quota_v1, _quota_v2))]))


def _quota_v2(folder: Path) -> float | None:
    with suppress(OSError, ValueError, ZeroDivisionError):
        allowed, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        if allowed != "max":
            return int(allowed) / int(period)
    return None


def _quota_v1(folder: Path) -> float | None:
    with suppress(OSError, ValueError, ZeroDivisionError):
        allowed = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        if allowed > 0:
            return allowed / int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
    return None
