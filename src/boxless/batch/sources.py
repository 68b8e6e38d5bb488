"""The images of a batch: folders, patterns, lists, tables, archives and addresses, one image after the other."""

from __future__ import annotations

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
from boxless.batch.walk import is_pattern, matching
from boxless.batch.zip_archives import in_zip
from boxless.errors import DatasetError
from boxless.imaging.containers import SUFFIXES
from boxless.imaging.read import Source
from boxless.imaging.walk import walk

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
        if isinstance(spec, Item) or is_url(spec) or is_pattern(spec):
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
    elif is_pattern(spec):
        for path in matching(spec, _is_known):
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
