"""Names for files that are made of others: none twice, also where upper and lower case are one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count


def apart(names: Sequence[str]) -> list[str]:
    """The same names, those numbered that were there before: photo, photo-2. Names that differ in case only are one.

    Args:
        names: without what follows them, such as ".jpg".

    Returns:
        As many names, in the same order.

    Example:
        >>> apart(["photo", "Photo", "other"])
        ['photo', 'Photo-2', 'other']
    """
    taken = {name.casefold() for name in names}
    claimed: set[str] = set()
    found = []
    for name in names:
        if name.casefold() in claimed:
            name = next(new for number in count(2) if (new := f"{name}-{number}").casefold() not in taken)
            taken.add(name.casefold())
        claimed.add(name.casefold())
        found.append(name)
    return found
