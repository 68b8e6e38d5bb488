"""Writing files whole or not at all, and where what can be made again is kept."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from boxless.errors import DiskSpaceError, OutputError

_SPARE = 100_000_000  # bytes that are left free on a disk


def write_whole(path: Path, write: Callable[[Path], object], owner: str = "") -> None:
    """Writes a file beside its place, at the path that `write` is given, and moves it there when it is complete.

    `owner` tells writers apart that may write the same file at the same time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.stem}{owner}.part{path.suffix}")
    try:
        write(beside)
        beside.replace(path)
    except OSError as error:
        if error.filename == str(beside):
            error.filename = str(path)  # the name that the user knows
        raise
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """A folder `.NAME.work` beside a file that is made, for what is needed meanwhile; gone at the end.

    It is always called the same, so what a run left that was killed, the next one clears away. Within
    `temporary_files_beside` it is that folder.
    """
    folder = out.resolve().with_name(f".{out.stem}.work")
    if tempfile.tempdir == str(folder):
        yield folder
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_files_beside(out: Path) -> Iterator[None]:
    """All temporary files of this process, other libraries' too, in the `work_folder` beside a file that is made.

    For commands, which have a process of their own.
    """
    with work_folder(out) as folder:
        before, tempfile.tempdir = tempfile.tempdir, str(folder)
        try:
            yield
        finally:
            tempfile.tempdir = before


def check_place(file: Path) -> None:
    """Raises OutputError, before there is any work, if a file cannot be written to its place."""
    # Those of Path raise errors below folders that are closed to us.
    if os.path.isdir(file):  # noqa: PTH112
        raise OutputError(f"{file} is a folder (expected the name of a file)")
    above = next((each for each in file.absolute().parents if os.path.exists(each)), Path())  # noqa: PTH110
    if not above.is_dir():
        raise OutputError(f"{above} is a file (expected a folder, for {file.name})")
    if not os.access(above, os.W_OK | os.X_OK):
        raise OutputError(f"{above} is closed to writing; name a file elsewhere")


def check_space(folder: Path, needed: int, what: str) -> None:
    """Raises DiskSpaceError if a folder, which is made where it is missing, has no room for so many bytes of `what`."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE:
        raise DiskSpaceError(
            f"{folder}: {free / 1e6:.0f} MB are free, {what} takes {needed / 1e6:.0f} MB and {_SPARE / 1e6:.0f} MB "
            "should stay free"
        )


def cache_folder(part: str) -> Path:
    """Where a part of what takes time to make is kept: in $BOXLESS_CACHE, else in the user's cache folder.

    Raises:
        OutputError: if there is no home, or the folder cannot be written to.
    """
    folder = _cache() / part
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # permissions alone do not say: a disk may be read-only
            pass
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OutputError(f"{folder}: the cache cannot be written there ({why.lower()}); {_ELSEWHERE}") from None
    return folder


_ELSEWHERE = "set the variable BOXLESS_CACHE to a folder that can be written to"


def _cache() -> Path:
    if own := os.environ.get("BOXLESS_CACHE"):
        return Path(own)
    if users := os.environ.get("XDG_CACHE_HOME"):
        return Path(users) / "boxless"
    try:
        return Path.home() / ".cache" / "boxless"
    except RuntimeError:  # a user number without a name, as in containers
        raise OutputError(f"this user has no home folder, where the cache would be; {_ELSEWHERE}") from None


def is_file(path: Path) -> bool:
    """Whether there is such a file; none has a name that no disk takes, for which `Path.is_file` raises an error."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # of a name that is too long, or holds a zero byte or half a surrogate pair
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; none has a name that no disk takes. See `is_file`."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def real_path(path: Path) -> Path:
    """Where links lead from a path, absolute; the path itself where they lead in a circle, or it is no possible name.

    `Path.resolve` raises errors of several kinds for those.
    """
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path.absolute()


def as_text(name: str) -> str:
    """A file's name as text that can be written in UTF-8: bytes that are none are written as \\udcXX."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def apart(names: Sequence[str]) -> list[str]:
    """The same names (without ".jpg"), those numbered that were there before. Names that differ in case only are one.

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
