"""How many cores and how much memory this process may use, which in a container is less than the machine has."""

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
    return max(1, min([cores, *map(ceil, _granted("cpu", _cores_v1, _cores_v2))]))


def usable_memory() -> int | None:
    """The bytes of memory that this process may use; None where the system does not say (Windows).

    Those of the machine, or what its control groups grant.

    Example:
        >>> from boxless.system.cores import usable_memory
        >>> (usable_memory() or 1) > 0
        True
    """
    limits = _granted(
        "memory",
        lambda folder: int((folder / "memory.limit_in_bytes").read_text(encoding="ascii")),
        lambda folder: int((folder / "memory.max").read_text(encoding="ascii")),  # "max" is no number
    )
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return int(min(limits)) if limits else None


def _granted(controller: str, limit_v1: Callable[[Path], float], limit_v2: Callable[[Path], float]) -> list[float]:
    """What each control group above this process grants, of either version; a group without a limit raises errors."""
    found: list[float] = []
    with suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:  # version 2: one tree
                root, limit = CGROUPS, limit_v2
            elif controller in controllers.split(","):
                root, limit = CGROUPS / controller, limit_v1
            else:
                continue
            inner = PurePosixPath(path.lstrip("/"))
            # A container sees its own group as the root.
            for folder in {root / each for each in (inner, *inner.parents)} | {root}:
                with suppress(OSError, ValueError, ZeroDivisionError):
                    found.append(limit(folder))
    return found


def _cores_v1(folder: Path) -> float:
    allowed = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
    if allowed <= 0:
        raise ValueError("no limit")
    return allowed / int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))


def _cores_v2(folder: Path) -> float:
    allowed, period = (folder / "cpu.max").read_text(encoding="ascii").split()
    return int(allowed) / int(period)  # "max" is no number
