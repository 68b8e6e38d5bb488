"""The folder that results go to, here or at an address: files whole or not at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

from boxless.batch.lock import locked, remotely_locked
from boxless.batch.remote import filesystem, is_url
from boxless.errors import DiskSpaceError, ResultsError, first_line
from boxless.system.files import check_space, write_whole

if TYPE_CHECKING:
    import fsspec


class Folder(Protocol):
    """A folder of results; small enough to be sent to another machine."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file: whole, or not at all.

        Raises:
            DiskSpaceError: if there is no room for it.
            ResultsError: if it cannot be written for another reason.
        """

    def open(self, name: str) -> IO[bytes]:
        """Opens a file for reading.

        Raises:
            FileNotFoundError: if it is not there.
        """

    def names(self) -> list[str]:
        """The names of the files in it; none if there is no such folder."""

    def remove(self, name: str) -> None:
        """Removes a file."""

    def lock(self) -> AbstractContextManager[None]:
        """A context in which no other run may enter.

        Raises:
            ResultsError: if another is in it.
        """


def folder_at(place: str) -> Folder:
    """The folder of a path, or of an address such as s3://bucket/results."""
    return RemoteFolder(place.rstrip("/")) if is_url(place) else LocalFolder(Path(place).absolute())


class LocalFolder:
    """A folder on this machine, or on a disk that several share.

    Args:
        path: of the folder; made when it is first written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def write(self, name: str, content: bytes) -> None:
        """See `Folder`."""
        try:
            check_space(self.path, len(content), name)
            owner = f".{socket.gethostname()}-{os.getpid()}"
            write_whole(self.path / name, lambda beside: beside.write_bytes(content), owner)
        except DiskSpaceError as error:
            raise DiskSpaceError(f"{error}; what is done stays, and the same command goes on from there") from None
        except OSError as error:
            raise ResultsError(
                f"{self.path / name}: cannot be written ({error.strerror or error}); what is done stays, and the same "
                "command goes on from there"
            ) from None

    def open(self, name: str) -> IO[bytes]:
        """See `Folder`."""
        return (self.path / name).open("rb")

    def names(self) -> list[str]:
        """See `Folder`."""
        return [each.name for each in self.path.iterdir()] if self.path.is_dir() else []

    def remove(self, name: str) -> None:
        """See `Folder`."""
        (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """See `Folder`; what a killed run left half-written is cleared away."""
        if self.path.exists() and not self.path.is_dir():
            raise ResultsError(f"{self.path}: a file (expected a folder for results)")
        with locked(self.path):
            for left in self.path.glob(".part-*.part.*"):
                left.unlink(missing_ok=True)
            yield


class RemoteFolder:
    """A folder at an address. Object stores show a file when all of it is there.

    Args:
        url: without a slash at its end.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return self.url

    @property
    def _system(self) -> fsspec.AbstractFileSystem:
        return filesystem(self.url.partition("://")[0])

    def write(self, name: str, content: bytes) -> None:
        """See `Folder`."""
        try:
            self._system.pipe_file(f"{self.url}/{name}", content)
        # Each store has errors of its own.
        except Exception as error:
            reason = "permission denied" if isinstance(error, PermissionError) else first_line(error)
            raise ResultsError(
                f"{self.url}/{name}: cannot be written ({reason}); what is done stays, and the same command goes on "
                "from there"
            ) from None

    def open(self, name: str) -> IO[bytes]:
        """See `Folder`."""
        with self._read():
            return cast("IO[bytes]", self._system.open(f"{self.url}/{name}", "rb"))

    def names(self) -> list[str]:
        """See `Folder`."""
        try:
            with self._read():
                found = self._system.ls(self.url, detail=False)
        except FileNotFoundError:
            return []
        return [str(each).rstrip("/").rpartition("/")[2] for each in found]

    def remove(self, name: str) -> None:
        """See `Folder`."""
        self._system.rm_file(f"{self.url}/{name}")

    @contextmanager
    def _read(self) -> Iterator[None]:
        """A store's errors, but that something is not there, as what helps."""
        try:
            yield
        except FileNotFoundError:
            raise
        except PermissionError:
            raise ResultsError(
                f"{self.url}: permission denied (expected credentials that may list it, read and write, where the "
                "store's own tools look for them)"
            ) from None
        # Each store has errors of its own.
        except Exception as error:
            raise ResultsError(
                f"{self.url}: cannot be read ({first_line(error)}); is the address right, and can this machine "
                "reach it?"
            ) from None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """See `Folder`."""
        with remotely_locked(self):
            yield
