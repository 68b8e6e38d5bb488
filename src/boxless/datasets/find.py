"""Finds the pictures of a data set near its annotations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boxless.errors import DatasetError
from boxless.system.files import is_file

LOOKED_FOR = 50
"""How many of a data set's files are looked for: some may be gone."""


def folder_of(names: Sequence[str], candidates: Sequence[Path]) -> Path:
    """The first folder that holds any of the first few files named.

    Raises:
        DatasetError: if none does (with the folders that were tried).
    """
    for folder in candidates:
        if any(is_file(folder / name) for name in names[:LOOKED_FOR]):
            return folder
    tried = ", ".join(dict.fromkeys(map(str, candidates)))
    first = f" (looked for {names[0]} and others)" if names else " (it names none)"
    raise DatasetError(f"none of the data set's pictures found{first} in {tried}: name their folder with --images")
