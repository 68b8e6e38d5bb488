"""The files of a folder, also by way of links, which mean the same wherever images are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def files_in(folder: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    """The files of a folder and of its sub-folders, also of those that links lead to; hidden ones are left out.

    Nothing is lost without a word: a dangling link and a pipe are given like files, and so is a folder that is closed
    to us, or a link that leads back to a folder above it. Whoever reads them says why that fails.

    Args:
        folder: the folder.
        wanted: whether a file counts, by its name.

    Returns:
        Paths below `folder`, in no order.

    Example:
        >>> names = [each.name for each in files_in(Path("examples/pictures"), lambda name: name.endswith(".jpg"))]
        >>> sorted(names)
        ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg']
    """
    return _files_in(folder, wanted, ())


def _files_in(folder: Path, wanted: Callable[[str], bool], above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    try:
        about = folder.stat()
        if (about.st_dev, about.st_ino) in above:
            yield folder
            return
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        yield folder
        return
    for entry in visible:
        path = folder / entry.name
        if _is_folder(entry):
            yield from _files_in(path, wanted, (*above, (about.st_dev, about.st_ino)))
        elif wanted(entry.name):
            yield path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link whose target cannot be accessed
        return False
