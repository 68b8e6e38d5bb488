"""The folder that is made: unfinished beside its place, there when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from boxless.batch.folder import locked
from boxless.errors import OutputError, ResultsError
from boxless.system.files import write_whole

NOTE = "boxless.txt"
"""The file that says that `boxless annotate` wrote a folder."""

_TEXT = """What is here was found by a model (boxless annotate), not drawn by hand.
With --force, boxless replaces this whole folder, and what was added to it.
"""


@contextmanager
def output(out: Path, force: bool) -> Iterator[Path]:
    """A folder `.NAME.part` beside a folder that is made; it takes its place at the end, if there was no error.

    No other run may enter. With `force`, a folder that `boxless annotate` wrote is replaced, and a run that was
    interrupted starts over.

    Raises:
        OutputError: if the folder is there and not empty, or was not written by `boxless annotate`, or another run is
            at work there.
    """
    part = out.absolute().with_name(f".{out.absolute().name}.part")
    old, lock = part.with_suffix(".old"), part.with_suffix(".lock")
    try:
        with locked(lock, out):
            try:
                _check(out, force)
                if force:
                    shutil.rmtree(part, ignore_errors=True)
                part.mkdir(parents=True, exist_ok=True)
                yield part
                (part / NOTE).write_text(_TEXT, encoding="utf-8")
                if out.is_dir():
                    shutil.rmtree(old, ignore_errors=True)
                    out.replace(old)
                part.replace(out)
                shutil.rmtree(old, ignore_errors=True)
            finally:
                with suppress(OSError):  # where an opened file cannot be removed, it stays
                    lock.unlink()
    except ResultsError as error:
        raise OutputError(str(error)) from None


def _check(out: Path, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: a file (expected the name of a folder that is to be made)")
    if out.is_dir() and any(out.iterdir()):
        if not (out / NOTE).is_file():
            raise OutputError(f"{out}: a folder that boxless annotate did not write: name another")
        if not force:
            raise OutputError(f"{out}: exists; replace it with --force")


def place_image(source: Path, place: Path, how: str) -> None:
    """Puts an image beside its annotations: `how` is "link" or "copy".

    A hard link is the file itself: it can be moved and packed, and no program takes it for a file elsewhere, as some
    refuse symbolic links. Where the disk is another, the image is copied. Copies of a run that was stopped are not made
    again.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    source = source.resolve()
    if how == "link":
        place.unlink(missing_ok=True)
        try:
            place.hardlink_to(source)
        except OSError:  # of another disk, or of another person
            how = "copy"
        else:
            return
    if place.is_symlink() or not place.exists() or place.stat().st_size != source.stat().st_size:
        place.unlink(missing_ok=True)
        write_whole(place, lambda beside: shutil.copyfile(source, beside))
