"""The images of `boxless locate`, and the names of the files that it writes for each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boxless.cli.outputs import DRAWN
from boxless.cli.verbosity import note
from boxless.errors import ImageError
from boxless.imaging.read import images_in
from boxless.system.files import apart, is_folder, real_path


@dataclass(frozen=True)
class Input:
    """One image: its path ("-" for standard input), and the place of its files in the output ("trip/beach")."""

    name: str
    place: str


def inputs_of(paths: Sequence[str], save: Path | None, maps: Path | None, sheet: Path | None) -> list[Input]:
    """The images of paths and folders, each with its own place in the output.

    A folder's images keep their relative paths; with several folders, each is a subfolder of its name. Places that
    images would share are numbered, with a note. Images drawn by an earlier run are left out, also with a note.
    """
    several = sum(is_folder(Path(path)) for path in paths) > 1
    found = [each for path in paths for each in _expanded(path, several)]
    ours = [each for each in found if _is_ours(each.name, save, sheet)]
    if ours:
        more = f" and {len(ours) - 1} more" if len(ours) > 1 else ""
        note(f"skipped, drawn by an earlier run: {ours[0].name}{more}")
    left_out = {each.name for each in ours}
    return _apart([each for each in found if each.name not in left_out], log=bool(save or maps))


def _expanded(path: str, several: bool) -> Iterator[Input]:
    """The images of a folder; any other path unchanged, also an empty or closed folder, which fails later."""
    folder = Path(path)
    if path == "-":
        yield Input(path, "stdin")
    elif not is_folder(folder):
        yield Input(path, folder.stem)
    else:
        above = folder.resolve().name if several else ""
        try:
            for each in images_in(folder):
                yield Input(str(each), Path(above, each.relative_to(folder)).with_suffix("").as_posix())
        except ImageError:
            yield Input(path, folder.name)
            return
        closed: list[str] = []
        for _ in os.walk(folder, onerror=lambda error: closed.append(error.filename)):
            pass
        yield from (Input(each, Path(each).name) for each in closed)


def _is_ours(name: str, save: Path | None, sheet: Path | None) -> bool:
    if save is not None and name.endswith(DRAWN) and real_path(Path(name)).is_relative_to(real_path(save)):
        return True
    return sheet is not None and real_path(Path(name)) == real_path(sheet)


def _apart(found: Sequence[Input], log: bool) -> list[Input]:
    """The same inputs; those that share a place with an earlier one are numbered."""
    places = apart([each.place for each in found])
    for each, place in zip(found, places, strict=True):
        if log and place != each.place:
            note(f"{each.name}: saved as {place}, since there is another {each.place}")
    return [Input(each.name, place) for each, place in zip(found, places, strict=True)]
