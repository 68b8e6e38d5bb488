"""Images that other files name or hold: lists, columns of CSV and Parquet files, tar archives."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import os
import tarfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISFIFO
from typing import IO, TYPE_CHECKING, Any, Self

from boxless.batch.item import Broken, Item, local_item
from boxless.batch.remote import Remote, as_os_errors, is_url, opened_remote, remote_version
from boxless.datasets.csv import EXCELS_LINE, PATH_COLUMNS, column_key, separator
from boxless.errors import DatasetError, first_line
from boxless.imaging.containers import SUFFIXES
from boxless.system.extras import missing_extra
from boxless.system.files import as_text

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_COMPRESSIONS: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
"""By the first bytes of a file; all of them check what they unpack."""

_DAMAGE = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    ValueError,
    MemoryError,
    OverflowError,
)
"""What reading a damaged archive raises; the last three of sizes that no file has."""

_ROW_GROUPS_KEPT = 2


@contextmanager
def opened(spec: str) -> Iterator[IO[bytes]]:
    """A file, here or at an address, opened for reading; DatasetError if it is not there, or may not be read."""
    if is_url(spec):
        with opened_remote(spec) as remote:
            yield remote
        return
    try:
        if S_ISFIFO(Path(spec).stat().st_mode):
            raise DatasetError(f"{spec}: a pipe (expected a file: it is read again when a run is resumed)")
        with Path(spec).open("rb") as file:
            yield file
    except OSError as error:
        raise DatasetError(f"{spec}: {error.strerror or error}") from None


def in_list(spec: str, column: str | None) -> Iterator[Item]:
    """The images that a text file names, one a line, relative to it; empty lines are left out."""
    for line in _lines(spec):
        if name := line.strip():
            yield _beside(spec, name)


def in_csv(spec: str, column: str | None) -> Iterator[Item]:
    """The images that a column of a CSV names, relative to it."""
    lines = _lines(spec)
    heading = next(lines, "")
    if EXCELS_LINE.fullmatch(heading):
        heading = next(lines, "")
    between = separator(heading)
    names = next(csv.reader([heading], delimiter=between), [])
    known = {column_key(name): i for i, name in reversed(list(enumerate(names)))}
    wanted = (column_key(column),) if column else PATH_COLUMNS
    place = next((known[name] for name in wanted if name in known), None)
    if place is None:
        raise DatasetError(
            f"{spec}: its first line names {', '.join(map(str.strip, names)) or 'nothing'} (expected "
            f"{column or 'path or image, among others'}; say which with --column)"
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
    """The images of a tar archive, as of WebDataset, in its own order.

    Of an archive that is not compressed only the headers are read here; of a compressed one every image. A damaged
    archive gives the images before the damage, and then itself, as one that cannot be read.
    """
    version = version_of(spec)
    with opened(spec) as file:
        start = file.peek(512)[:512]  # type: ignore[attr-defined]  # of a buffered reader
        unpack = next((unpack for magic, unpack in _COMPRESSIONS.items() if start.startswith(magic)), None)
        streamed = unpack is not None or not file.seekable()
        try:
            plain = unpack(file) if unpack else file
            with tarfile.open(fileobj=plain, mode="r|" if streamed else "r:", tarinfo=_Member) as archive:
                for member in archive:
                    archive.members.clear()  # type: ignore[attr-defined]  # it keeps all, and memory would grow
                    path = PurePosixPath(member.name)
                    if not member.isreg() or path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
                        continue
                    name = as_text(f"{spec}/{member.name}")
                    if streamed:
                        content = archive.extractfile(member)
                        yield Item(name, content.read() if content else b"", version)
                    elif is_url(spec):
                        yield Item(name, Remote(spec, member.offset_data, member.size), version)
                    else:
                        yield Item(name, Slice(spec, member.offset_data, member.size), version)
                _check_rest(archive)
        except _DAMAGE as error:
            yield Item(as_text(spec), Broken(f"a damaged archive ({first_line(error)})"), version)


class _Member(tarfile.TarInfo):
    """A header of an archive. To `tarfile`, one that it cannot read ends the archive; here it is an error."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Reads the next header."""
        start = archive.offset
        try:
            member = super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if isinstance(error, tarfile.EOFHeaderError):  # type: ignore[attr-defined]
                raise
            raise tarfile.ReadError(f"{error}, at byte {start:,}") from None
        if archive.offset <= start:
            raise tarfile.ReadError(f"a negative size, at byte {start:,}")
        return member


def _check_rest(archive: tarfile.TarFile) -> None:
    """Makes sure that an archive has ended: after its end there are zeros only."""
    end = archive.offset
    while rest := archive.fileobj.read(1 << 20):
        if rest.strip(b"\0"):
            raise tarfile.ReadError(f"there is more after its end, at byte {end:,}")


def in_parquet(spec: str, column: str | None) -> Iterator[Item]:
    """The images of a Parquet file's column: encoded, as bytes, or as Hugging Face's `{bytes, path}`."""
    version = version_of(spec)
    try:
        with _parquet(spec) as file:
            schema = file.schema_arrow
            sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    except OSError as error:
        yield Item(as_text(spec), Broken(first_line(error)), version)
        return
    if column is None:
        column = next((field.name for field in schema if _bytes_type(field.type)), None)
    if column is None or column not in schema.names or not _bytes_type(schema.field(column).type):
        raise DatasetError(
            f"{spec}: no column of encoded images{f' {column}' if column else ''} among {', '.join(schema.names)} "
            "(expected bytes, or bytes with a path; say which with --column)"
        )
    row = 0
    for group, size in enumerate(sizes):
        for i in range(size):
            yield Item(as_text(f"{spec}/{row}"), Cell(spec, column, group, i), version)
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
            content = file.read(self.size)
        if len(content) != self.size:
            raise OSError(f"{len(content)} bytes of {self.size}: the archive is cut short")
        return content


@dataclass(frozen=True, slots=True)
class Cell:
    """An image in a Parquet file: row `row` of a group of rows."""

    path: str
    column: str
    group: int
    row: int

    def read(self) -> bytes:
        """Reads the bytes; those of the group are kept, since the next row is probably wanted next."""
        with as_os_errors():
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
            with _parquet(path) as file:
                _kept[key] = file.read_row_group(group, [column], use_threads=False)[column]
            while len(_kept) > _ROW_GROUPS_KEPT:
                _kept.popitem(last=False)
        return _kept[key]


@contextmanager
def _parquet(spec: str) -> Iterator[pq.ParquetFile]:
    """A Parquet file; whatever goes wrong with it is an OSError. See `boxless.batch.formats` about threads."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise missing_extra(f"reading {spec}", "pyarrow", "batch") from None
    try:
        if is_url(spec):
            with opened_remote(spec) as remote, pq.ParquetFile(remote) as file:
                yield file
        else:  # as bytes: PyArrow takes names that are text only
            with pa.OSFile(os.fsencode(spec)) as local, pq.ParquetFile(local) as file:
                yield file
    except (pa.ArrowException, OSError) as error:
        raise OSError(f"not a Parquet file that can be read ({first_line(error)})") from None


def _bytes_type(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    if types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _bytes_type(kind.field(index).type)
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def version_of(spec: str) -> str:
    """The version of a container, which is that of all that is in it."""
    return remote_version(spec) if is_url(spec) else local_item(spec).version


def _lines(spec: str) -> Iterator[str]:
    """The lines of a text file in UTF-8, as they are needed."""
    with opened(spec) as file:
        for number, line in enumerate(file):
            try:
                yield line.decode("utf-8-sig" if number == 0 else "utf-8")
            except UnicodeDecodeError:
                raise DatasetError(
                    f"{spec}: not text in UTF-8, in line {number + 1} (expected names of images)"
                ) from None


def _beside(spec: str, name: str) -> Item:
    """An image that a file names: an address, or a path relative to that file, of this system or of Windows."""
    if is_url(name):
        return Item(name, Remote(name))
    if is_url(spec):
        name = name.replace("\\", "/")
        url = f"{spec.rpartition('/')[0]}/{name}"
        return Item(url, Remote(url))
    path = Path(spec).parent / name
    if "\\" in name and not os.path.lexists(path):
        path = Path(spec).parent / name.replace("\\", "/")
    return local_item(str(path))
