"""Images in zip archives, each read when it is its turn."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from boxless.batch.containers import opened, version_of
from boxless.batch.item import Broken, Item
from boxless.errors import DatasetError, first_line
from boxless.imaging.containers import SUFFIXES
from boxless.system.files import as_text

_HEADER = struct.Struct("<4s22xHH")
"""Of a file in an archive (APPNOTE 4.3.7): its first bytes, and the lengths of name and extra field behind it."""

_ENCRYPTED = 1
_LARGEST = 1 << 30
"""Bytes of an image: what says that it inflates to more is not inflated."""


def in_zip(spec: str, column: str | None) -> Iterator[Item]:
    """The images of a zip archive, in its own order; only its directory is read here."""
    version = version_of(spec)
    with opened(spec) as file:
        try:
            members = zipfile.ZipFile(file).infolist()
        # What reading a damaged directory raises.
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, struct.error, OverflowError) as error:
            yield Item(as_text(spec), Broken(f"a damaged archive ({first_line(error)})"), version)
            return
    for member in members:
        path = PurePosixPath(member.filename)
        hidden = path.name.startswith(".") or "__MACOSX" in path.parts
        if member.is_dir() or hidden or path.suffix.lower() not in SUFFIXES:
            continue
        content = Broken("encrypted") if member.flag_bits & _ENCRYPTED else _Member(spec, member)
        yield Item(as_text(f"{spec}/{member.filename}"), content, version)


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in an archive, which is here or at an address."""

    path: str
    about: zipfile.ZipInfo

    def read(self) -> bytes:
        """Reads and unpacks it; never more than it says."""
        about = self.about
        if max(about.file_size, about.compress_size) > _LARGEST:
            raise OSError(f"{about.file_size / 1e9:.1f} GB (an image of at most {_LARGEST / 1e9:.1f} GB is read)")
        try:
            with opened(self.path) as file:
                file.seek(about.header_offset)
                magic, name, extra = _HEADER.unpack(file.read(_HEADER.size))
                file.seek(name + extra, 1)
                content = file.read(about.compress_size)
            if magic != b"PK\3\4":
                raise OSError("the archive has no file where its directory says")
            if about.compress_type == zipfile.ZIP_DEFLATED:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, about.file_size + 1)
            elif about.compress_type != zipfile.ZIP_STORED:
                raise OSError(f"packed by method {about.compress_type} (expected deflate, or none)")
        except (struct.error, zlib.error, DatasetError, ValueError) as error:
            raise OSError(f"a damaged archive ({first_line(error)})") from None
        if len(content) != about.file_size or zlib.crc32(content) != about.CRC:
            raise OSError("a damaged archive (its checksum differs)")
        return content
