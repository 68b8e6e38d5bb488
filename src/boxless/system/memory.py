"""How much memory this process may use, which in a container is less than the machine has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from boxless.system.cgroups import Quota, granted


def usable_memory() -> int | None:
    """The bytes of memory that this process may use: those of the machine, or what its control groups grant.

    Returns:
        Bytes; None where the system does not say (Windows).

    Example:
        >>> from boxless.system.memory import usable_memory
        >>> (usable_memory() or 1) > 0
        True
    """
    limits = granted("memory", _limit("memory.limit_in_bytes"), _limit("memory.max"))
    with suppress(AttributeError, OSError, ValueError):  # not on Windows
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return int(min(limits)) if limits else None


def _limit(file: str) -> Quota:
    def read(folder: Path) -> float | None:
        with suppress(OSError, ValueError):  # "max" is no number
            return int((folder / file).read_text(encoding="ascii"))
        return None

    return read
