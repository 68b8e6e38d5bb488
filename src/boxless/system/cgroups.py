"""What control groups, and so containers, grant a process on Linux."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux mounts the control groups."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Where Linux says which control groups this process belongs to."""

Quota = Callable[[Path], "float | None"]
"""Reads a limit from the folder of a group; None where it sets none."""


def granted(controller: str, quota_v1: Quota, quota_v2: Quota) -> list[float]:
    """What each control group above this process grants; none where there is no limit.

    Args:
        controller: such as "cpu".
        quota_v1, quota_v2: read the limit of a group, of either version of control groups.
    """
    found: list[float] = []
    with suppress(OSError, ValueError):
        for line in MEMBERSHIP.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:  # version 2: one tree
                found += _limits(CGROUPS, path, quota_v2)
            elif controller in controllers.split(","):
                found += _limits(CGROUPS / controller, path, quota_v1)
    return found


def _limits(root: Path, path: str, quota: Quota) -> list[float]:
    """The quotas of a group and of all above it; a container sees its own group as the root."""
    inner = PurePosixPath(path.lstrip("/"))
    folders = {root / each for each in (inner, *inner.parents)} | {root}
    return [found for folder in sorted(folders) if (found := quota(folder)) is not None]
