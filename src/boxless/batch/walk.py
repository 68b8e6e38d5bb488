"""Pictures of folders on this machine, by the order of their names, without a list of all."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

PAGE = 50_000
"""Names of one folder that are kept at a time. A folder of more is listed again for every so many."""

_MAGIC = re.compile(r"[*?\[]")


def walk(folder: str, wanted: Callable[[str], bool], deepest: int | None = None) -> Iterator[str]:
    """The paths of a folder's files and of those in its sub-folders; the order is that of sorted `Path`s.

    Hidden files and folders are left out, and links to folders are not followed. A folder that cannot be read is
    given itself, so that it is not lost. Memory depends on `PAGE` and on how deep the folders lie, not on how
    many files there are.

    Args:
        folder: without a separator at its end; "" for the current one.
        wanted: whether a file counts, by its name.
        deepest: how many folders deep to look; as deep as it goes where None.

    """
    try:
        for name, is_folder in _sorted(folder, wanted, folders=deepest is None or deepest > 0):
            path = f"{folder.rstrip(os.sep)}{os.sep}{name}" if folder else name
            if is_folder:
                yield from walk(path, wanted, None if deepest is None else deepest - 1)
            else:
                yield path
    except OSError:
        yield folder or "."


def is_pattern(spec: str) -> bool:
    """Whether a source is a pattern, such as photos/**/*.jpg, and no file or folder that is called so."""
    return bool(_MAGIC.search(spec)) and not os.path.lexists(spec)


def matching(pattern: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The paths that match a pattern, in order: * and ? stay in a folder, ** goes through folders, [ab] is one letter.

    Args:
        pattern: with / between its parts.
        wanted: whether a file counts, by its name.
    """
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base = str(Path(*parts[:first])) if first else ""
    rest = parts[first:]
    fits = re.compile(_regular("/".join(rest))).fullmatch
    start = len(base) + (bool(base) and not base.endswith(os.sep))
    for path in walk(base, wanted, None if "**" in rest else len(rest) - 1):
        if fits(path[start:].replace(os.sep, "/")):
            yield path


def _sorted(folder: str, wanted: Callable[[str], bool], folders: bool) -> Iterator[tuple[str, bool]]:
    """The names in a folder, sorted, and whether each is a folder: the smallest after the last page, page by page."""
    last = ""
    while True:
        with os.scandir(folder or ".") as entries:
            page = heapq.nsmallest(PAGE, _counting(entries, wanted, folders, last))
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _counting(
    entries: Iterator[os.DirEntry[str]], wanted: Callable[[str], bool], folders: bool, after: str
) -> Iterator[tuple[str, bool]]:
    for entry in entries:
        name = entry.name
        if name <= after or name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if folders:
                yield name, True
        elif wanted(name) and entry.is_file():
            yield name, False


def _regular(pattern: str) -> str:
    """A pattern as a regular expression over a path with / between its parts."""
    said = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern):
        said += {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token) or (
            token.replace("[!", "[^", 1) if len(token) > 2 else re.escape(token)
        )
    return said
