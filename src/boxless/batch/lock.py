"""One run at a time in a folder of results."""

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
from typing import IO, Protocol

from boxless.errors import ResultsError

LOCK = ".lock"
REMOTE_LOCK = "lock.json"

_SIGN_OF_LIFE = 20.0
"""Seconds after which a run says again, at an address, that it is still at work."""

_DEAD = 90.0
"""Seconds without a sign of life after which a run counts as dead."""


class Writable(Protocol):
    """What a lock at an address needs of its folder."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file."""

    def open(self, name: str) -> IO[bytes]:
        """Opens a file."""

    def remove(self, name: str) -> None:
        """Removes a file."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other runs out of a folder on a disk. The system lets go when this process ends, however it ends.

    Raises:
        ResultsError: if another run is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a+b") as file:
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            who = file.read().decode("utf-8", "replace") or "unknown"
            raise _busy(str(folder), who) from None
        file.truncate(0)
        file.write(_who().encode())
        file.flush()
        yield


@contextmanager
def remotely_locked(folder: Writable) -> Iterator[None]:
    """Keeps other runs out of a folder at an address: by a file there that is written anew as long as the run lives.

    Two that start in the same moment may both come in. They would write the same bytes, so nothing is lost but time.

    Raises:
        ResultsError: if another run gave a sign of life lately.
    """
    with suppress(FileNotFoundError, ValueError, KeyError):
        with folder.open(REMOTE_LOCK) as file:
            other = json.loads(file.read())
        if time.time() - other["at"] < _DEAD:
            raise _busy(str(folder), str(other["who"]))
    over = threading.Event()

    def live() -> None:
        while True:
            with suppress(ResultsError):  # the next shard says it louder
                folder.write(REMOTE_LOCK, json.dumps({"who": _who(), "at": time.time()}).encode())
            if over.wait(_SIGN_OF_LIFE):
                return

    thread = threading.Thread(target=live, daemon=True, name="boxless-lock")
    folder.write(REMOTE_LOCK, json.dumps({"who": _who(), "at": time.time()}).encode())
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(OSError):
            folder.remove(REMOTE_LOCK)


def _busy(folder: str, who: str) -> ResultsError:
    return ResultsError(f"{folder}: another run is at work there ({who}); wait for it, or use another folder")


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
