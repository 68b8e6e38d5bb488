"""The images of a batch: folders, patterns, lists, tables, archives and addresses, one image after the other."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG
from typing import TypeAlias, cast

from boxless.batch.containers import in_csv, in_list, in_parquet, in_tar
from boxless.batch.item import Content, Item, local_item
from boxless.batch.remote import Remote, has_pattern, is_url, remote_version, walk_remote
from boxless.batch.zip_archives import in_zip
from boxless.errors import DatasetError
from boxless.imaging.containers import SUFFIXES
from boxless.imaging.read import Source
from boxless.imaging.walk import walk, walk_into

Reader: TypeAlias = "Callable[[str, str | None], Iterator[Item]]"

READERS: dict[str, Reader] = {
    ".txt": in_list,
    ".csv": in_csv,
    ".tsv": in_csv,
    ".tar": in_tar,
    ".tar.gz": in_tar,
    ".tgz": in_tar,
    ".zip": in_zip,
    ".parquet": in_parquet,
}
"""What a file is read as that is no image itself, by how its name ends."""


_MAGIC = re.compile(r"[*?\[]")
"""What makes a pattern of a path."""


def images(specs: Iterable[str | Item], column: str | None = None) -> Iterator[Item]:
    """The images of sources, in the order of the sources; those of a folder in the order of their names.

    Nothing is listed ahead, so the first image comes at once, and memory does not grow with their number. Two walks
    through the same sources give the same images in the same order. An image that is named and not there is given all
    the same: it fails when it is read.

    Args:
        specs: folders, images, patterns (photos/**/*.jpg), lists (.txt, a name a line), tables (.csv), archives
            (.tar, .tar.gz, .zip), Parquet files with encoded images, and addresses of all these
            (s3://bucket/folder); or items, which are given as they are.
        column: the column of image names in tables and Parquet files; if None, the first column that looks like it.

    Raises:
        DatasetError: if a source is not there, is empty, or of another layout; when it is its turn.
    """
    for spec in specs:
        if isinstance(spec, Item):
            yield spec
            continue
        empty = True
        for item in _of(spec, column):
            empty = False
            yield item
        if empty:
            raise DatasetError(f"{spec}: no images there (expected {' '.join(sorted(SUFFIXES))})")


def check(specs: Iterable[str | Item]) -> None:
    """Raises DatasetError, before there is any work, if a source on this machine is not there."""
    for spec in specs:
        if isinstance(spec, Item) or is_url(spec) or _is_pattern(spec):
            continue
        try:
            Path(spec).stat()
        except (FileNotFoundError, NotADirectoryError, ValueError):  # of a name with a zero byte
            raise DatasetError(f"{spec}: no such file or folder") from None
        except OSError as error:
            raise DatasetError(f"{spec}: cannot be accessed ({error.strerror})") from None


def _of(spec: str, column: str | None) -> Iterator[Item]:
    if is_url(spec):
        yield from _remote(spec, column)
    elif S_ISDIR(_mode(spec)):
        top = normpath(spec)
        yield from map(local_item, walk("" if top == "." else top, _is_image))
    elif _is_pattern(spec):
        for path in _matching(spec, _is_known):
            yield from _file(path, column)
    else:
        yield from _file(spec, column)


def _file(path: str, column: str | None) -> Iterator[Item]:
    reader = _reader(path)
    return reader(path, column) if reader else iter([local_item(path)])


def _remote(url: str, column: str | None) -> Iterator[Item]:
    patterned = has_pattern(url)
    if not patterned and (reader := _reader(url)):
        yield from reader(url, column)
    elif not patterned and _is_image(url):
        version = ""
        with suppress(DatasetError):  # then it fails when it is read
            version = remote_version(url)
        yield Item(url, Remote(url), version)
    else:
        for each, version in walk_remote(url, _is_known if patterned else _is_image):
            if reader := _reader(each):
                yield from reader(each, column)
            else:
                yield Item(each, Remote(each), version)


def _reader(name: str) -> Reader | None:
    lower = name.lower()
    return next((reader for ending, reader in READERS.items() if lower.endswith(ending)), None)


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _is_known(name: str) -> bool:
    return _is_image(name) or _reader(name) is not None


def find(name: str, column: str | None = None) -> Source:
    """The image that a row names, as `read_image` takes it: a path, or an opened file at an address or in an archive.

    An image in an archive is looked for when it is read.
    """
    if not is_url(name) and _mode(name):
        return name
    parts = name.split("/")
    for end in range(1, len(parts)):
        container = "/".join(parts[:end])
        if (reader := _reader(container)) and (is_url(name) or S_ISREG(_mode(container))):
            return Item(name, _Inside(container, name, reader, column)).source
    return Item(name, Remote(name)).source if is_url(name) else name


def _mode(path: str) -> int:
    """What is there, as the system says it; 0 where nothing is, or nothing may be looked at, or nothing can be."""
    try:
        return Path(path).stat().st_mode
    except (OSError, ValueError):
        return 0


@dataclass(frozen=True)
class _Inside:
    """An image in an archive, by its name."""

    container: str
    name: str
    reader: Reader
    column: str | None

    def read(self) -> bytes:
        for item in self.reader(self.container, self.column):
            if item.name == self.name:
                return cast("bytes", item.content.read() if isinstance(item.content, Content) else item.content)
        raise OSError(f"no longer in {self.container}")


def _is_pattern(spec: str) -> bool:
    """Whether a source is a pattern, such as photos/**/*.jpg, and no file or folder that is called so."""
    return bool(_MAGIC.search(spec)) and not os.path.lexists(spec)


def _matching(pattern: str, wanted: Callable[[str], bool]) -> Iterator[str]:
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
