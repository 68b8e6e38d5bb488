"""One image of a batch: its name, where its bytes are, and which version of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import BinaryIO, Protocol, cast, runtime_checkable

from boxless.imaging.read import Source
from boxless.system.files import as_text


@runtime_checkable
class Content(Protocol):
    """Where an image's bytes are: small enough to be sent to another machine, and read where the work is done."""

    def read(self) -> bytes:
        """The encoded image; OSError if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a source.

    Attributes:
        name: what its row says: a path, an address, or the place in an archive.
        content: a `Content`, or the image itself as `Localizer.locate` takes it.
        version: changes when the image is replaced under its name, such as size and time of change; "" if unknown.
        classes: indices of the classes to localize in this image, detected or not; those of the settings where None.
    """

    name: str
    content: Source | Content
    version: str = ""
    classes: tuple[int, ...] | None = None

    @property
    def source(self) -> Source:
        """The image as `Localizer.locate_many` takes it; nothing is read yet."""
        return cast("BinaryIO", _File(self.name, self.content)) if isinstance(self.content, Content) else self.content


@dataclass(frozen=True, slots=True)
class Broken:
    """Content that is known to be unreadable, and why: its image gets a row with that error."""

    why: str

    def read(self) -> bytes:
        """Raises OSError."""
        raise OSError(self.why)


def local_item(path: str) -> Item:
    """The image at a path; one that cannot be read gets its row with an error later."""
    name = as_text(path)
    try:
        about = Path(path).stat()
    except (OSError, ValueError):  # not there, a dangling link, a name with a zero byte
        return Item(name, path)
    if S_ISREG(about.st_mode):
        return Item(name, path, f"{about.st_size} {about.st_mtime_ns}")
    if S_ISDIR(about.st_mode):
        return Item(name, path)
    return Item(name, Broken("not a file (a pipe, socket or device)"))  # reading it might never end


class _File:
    """Content as an opened file: the thread that decodes the image fetches it."""

    def __init__(self, name: str, content: Content) -> None:
        self.name = name
        self._content = content

    def seekable(self) -> bool:
        return False

    def read(self) -> bytes:
        return self._content.read()
