"""The files of folders on this machine, in the order of their names, also by way of links."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from pathlib import Path

PAGE = 50_000
"""Names of one folder that are kept at a time. A folder of more is listed again for every so many."""


def files_in(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """The files of a folder and of its sub-folders; see `walk`.

    Args:
        folder: the folder.
        wanted: whether a file counts, by its name.

    Returns:
        Paths below `folder`, in order.

    Example:
        >>> [each.name for each in files_in(Path("examples/pictures"), lambda name: name.endswith(".jpg"))]
        ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg']
    """
    return map(Path, walk(str(folder), wanted))


def walk(folder: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The paths of a folder's files and of those in its sub-folders; the order is that of sorted `Path`s.

    Hidden files and folders are left out, and links are followed. Nothing is lost without a word: a dangling link and a
    pipe are given like files, and so is a folder that cannot be read, or leads back to one above it. Whoever reads them
    says why that fails. Memory depends on `PAGE` and on how deep the folders lie, not on how many files there are.

    Args:
        folder: without a separator at its end; "" for the current one.
        wanted: whether a file counts, by its name.
    """
    return (path for path, _ in walk_into(folder, wanted, lambda folder: True))


def walk_into(
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
                yield from walk_into(path, wanted, entered, (*above, here))
    except OSError:
        yield folder or ".", False


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
