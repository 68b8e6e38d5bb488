"""A picture that waits to be looked at: its name, and where its bytes are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast, runtime_checkable

from boxless.imaging.read import Source


@runtime_checkable
class Place(Protocol):
    """Where a picture's bytes are, small enough to be sent to another machine; read where the work is done."""

    def read(self) -> bytes:
        """The encoded picture.

        Raises:
            OSError: if it cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a source.

    Attributes:
        name: what its row says: a path, an address, or the place in an archive.
        place: a `Place`, or the picture itself as `Localizer.locate` takes it.
    """

    name: str
    place: Source | Place

    @property
    def source(self) -> Source:
        """The picture as `Localizer.locate_many` takes it; nothing is read yet."""
        return cast("BinaryIO", _File(self.name, self.place)) if isinstance(self.place, Place) else self.place


@dataclass(frozen=True, slots=True)
class Broken:
    """A place that is known to be unreadable, and why: its picture gets a row with that error."""

    why: str

    def read(self) -> bytes:
        """Raises OSError."""
        raise OSError(self.why)


class _File:
    """A place as an opened file: the thread that decodes the picture fetches it."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self._place = place

    def seekable(self) -> bool:
        return False

    def read(self) -> bytes:
        return self._place.read()
