"""Pictures and results elsewhere: s3://, gs://, hf://, https:// and whatever else fsspec knows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from boxless.errors import DatasetError, first_line
from boxless.system.extras import missing_extra


def is_url(spec: str) -> bool:
    """Whether a source is an address, such as s3://bucket/folder, and no path on this machine."""
    return "://" in spec


if TYPE_CHECKING:
    import fsspec


@cache
def filesystem(protocol: str) -> fsspec.AbstractFileSystem:
    """The file system of fsspec for a protocol such as "s3", one a process.

    Raises:
        MissingExtraError: if its package is not installed.
        DatasetError: if there is no such protocol.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        import fsspec
    except ImportError:
        raise missing_extra(f"reading {protocol}://", "fsspec", "cloud") from None
    try:
        return fsspec.filesystem(protocol, **_OPTIONS.get(protocol, {}))
    except ImportError as error:
        raise missing_extra(f"reading {protocol}://", first_line(error), "cloud") from None
    except ValueError as error:
        raise DatasetError(f"{protocol}://: no such place ({first_line(error)})") from None


_TALKATIVE = ("aiobotocore", "botocore", "fsspec", "gcsfs", "huggingface_hub", "s3fs")
"""Libraries that log an error, traceback and all, before they raise it."""

# A listing that is kept would grow with the number of names.
_OPTIONS: dict[str, dict[str, Any]] = {
    name: {"use_listings_cache": False} for name in ("s3", "gs", "hf", "http", "https")
}


_PAUSES = (0.5, 2.0)
"""Seconds before a fetch that failed is tried again."""


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
        """Fetches the bytes.

        Raises:
            OSError: if that fails, whatever the library that tried calls it.
        """
        protocol = self.url.partition("://")[0]
        end = None if self.size is None else self.start + self.size
        for pause in (*_PAUSES, None):
            try:
                with FetchErrors():
                    content: bytes = filesystem(protocol).cat_file(self.url, start=self.start or None, end=end)
                    return content
            except (FileNotFoundError, PermissionError):
                raise
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


class FetchErrors:
    """Other libraries' errors of a fetch as OSError, which becomes the picture's `error`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, OSError):
            raise OSError(first_line(error)) from None


def open_remote(url: str) -> IO[bytes]:
    """A file at an address, opened for reading bytes, with seek.

    Raises:
        DatasetError: if it is not there, or may not be read.
    """
    with _ListingErrors(url):
        file: IO[bytes] = filesystem(url.partition("://")[0]).open(url, "rb")
        return file


def walk_remote(url: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    """The addresses of the files below one, sorted, a folder's listing at a time.

    Raises:
        DatasetError: if it is not there, or may not be listed.
    """
    protocol = url.partition("://")[0]
    system = filesystem(protocol)
    with _ListingErrors(url):
        if "*" in url or "?" in url.partition("://")[2]:
            found: list[str] = sorted(system.glob(url))
            entries = [{"name": name, "type": "file"} for name in found]
        else:
            entries = sorted(system.ls(url.rstrip("/"), detail=True), key=lambda entry: str(entry["name"]))
    for entry in entries:
        name = str(entry["name"])
        full = name if is_url(name) else f"{protocol}://{name}"
        last = name.rstrip("/").rpartition("/")[2]
        if last.startswith("."):
            continue
        if entry["type"] == "directory":
            yield from walk_remote(full, wanted)
        elif wanted(last):
            yield full


class _ListingErrors:
    """Says of which address an error is, and what helps."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # To fsspec, what cannot be reached over http is not there either; its cause tells.
        if isinstance(error, FileNotFoundError) and isinstance(error.__cause__, OSError):
            error = error.__cause__
        if isinstance(error, FileNotFoundError):
            raise DatasetError(f"{self._url}: no such file or folder there") from None
        if isinstance(error, PermissionError):
            raise DatasetError(
                f"{self._url}: permission denied (expected credentials that may list and read it, where the "
                "store's own tools look for them)"
            ) from None
        if isinstance(error, Exception):
            raise DatasetError(
                f"{self._url}: cannot be read ({first_line(error)}); is the address right, and can this machine "
                "reach it?"
            ) from None
