"""Patterns of paths on this machine, such as photos/**/*.jpg."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from boxless.errors import DatasetError
from boxless.imaging.walk import walk_into

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(spec: str) -> bool:
    """Whether a source is a pattern, such as photos/**/*.jpg, and no file or folder that is called so."""
    return bool(_MAGIC.search(spec)) and not os.path.lexists(spec)


def matching(pattern: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The paths that match a pattern, in order: * and ? stay in a folder, ** goes through folders, [ab] is one letter.

    A folder that cannot be read and may hold some is given itself, as in `walk`.
    """
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base = str(Path(*parts[:first])) if first else ""
    start = len(base) + (bool(base) and not base.endswith(os.sep))
    ends = [_fitting(pattern, parts[first:end]) for end in range(first + 1, len(parts) + 1)]

    def leads_on(folder: str) -> bool:
        return any(fits(_below(folder, start)) for fits in (ends if parts[-1] == "**" else ends[:-1]))

    for path, is_file in walk_into(base, wanted, leads_on):
        if ends[-1](_below(path, start)) if is_file else Path(path).is_dir():
            yield path


def _below(path: str, start: int) -> str:
    return path[start:].replace(os.sep, "/")


def _fitting(pattern: str, parts: tuple[str, ...]) -> Callable[[str], object]:
    """Whether a path fits some parts of a pattern."""
    try:
        return re.compile(_regular("/".join(parts))).fullmatch
    except re.error as error:
        raise DatasetError(f"{pattern}: {error.msg} (expected letters such as [0-9], the lower one first)") from None


def _regular(pattern: str) -> str:
    """A pattern as a regular expression over a path with / between its parts."""
    regular = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern):
        regular += {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token) or (
            token.replace("[!", "[^", 1) if len(token) > 2 else re.escape(token)
        )
    return regular
