"""Pictures inside other files: lists, columns of CSV and Parquet files, tar archives."""

from __future__ import annotations

import csv
import os
import tarfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from boxless.batch.item import Broken, Item
from boxless.batch.remote import FetchErrors, Remote, is_url, open_remote
from boxless.datasets.table import separator
from boxless.errors import DatasetError, first_line
from boxless.imaging.containers import SUFFIXES
from boxless.system.extras import missing_extra
from boxless.system.files import as_text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_COLUMNS = ("path", "file", "filename", "image", "picture", "url")
"""The columns of a CSV that are taken where none is named, the first that is there."""

_ROW_GROUPS_KEPT = 2


def opened(spec: str) -> IO[bytes]:
    """A file, here or elsewhere, opened for reading.

    Raises:
        DatasetError: if it is not there, or may not be read.
    """
    if is_url(spec):
        return open_remote(spec)
    try:
        return Path(spec).open("rb")
    except OSError as error:
        raise DatasetError(f"{spec}: {error.strerror or error}") from None


def in_list(spec: str, column: str | None) -> Iterator[Item]:
    """The pictures that a text file names, one a line, relative to it; empty lines are left out."""
    for line in _lines(spec):
        if name := line.strip():
            yield _beside(spec, name)


def in_csv(spec: str, column: str | None) -> Iterator[Item]:
    """The pictures that a column of a CSV names, relative to it."""
    lines = _lines(spec)
    heading = next(lines, "")
    between = separator(heading)
    names = [name.strip() for name in next(csv.reader([heading], delimiter=between), [])]
    known = {name.casefold(): i for i, name in enumerate(names)}
    wanted = (column,) if column else _COLUMNS
    place = next((known[name.casefold()] for name in wanted if name.casefold() in known), None)
    if place is None:
        raise DatasetError(
            f"{spec}: its first line names {', '.join(names) or 'nothing'} (expected {' or '.join(wanted)}; say which "
            "with --column)"
        )
    rows = csv.reader(lines, delimiter=between)
    try:
        for row in rows:
            if place < len(row) and (name := row[place].strip()):
                yield _beside(spec, name)
    except csv.Error as error:
        line = rows.line_num + 1  # the heading is above
        raise DatasetError(f"{spec}: line {line}: {error}; is there a quote that is not closed?") from None


def in_tar(spec: str, column: str | None) -> Iterator[Item]:
    """The pictures of a tar archive, as of WebDataset, in its own order.

    Of an archive that is not compressed only the headings are read here; of a compressed one every picture. An archive
    that is damaged gives the pictures before that place, and then itself, as one that cannot be read.
    """
    with opened(spec) as file:
        try:
            packed = file.read(512)[257:262] != b"ustar"
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r|*" if packed else "r:") as archive:
                for member in archive:
                    archive.members.clear()  # type: ignore[attr-defined]  # it keeps all, and memory would grow
                    path = PurePosixPath(member.name)
                    if not member.isreg() or path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
                        continue
                    name = as_text(f"{spec}/{member.name}")
                    if packed:
                        content = archive.extractfile(member)
                        yield Item(name, content.read() if content else b"")
                    elif is_url(spec):
                        yield Item(name, Remote(spec, member.offset_data, member.size))
                    else:
                        yield Item(name, Slice(spec, member.offset_data, member.size))
        except (tarfile.TarError, EOFError) as error:
            yield Item(as_text(spec), Broken(f"a damaged archive ({first_line(error)})"))


def in_parquet(spec: str, column: str | None) -> Iterator[Item]:
    """The pictures of a Parquet file's column: encoded, as bytes, or as Hugging Face's `{bytes, path}`."""
    try:
        file = _parquet(spec)
    except OSError as error:
        yield Item(as_text(spec), Broken(first_line(error)))
        return
    schema = file.schema_arrow
    if column is None:
        column = next((field.name for field in schema if _bytes_type(field.type)), None)
    if column is None or column not in schema.names or not _bytes_type(schema.field(column).type):
        raise DatasetError(
            f"{spec}: no column of encoded pictures{f' {column}' if column else ''} among {', '.join(schema.names)} "
            "(expected bytes, or bytes with a path; say which with --column)"
        )
    row = 0
    for group in range(file.metadata.num_row_groups):
        for i in range(file.metadata.row_group(group).num_rows):
            yield Item(as_text(f"{spec}/{row}"), Cell(spec, column, group, i))
            row += 1


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file on this machine: `size` bytes from `start` on."""

    path: str
    start: int
    size: int

    def read(self) -> bytes:
        """Reads the bytes."""
        with Path(self.path).open("rb") as file:
            file.seek(self.start)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture in a Parquet file: row `row` of a group of rows."""

    path: str
    column: str
    group: int
    row: int

    def read(self) -> bytes:
        """Reads the bytes; those of the group are kept, since the next row is probably wanted next."""
        with FetchErrors():
            value = _row_group(self.path, self.column, self.group)[self.row].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise OSError("an empty cell")
        return content


_kept: OrderedDict[tuple[str, str, int], pa.ChunkedArray] = OrderedDict()
_reading = threading.Lock()


def _row_group(path: str, column: str, group: int) -> pa.ChunkedArray:
    """A column of a group of rows; the last few are kept. Threads wait for the one that reads."""
    key = (path, column, group)
    with _reading:
        if key not in _kept:
            _kept[key] = _parquet(path).read_row_group(group, [column])[column]
            while len(_kept) > _ROW_GROUPS_KEPT:
                _kept.popitem(last=False)
        return _kept[key]


def _parquet(spec: str) -> pq.ParquetFile:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise missing_extra(f"reading {spec}", "pyarrow", "batch") from None
    try:
        # As bytes: PyArrow takes names that are text only.
        return pq.ParquetFile(opened(spec) if is_url(spec) else pa.OSFile(os.fsencode(spec)))
    except (pa.ArrowException, OSError) as error:
        raise OSError(f"not a Parquet file that can be read ({first_line(error)})") from None


def _bytes_type(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    if types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _bytes_type(kind.field(index).type)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _lines(spec: str) -> Iterator[str]:
    """The lines of a text file in UTF-8, as they are needed."""
    with opened(spec) as file:
        for number, line in enumerate(file):
            try:
                yield line.decode("utf-8-sig" if number == 0 else "utf-8")
            except UnicodeDecodeError:
                raise DatasetError(
                    f"{spec}: not text in UTF-8, in line {number + 1} (expected names of pictures)"
                ) from None


def _beside(spec: str, name: str) -> Item:
    """A picture that a file names: an address, or a path relative to that file."""
    if is_url(name):
        return Item(name, Remote(name))
    if is_url(spec):
        url = f"{spec.rpartition('/')[0]}/{name}"
        return Item(url, Remote(url))
    path = str(Path(spec).parent / name)
    return Item(as_text(path), path)
