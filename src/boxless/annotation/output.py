"""The folder that is made: unfinished beside its place, there when it is complete."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

from boxless.errors import OutputError
from boxless.system.files import write_whole

NOTE = "boxless.txt"
"""The file that says that `boxless annotate` wrote a folder."""

_TEXT = """What is here was found by a model (boxless annotate), not drawn by hand.
With --force, boxless replaces this whole folder, and what was added to it.
"""


class Output:
    """A folder `.NAME.part` beside a folder that is made; it takes its place at the end, if there was no error.

    Args:
        out: the folder to be made.
        force: replace a folder that `boxless annotate` wrote, and begin anew what was stopped.

    Raises:
        OutputError: if the folder is there and not empty, or was not written by `boxless annotate`.
    """

    def __init__(self, out: Path, force: bool) -> None:
        self._out = out
        self._part = out.absolute().with_name(f".{out.absolute().name}.part")
        self._old = self._part.with_suffix(".old")
        if out.exists() and not out.is_dir():
            raise OutputError(f"{out}: a file (expected the name of a folder that is to be made)")
        if out.is_dir() and any(out.iterdir()):
            if not (out / NOTE).is_file():
                raise OutputError(f"{out}: a folder that boxless annotate did not write: name another")
            if not force:
                raise OutputError(f"{out}: exists; replace it with --force")
        if force:
            shutil.rmtree(self._part, ignore_errors=True)

    def __enter__(self) -> Path:
        self._part.mkdir(parents=True, exist_ok=True)
        return self._part

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            return
        (self._part / NOTE).write_text(_TEXT, encoding="utf-8")
        if self._out.is_dir():
            shutil.rmtree(self._old, ignore_errors=True)
            self._out.replace(self._old)
        self._part.replace(self._out)
        shutil.rmtree(self._old, ignore_errors=True)


def place_picture(source: Path, place: Path, how: str) -> None:
    """Puts an image beside its annotations.

    Args:
        source: its absolute path.
        place: its new one; its folder is made where it is missing.
        how: "link" for a hard link, which is the file itself: it can be moved and packed, and no program takes it for a
            file elsewhere, as some refuse symbolic links. Where the disk is another, the image is copied. "copy" for a
            copy; those of a run that was stopped are not made again.
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
