"""Images and results at addresses: s3://, gs://, hf://, https:// and whatever else fsspec knows."""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TypeVar

from boxless.errors import BoxlessError, DatasetError, first_line
from boxless.system.extras import missing_extra

if TYPE_CHECKING:
    import fsspec
    from _typeshed import WriteableBuffer

T = TypeVar("T")

TIMEOUT = 30.0
"""Seconds within which an address has to answer, or to give the next bytes."""

WHOLE_FILE = 300.0
"""Seconds within which a file of results has to be read or written."""

_PAUSES = (0.5, 2.0)
"""Seconds before a fetch that failed is tried again."""

_TALKATIVE = ("aiobotocore", "botocore", "fsspec", "gcsfs", "huggingface_hub", "s3fs")
"""Libraries that log an error, traceback and all, before they raise it."""


def is_url(spec: str) -> bool:
    """Whether a source is an address, such as s3://bucket/folder, and no path on this machine."""
    return "://" in spec


@cache
def filesystem(protocol: str) -> fsspec.AbstractFileSystem:
    """The file system of fsspec for a protocol such as "s3", one a process."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        import fsspec

        return fsspec.filesystem(protocol, **_options(protocol))
    except ImportError as error:
        raise missing_extra(f"reading {protocol}://", first_line(error), "cloud") from None
    except ValueError as error:
        raise DatasetError(f"{protocol}://: no such place ({first_line(error)})") from None


def _options(protocol: str) -> dict[str, Any]:
    if protocol not in ("s3", "gs", "hf", "http", "https"):
        return {}
    options: dict[str, Any] = {"use_listings_cache": False}  # it would grow with the number of names
    if protocol == "s3":
        options["config_kwargs"] = {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT}
    elif protocol.startswith("http"):
        import aiohttp

        # Longer than `within` waits: to fsspec's `exists`, an address whose clock ran out is not there.
        clock = aiohttp.ClientTimeout(total=None, sock_connect=2 * TIMEOUT, sock_read=2 * TIMEOUT)
        options["client_kwargs"] = {"timeout": clock}
    return options


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns; TimeoutError if there is no answer within so many seconds.

    It runs in a thread of its own, since not every client gives up by itself. That does not keep the process from
    ending.
    """
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # raised by `result`, in the thread that waits
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True, name="boxless-remote").start()
    if not wait([answer], seconds).done:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    return answer.result()


def _why(error: BaseException) -> str:
    """What an error says, in a line; stores' own clocks that run out say nothing."""
    return (
        f"no answer within {TIMEOUT:.0f} s" if isinstance(error, TimeoutError) and not str(error) else first_line(error)
    )


@contextmanager
def explained(url: str, kind: type[BoxlessError] = DatasetError) -> Iterator[None]:
    """A store's errors as one that says what helps; that something is not there stays a FileNotFoundError."""
    try:
        yield
    except BoxlessError:
        raise
    except PermissionError:
        raise kind(
            f"{url}: permission denied (expected credentials that may list, read and write there, where the store's "
            "own tools look for them)"
        ) from None
    # Each store has errors of its own.
    except Exception as error:
        # To fsspec, what cannot be reached over http is not there either; its cause tells.
        if isinstance(error, FileNotFoundError) and not isinstance(error.__cause__, OSError):
            raise
        why = _why(error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error)
        raise kind(
            f"{url}: cannot be read or written ({why}); is the address right, and can this machine reach it?"
        ) from None


@contextmanager
def _found(url: str) -> Iterator[None]:
    try:
        with explained(url):
            yield
    except FileNotFoundError:
        raise DatasetError(f"{url}: no such file or folder there") from None


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Other libraries' errors of a fetch as OSError, which becomes the image's `error`."""
    try:
        yield
    except TimeoutError as error:
        raise TimeoutError(_why(error)) from None
    except OSError:
        raise
    except Exception as error:
        raise OSError(first_line(error)) from None


@dataclass(frozen=True, slots=True)
class Remote:
    """A file at an address, or a part of it.

    Attributes:
        url: with its protocol.
        start, size: of the part, in bytes; all of it where `size` is None.
    """

    url: str
    start: int = 0
    size: int | None = None

    def read(self) -> bytes:
        """Fetches the bytes; OSError if that fails three times, whatever the library that tried calls it."""
        system = filesystem(self.url.partition("://")[0])
        end = None if self.size is None else self.start + self.size
        for pause in (*_PAUSES, None):
            try:
                with as_os_errors():
                    content = within(TIMEOUT, lambda: system.cat_file(self.url, start=self.start or None, end=end))
                if self.size is not None and len(content) != self.size:
                    raise OSError(f"{len(content)} bytes of {self.size}: the archive is cut short")
                return bytes(content)
            except (FileNotFoundError, PermissionError):
                raise
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


@contextmanager
def opened_remote(url: str) -> Iterator[IO[bytes]]:
    """A file at an address, opened for reading bytes; DatasetError if that fails, also while it is read."""
    system = filesystem(url.partition("://")[0])
    with _found(url):
        file = within(TIMEOUT, lambda: system.open(url, "rb"))
        with io.BufferedReader(_Timed(file)) as reader:
            yield reader


class _Timed(io.RawIOBase):
    """A file of fsspec whose reads end, one way or the other."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.size is not None and bool(self._file.seekable())  # a server without ranges gives a stream

    def seek(self, place: int, whence: int = 0) -> int:
        return int(self._file.seek(place, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        content = within(TIMEOUT, lambda: self._file.read(len(view)))
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        with suppress(Exception):  # what was read is read
            self._file.close()
        super().close()


def reach(url: str) -> None:
    """Makes sure that an address answers within `TIMEOUT`; what it answers does not matter."""
    system = filesystem(url.partition("://")[0])
    with suppress(FileNotFoundError, PermissionError):
        within(TIMEOUT, lambda: system.exists(url))


def listing(url: str) -> list[dict[str, Any]]:
    """The entries of a folder at an address, or those that fit a pattern, as fsspec describes them, by name."""
    system = filesystem(url.partition("://")[0])
    reach(url)  # a long listing has no time limit; one that never begins has
    if has_pattern(url):
        entries = [{**about, "name": name} for name, about in system.glob(url, detail=True).items()]
    else:
        entries = system.ls(url.rstrip("/"), detail=True)
    return sorted(entries, key=lambda entry: str(entry["name"]))


def has_pattern(url: str) -> bool:
    """Whether an address is a pattern, such as s3://bucket/*.jpg."""
    return bool(set(url) & set("*?"))


def walk_remote(url: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """The addresses and versions of the files below one, sorted, a folder's listing at a time."""
    with _found(url):
        entries = listing(url)
    for entry in entries:
        name = str(entry["name"])
        full = name if is_url(name) else f"{url.partition('://')[0]}://{name}"
        last = name.rstrip("/").rpartition("/")[2]
        if last.startswith("."):
            continue
        if entry["type"] == "directory" and not has_pattern(url):
            yield from walk_remote(full, wanted)
        elif wanted(last):
            yield full, version_of(entry)


def remote_version(url: str) -> str:
    """The version of a file at an address, as of `version_of`; DatasetError if it cannot be read."""
    with _found(url):
        return version_of(within(TIMEOUT, lambda: filesystem(url.partition("://")[0]).info(url)))


def version_of(entry: dict[str, Any]) -> str:
    """What changes when a file is replaced: its tag, size and time, as far as the store says them."""
    tags = (
        "ETag",
        "etag",
        "md5Hash",
        "blob_id",
        "size",
        "LastModified",
        "last_modified",
        "updated",
        "mtime",
        "created",
    )
    return " ".join(str(entry[tag]) for tag in tags if entry.get(tag) is not None)
