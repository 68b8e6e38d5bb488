"""Finds the images that a data set names, wherever the data set was made and whatever its program did to names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from boxless.datasets.dataset import SPLITS, AnnotatedImage
from boxless.errors import DatasetError
from boxless.imaging.containers import SUFFIXES
from boxless.system.files import is_file

_TRIED = 50  # names by which the folder is chosen; some may be gone
_DEEPEST = 12  # leading folders of a name that may be those of another machine
_MOST_FOLDERS = 30  # in a folder of images, each of which is tried

_SERVED = re.compile(r"^(?:https?://[^/]+)?/data/local-files/?\?d=([^&]*)")  # Label Studio's local files
_ADDRESS = re.compile(r"^(?:https?|s3|gs|file|azure-blob)://")


def near(annotations: Path, *more: Path) -> list[Path]:
    """Folders where images may be, seen from a file of annotations or its folder, the likeliest first after `more`."""
    folder = annotations if annotations.is_dir() else annotations.parent
    part = re.split(r"[_.]", annotations.stem)[-1]  # instances_val2017.json: val2017
    homes = [folder, folder.parent]
    found = list(more)
    for home in homes:
        found += [home / "images" / part, home / part] if part else []
        found += [home, home / "images", home / "JPEGImages", home / "data", *_inside(home / "images")]
    return list(dict.fromkeys(found))


def located(
    images: Iterable[AnnotatedImage], folders: Sequence[Path], given: Path | None
) -> tuple[AnnotatedImage, ...]:
    """The images with the paths where `finder` finds them; its arguments."""
    known = tuple(images)
    locate = finder([each.name for each in known], folders, given)
    return tuple(replace(each, path=locate(each.name)) for each in known)


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir())[:_MOST_FOLDERS]
    except OSError:
        return []


def finder(names: Sequence[str], folders: Sequence[Path], images: Path | None = None) -> Callable[[str], Path]:
    """Chooses the folder that images are in, by a few of their names; gives an image's path by its name.

    Names are taken as they are; with / for Windows' separators; without what leads to them on the machine on which
    they were made, or in Label Studio; with accents composed; with another suffix, or none. The path of a missing image
    does not exist. Of `folders`, the likeliest stand first; where `images` is given, no other is tried.

    Raises:
        DatasetError: if none of the few is found (with the folders that were tried).
    """
    distinct = list(dict.fromkeys(names))
    some = distinct[:: max(1, len(distinct) // _TRIED)][:_TRIED]
    if images is not None:
        folders = [images, *(each for each in _inside(images) if each.name.casefold() in SPLITS)]
    folders = [each for each in dict.fromkeys(folders) if each.is_dir()]
    resolvers = [_Folder(folder) for folder in folders]
    for dropped in range(_DEEPEST):
        if dropped and (not _shorter(some, dropped) or _collide(distinct, dropped)):
            continue
        hits = [sum(each.find(name, dropped) is not None for name in some) for each in resolvers]
        if any(hits):
            best = resolvers[hits.index(max(hits))]
            return partial(_path, [best, *(each for each in resolvers if _are_splits(each, best))], dropped)
    if not distinct:
        return partial(joined, Path())
    if images is not None:
        return partial(joined, images)  # each is noted as missing
    tried = ", ".join(map(str, folders[:8]))
    raise DatasetError(
        f"none of the data set's images found (looked for {some[0][:200]!a} and others) in {tried}: put the "
        "annotations beside them, or name their folder with --images where a command has that option"
    )


def _are_splits(one: _Folder, other: _Folder) -> bool:
    """Whether two folders are those of splits, side by side: an image may be in either."""
    names = {one.folder.name.casefold(), other.folder.name.casefold()}
    return one is not other and one.folder.parent == other.folder.parent and names <= SPLITS.keys()


def _path(folders: list[_Folder], dropped: int, name: str) -> Path:
    found = (each.find(name, dropped) for each in folders)
    return next((path for path in found if path), folders[0].folder / _tail(name, dropped))


def joined(folder: Path, name: str) -> Path:
    """Where an image would be that is not found."""
    return folder / _tail(name, 0)


def _shorter(names: Sequence[str], dropped: int) -> bool:
    return any(len(PurePosixPath(_plain(name)).parts) > dropped for name in names)


def _collide(names: Sequence[str], dropped: int) -> bool:
    """Whether two images would have one path."""
    return len({_tail(name, dropped) for name in names}) < len({_tail(name, 0) for name in names})


def _plain(name: str) -> str:
    """A name as a path with / between its parts."""
    if served := _SERVED.match(name):
        return unquote(served[1]).replace("\\", "/")
    if _ADDRESS.match(name):
        return unquote(name.partition("://")[2].partition("?")[0])
    return name.replace("\\", "/")


def _tail(name: str, dropped: int) -> str:
    """A name without its first folders; its last part always stays."""
    parts = list(PurePosixPath(_plain(name)).parts)
    return str(PurePosixPath(*parts[min(dropped, len(parts) - 1) :])) if parts else ""


class _Folder:
    """A folder of images, whose lists of files are read when a name is not found as it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lists: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str, dropped: int) -> Path | None:
        if not name:
            return None
        if not dropped and is_file(self.folder / name):
            return self.folder / name
        tail = _tail(name, dropped)
        if not tail:
            return None
        path = self.folder / tail
        return path if is_file(path) else self._alike(path)

    def _alike(self, path: Path) -> Path | None:
        """The one file that differs in Unicode form, case or suffix only."""
        if path.parent not in self._lists:
            self._lists[path.parent] = _listed(path.parent)
        known = self._lists[path.parent]
        for key in _keys(path.name):
            if len(found := known.get(key, [])) == 1:
                return path.parent / found[0]
        return None


def _keys(name: str) -> list[str]:
    """What a file may be listed by: its name, then its name without a suffix that it does not have."""
    key = unicodedata.normalize("NFC", name).casefold()
    stem, dot, suffix = key.rpartition(".")
    return [f"/{key}", key, *([stem] if dot and f".{suffix}" in SUFFIXES else [])]


def _listed(folder: Path) -> dict[str, list[str]]:
    """The image files of a folder, by their names (after a /, so that no stem is taken for a name) and stems."""
    found: dict[str, list[str]] = {}
    try:
        names = [each.name for each in folder.iterdir() if each.suffix.lower() in SUFFIXES and is_file(each)]
    except (OSError, ValueError):
        return found
    for name in sorted(names):
        key = unicodedata.normalize("NFC", name).casefold()
        for each in (f"/{key}", key.rpartition(".")[0]):
            found.setdefault(each, []).append(name)
    return found
