"""The folder of results, here or at an address: files whole or not at all, and one run at a time."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeAlias

from boxless.batch.remote import TIMEOUT, WHOLE_FILE, explained, filesystem, is_url, listing, reach, within
from boxless.errors import DiskSpaceError, ResultsError
from boxless.system.files import check_space, write_whole

_LOCK = ".lock"
_REMOTE_LOCK = "lock.json"

_SIGN_OF_LIFE = 20.0
"""Seconds after which a run says again, at an address, that it is still at work."""

_DEAD = 90.0
"""Seconds without a sign of life after which a run counts as dead."""

_KEPT = "what is done stays, and the same command goes on from there"


class LocalFolder:
    """A folder on this machine, or on a disk that several share; made when it is first written to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all; DiskSpaceError or ResultsError if that fails."""
        try:
            check_space(self.path, len(content), name)
            owner = f".{socket.gethostname()}-{os.getpid()}"
            write_whole(self.path / name, lambda beside: beside.write_bytes(content), owner)
        except DiskSpaceError as error:
            raise DiskSpaceError(f"{error}; {_KEPT}") from None
        except OSError as error:
            raise ResultsError(f"{self.path / name}: cannot be written ({error.strerror or error}); {_KEPT}") from None

    def read(self, name: str) -> bytes:
        """Reads a file; FileNotFoundError if it is not there, ResultsError for any other failure."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ResultsError(f"{self.path / name}: cannot be read ({error.strerror or error})") from None

    def names(self) -> list[str]:
        """The names of the files in it; none if there is no such folder."""
        return [each.name for each in self.path.iterdir()] if self.path.is_dir() else []

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lets no other run enter (ResultsError); what a killed run left half-written is cleared away."""
        if self.path.exists() and not self.path.is_dir():
            raise ResultsError(f"{self.path}: a file (expected a folder for results)")
        with locked(self.path / _LOCK, self.path):
            for left in self.path.glob(".*part-*.part.*"):
                left.unlink(missing_ok=True)
            yield


class RemoteFolder:
    """A folder at an address, as `LocalFolder`. Object stores show a file when all of it is there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._protocol = url.partition("://")[0]

    def __str__(self) -> str:
        return self.url

    def write(self, name: str, content: bytes) -> None:
        """See `LocalFolder`."""
        file = f"{self.url}/{name}"
        try:
            with explained(file, ResultsError):
                within(WHOLE_FILE, lambda: filesystem(self._protocol).pipe_file(file, content))
        except (FileNotFoundError, ResultsError) as error:
            raise ResultsError(f"{error}; {_KEPT}") from None

    def read(self, name: str) -> bytes:
        """See `LocalFolder`."""
        file = f"{self.url}/{name}"
        with explained(file, ResultsError):
            return bytes(within(WHOLE_FILE, lambda: filesystem(self._protocol).cat_file(file)))

    def names(self) -> list[str]:
        """See `LocalFolder`."""
        try:
            with explained(self.url, ResultsError):
                return [str(each["name"]).rstrip("/").rpartition("/")[2] for each in listing(self.url)]
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        """See `LocalFolder`."""
        file = f"{self.url}/{name}"
        with suppress(FileNotFoundError), explained(file, ResultsError):
            within(TIMEOUT, lambda: filesystem(self._protocol).rm_file(file))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """See `LocalFolder`. The lock is a file that is written anew as long as the run lives.

        Two that start in the same moment may both come in. They would write the same bytes, so nothing is lost but
        time.
        """
        with explained(self.url, ResultsError):
            reach(self.url)
        self._check_lock()
        over = threading.Event()
        self._sign()

        def live() -> None:
            while not over.wait(_SIGN_OF_LIFE):
                with suppress(ResultsError):  # the next shard says it louder
                    self._sign()

        thread = threading.Thread(target=live, daemon=True, name="boxless-lock")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(TIMEOUT)
            with suppress(ResultsError):
                self.remove(_REMOTE_LOCK)

    def _check_lock(self) -> None:
        """Raises ResultsError if another run gave a sign of life lately; a lock that makes no sense is none."""
        try:
            lock: Any = json.loads(self.read(_REMOTE_LOCK))
            who, age = str(lock["who"])[:200], time.time() - float(lock["at"])
        except (FileNotFoundError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return
        if abs(age) < _DEAD:  # from further in the future, the clock of one of the two is wrong
            raise _busy(
                str(self),
                f"{who}, last sign of life {max(0, age):.0f} s ago",
                f"wait for it, or, if it was killed, try again in {_DEAD - age:.0f} s, or use another folder",
            )

    def _sign(self) -> None:
        self.write(_REMOTE_LOCK, json.dumps({"who": _who(), "at": time.time()}).encode())


Folder: TypeAlias = LocalFolder | RemoteFolder


def folder_at(place: str) -> Folder:
    """The folder of a path, or of an address such as s3://bucket/results; it need not be there yet."""
    return RemoteFolder(place.rstrip("/")) if is_url(place) else LocalFolder(Path(place).absolute())


@contextmanager
def locked(file: Path, folder: Path) -> Iterator[None]:
    """Keeps other runs out of a folder on a disk (ResultsError) by locking a file, which is made where it is missing.

    The system lets go when this process ends, however it ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+b") as lock:
        try:
            _lock(lock)
            if not os.path.samestat(file.stat(), os.fstat(lock.fileno())):
                raise OSError("removed by the run that had it")
        except OSError:
            lock.seek(0)
            who = lock.read().decode("utf-8", "replace") or "unknown"
            raise _busy(str(folder), who, "wait for it, or use another folder") from None
        lock.truncate(0)
        lock.write(_who().encode())
        lock.flush()
        yield


def _busy(folder: str, who: str, advice: str) -> ResultsError:
    return ResultsError(f"{folder}: another run is at work there ({who}); {advice}")


def _who() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
