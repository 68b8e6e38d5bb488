"""Comparing the names of classes: exactly first, then however people and systems write the same name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence


def composed(name: str) -> str:
    """A name in Unicode's normalization form C: archives of macOS have letters and their accents apart.

    Returns:
        The name, which looks the same.

    Example:
        >>> composed("cafe\\u0301") == "caf\\u00e9"
        True
    """
    return unicodedata.normalize("NFC", name)


def plain(name: str) -> str:
    """A name in lower case, with single spaces in the place of underscores.

    Returns:
        What names have in common that differ in case and spacing only.

    Example:
        >>> plain("Golden_Retriever")
        'golden retriever'
    """
    return " ".join(composed(name).replace("_", " ").casefold().split())


_WAYS: tuple[Callable[[str], str], ...] = (str, composed, lambda name: composed(name).casefold(), plain)
"""How names are compared, the strictest way first."""


def matches(name: str, names: Sequence[str]) -> list[int]:
    """Where a name stands among others: exact if possible, else by Unicode form, else by case, else by spacing.

    Args:
        name: what is searched for. Digits are a name like any other, and no index.
        names: of classes.

    Returns:
        The indices of all names that are equal in the strictest way in which any is; none where no way fits.

    Example:
        >>> matches("cat", ["Cat", "cat"]), matches("CUP", ["cat", "cup"]), matches("0", ["cat"])
        ([1], [1], [])
    """
    for way in _WAYS:
        key = way(name)
        if found := [index for index, other in enumerate(names) if way(other) == key]:
            return found
    return []
