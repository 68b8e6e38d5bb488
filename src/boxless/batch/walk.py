"""Files of folders on this machine, in the order of their names, without a list of all."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from boxless.errors import DatasetError

PAGE = 50_000
"""Names of one folder that are kept at a time. A folder of more is listed again for every so many."""

_MAGIC = re.compile(r"[*?\[]")


def walk(folder: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The paths of a folder's files and of those in its sub-folders; the order is that of sorted `Path`s.

    Hidden files and folders are left out, and links to folders are followed, as by `boxless.imaging.walk.files_in`. A
    folder that cannot be read, or leads back to one above it, is given itself, so that it is not lost. Memory depends
    on `PAGE` and on how deep the folders lie, not on how many files there are.

    Args:
        folder: without a separator at its end; "" for the current one.
        wanted: whether a file counts, by its name.
    """
    return (path for path, _ in _walk(folder, wanted, lambda folder: True))


def _walk(
    folder: str,
    wanted: Callable[[str], bool],
    entered: Callable[[str], bool],
    above: tuple[tuple[int, int], ...] = (),
) -> Iterator[tuple[str, bool]]:
    """Paths, and whether each is a file; else it is a folder that cannot be read.

    Args:
        folder, wanted: as in `walk`.
        entered: whether to enter a folder, by its path.
        above: the folders above it, by device and number.
    """
    try:
        about = Path(folder).stat()
        here = (about.st_dev, about.st_ino)
        if here in above:
            yield folder, False
            return
        for name, is_folder in _sorted(folder, wanted):
            path = f"{folder.rstrip(os.sep)}{os.sep}{name}" if folder else name
            if not is_folder:
                yield path, True
            elif entered(path):
                yield from _walk(path, wanted, entered, (*above, here))
    except OSError:
        yield folder or ".", False


def is_pattern(spec: str) -> bool:
    """Whether a source is a pattern, such as photos/**/*.jpg, and no file or folder that is called so."""
    return bool(_MAGIC.search(spec)) and not os.path.lexists(spec)


def matching(pattern: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The paths that match a pattern, in order: * and ? stay in a folder, ** goes through folders, [ab] is one letter.

    A folder that cannot be read and may hold some is given itself, as in `walk`.

    Args:
        pattern: with / between its parts.
        wanted: whether a file counts, by its name.

    Raises:
        DatasetError: if it is no pattern.
    """
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _MAGIC.search(part))
    base = str(Path(*parts[:first])) if first else ""
    start = len(base) + (bool(base) and not base.endswith(os.sep))
    ends = [_fitting(pattern, parts[first:end]) for end in range(first + 1, len(parts) + 1)]

    def leads_on(folder: str) -> bool:
        return any(fits(_below(folder, start)) for fits in (ends if parts[-1] == "**" else ends[:-1]))

    for path, is_file in _walk(base, wanted, leads_on):
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


def _sorted(folder: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bool]]:
    """The names in a folder, sorted, and whether each is a folder: the smallest after the last page, page by page."""
    last = ""
    while True:
        with os.scandir(folder or ".") as entries:
            page = heapq.nsmallest(PAGE, _counting(entries, wanted, last))
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _counting(
    entries: Iterator[os.DirEntry[str]], wanted: Callable[[str], bool], after: str
) -> Iterator[tuple[str, bool]]:
    for entry in entries:
        name = entry.name
        if name <= after or name.startswith("."):
            continue
        if _is_folder(entry):
            yield name, True
        elif wanted(name):  # dangling links and pipes too: they fail when they are read
            yield name, False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link whose target cannot be accessed
        return False


def _regular(pattern: str) -> str:
    """A pattern as a regular expression over a path with / between its parts."""
    regular = ""
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern):
        regular += {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token) or (
            token.replace("[!", "[^", 1) if len(token) > 2 else re.escape(token)
        )
    return regular
