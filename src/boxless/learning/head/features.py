"""Features of many images from a frozen backbone: made once, kept on disk, read in pieces."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError
from boxless.export.backbone import Backbone
from boxless.imaging.read import read_image, resize_pixels
from boxless.system.cores import usable_cores
from boxless.system.files import cache_folder, check_space
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

Seen: TypeAlias = "tuple[bytes, Floats | None, str]"
"""An image's digest; its features, unless they are known; or why there are none."""

Engine: TypeAlias = "Callable[[Extractor, Sequence[Path]], Iterator[tuple[int, Seen]]]"
"""Extracts features of images, and gives the index and what was seen of each once, in any order."""

_DIGEST = 16  # bytes


@dataclass(frozen=True, eq=False)
class Features:
    """The features of n images, on disk.

    Attributes:
        path: of the file that keeps them.
        width: C, how many there are of an image.
        places: int64 (n,), the record of each image in that file; -1 where it cannot be read.
        unreadable: why, by index.
        cached: how many images were on disk already.
    """

    path: Path
    width: int
    places: NDArray[np.int64]
    unreadable: dict[int, str]
    cached: int

    def __len__(self) -> int:
        return len(self.places)

    @property
    def pooled(self) -> Floats:
        """All of them, in memory: float32 (n, C); of what cannot be read, zeros."""
        return self[slice(None)]

    def __getitem__(self, part: slice | NDArray[np.int64]) -> Floats:
        """Some of them, in memory: float32 (m, C)."""
        places = self.places[part]
        rows = np.zeros((len(places), self.width), np.float32)
        there = places >= 0
        if there.any():
            rows[there] = np.memmap(self.path, _record(self.width), mode="r")["features"][places[there]]
        return rows

    def only(self, chosen: NDArray[np.int64]) -> Features:
        """Those of some of the images, by index, all of which can be read."""
        return replace(self, places=self.places[chosen], unreadable={})


@dataclass(frozen=True, eq=False)
class Extractor:
    """Makes the pooled features of one image file.

    Attributes:
        backbone: frozen.
        side: pixels; an image is resized to about side * side of them.
        known: digests of images whose features are stored already.
    """

    backbone: Backbone
    side: int
    known: Collection[bytes]

    def __call__(self, file: Path) -> Seen:
        """The digest of a file, its features (C,) unless known, and why it has none."""
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return b"", None, "no such file"
        except OSError as error:
            return b"", None, error.strerror or str(error)
        digest = hashlib.blake2b(content, digest_size=_DIGEST).digest()
        if digest in self.known:
            return digest, None, ""
        try:
            image = read_image(content if content else file, enough=self.side)
        except ImageError as error:
            return digest, None, str(error)
        size = self.backbone.card.input_size(self.side, image.height, image.width)
        features = self.backbone.pool(resize_pixels(image.pixels, *size), size)
        if not np.isfinite(features).all():
            return digest, None, "the backbone's features of it are not finite"
        return digest, features, ""


def here(extractor: Extractor, paths: Sequence[Path]) -> Iterator[tuple[int, Seen]]:
    """The engine of one machine: an image a core."""
    return enumerate(ordered_map(extractor, paths, usable_cores()))


def pooled_features(
    backbone: Backbone,
    paths: Sequence[Path],
    side: int,
    *,
    engine: Engine = here,
    done: Callable[[int], object] = lambda count: None,
) -> Features:
    """The averages over positions of the backbone's last features, each image in its own aspect ratio.

    They are kept by the image's content: what was made stays made, after a kill, in another folder, or with
    other labels.

    Args:
        backbone: frozen.
        paths: n images.
        side: pixels; an image is resized to about side * side of them.
        engine: what runs the extractor over the images.
        done: called after each image with how many are done.

    Raises:
        DiskSpaceError: if the features would not fit on the disk.
        OutputError: if the cache cannot be written to.
    """
    path = cache_folder("features") / f"{_fingerprint(backbone)}-{side}-crc.bin"
    record = _record(backbone.width)
    check_space(path.parent, len(paths) * record.itemsize, "the features' cache ($BOXLESS_CACHE)")
    with _Store(path, record) as store:
        places = np.full(len(paths), -1, np.int64)
        unreadable: dict[int, str] = {}
        cached = 0
        extractor = Extractor(backbone, side, store)
        for count, (i, (digest, made, reason)) in enumerate(engine(extractor, paths), start=1):
            if reason:
                unreadable[i] = reason
            else:
                cached += made is None
                places[i] = store.place(digest, made)
            done(count)
    return Features(path, backbone.width, places, unreadable, cached)


class _Store(Collection[bytes]):
    """A file of records (digest, checksum, features) that only grows; one that a kill cut short is cut off."""

    def __init__(self, path: Path, record: np.dtype[np.void]) -> None:
        self._path = path
        self._record = record

    def __enter__(self) -> Self:
        # Unbuffered: a record is one write, whole even if another run adds to the file at the same time.
        self._file = self._path.open("a+b", buffering=0)
        whole, rest = divmod(self._path.stat().st_size, self._record.itemsize)
        if rest:  # else nothing is cut off, for another run may be adding
            self._file.truncate(whole * self._record.itemsize)
        records = np.memmap(self._path, self._record, mode="r", shape=(whole,)) if whole else ()
        # A record that was damaged on disk is computed again.
        self._places = {each["digest"].tobytes(): i for i, each in enumerate(records) if each["crc"] == _crc(each)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, digest: object) -> bool:
        return digest in self._places

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def place(self, digest: bytes, features: Floats | None) -> int:
        """Where the features of an image are; they are kept, now, if they are new."""
        if digest not in self._places:
            record = np.array((digest, 0, features), self._record)
            record["crc"] = _crc(record)
            self._file.write(record.tobytes())
            self._places[digest] = self._file.tell() // self._record.itemsize - 1
        return self._places[digest]


def _record(width: int) -> np.dtype[np.void]:
    return np.dtype([("digest", f"V{_DIGEST}"), ("crc", "<u4"), ("features", "<f4", (width,))])


def _crc(record: NDArray[np.void] | np.void) -> int:
    return zlib.crc32(record["features"].tobytes(), zlib.crc32(record["digest"].tobytes()))


def _fingerprint(backbone: Backbone) -> str:
    return hashlib.blake2b(backbone.path.read_bytes(), digest_size=8).hexdigest()
