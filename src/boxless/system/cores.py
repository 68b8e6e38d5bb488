"""How many processor cores this process may use, which in a container is fewer than the machine has."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux mounts the control groups."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Where Linux says which control groups this process belongs to."""


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
    return max(1, min([cores, *map(ceil, _granted())]))


def _granted() -> list[float]:
    """The cores' worth of time that each control group above this process grants; none where there is no limit."""
    granted: list[float] = []
    with suppress(OSError, ValueError, ZeroDivisionError):
        for line in MEMBERSHIP.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:  # version 2: one tree
                granted += _limits(CGROUPS, path, _quota_v2)
            elif "cpu" in controllers.split(","):
                granted += _limits(CGROUPS / "cpu", path, _quota_v1)
    return granted


def _limits(root: Path, path: str, quota: Callable[[Path], float | None]) -> list[float]:
    """The quotas of a group and of all above it; a container sees its own group as the root."""
    inner = PurePosixPath(path.lstrip("/"))
    folders = {root / each for each in (inner, *inner.parents)} | {root}
    return [found for folder in sorted(folders) if (found := quota(folder)) is not None]


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
