"""Features of many pictures from a frozen backbone: made once, kept on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from boxless.errors import PictureError
from boxless.files import cache_folder, check_space
from boxless.graph.backbone import Backbone
from boxless.image import read_picture, resize_pixels
from boxless.ordered import ordered_map

Floats = NDArray[np.float32]

_DIGEST = 16  # bytes


@dataclass(frozen=True, eq=False)
class Features:
    """The features of pictures.

    Attributes:
        pooled: float32 (n, C), a row a picture; of what cannot be read, zeros.
        unreadable: why, by index.
        cached: how many rows were on disk already.
        path: of the file that keeps them.
    """

    pooled: Floats
    unreadable: dict[int, str]
    cached: int
    path: Path


def pooled_features(
    backbone: Backbone,
    paths: Sequence[Path],
    side: int,
    *,
    workers: int | None = None,
    done: Callable[[int], object] = lambda count: None,
) -> Features:
    """The averages over positions of the backbone's last features, each picture in its own aspect ratio.

    They are kept by the picture's content: what was made stays made, after a kill, in another folder, or with
    other labels.

    Args:
        backbone: frozen.
        paths: n pictures.
        side: pixels; a picture is looked at with about side * side of them.
        workers: pictures under way at a time; one a core where None.
        done: told after each picture how many are done.

    Raises:
        DiskSpaceError: if the features would not fit on the disk.
    """
    path = cache_folder() / "features" / f"{_fingerprint(backbone)}-{side}.bin"

    def one(file: Path) -> tuple[bytes, Floats | None, str]:
        """The picture's digest; and its features, unless they are known; or why there are none."""
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return b"", None, "no such file"
        except OSError as error:
            return b"", None, error.strerror or str(error)
        digest = hashlib.blake2b(content, digest_size=_DIGEST).digest()
        if digest in store:
            return digest, None, ""
        try:
            picture = read_picture(content if content else file, enough=side)
        except PictureError as error:
            return digest, None, str(error)
        size = backbone.card.look_size(side, picture.height, picture.width)
        return digest, backbone.pool(resize_pixels(picture.pixels, *size), size), ""

    check_space(path.parent, len(paths) * _record(backbone.width).itemsize, "the features' cache ($BOXLESS_CACHE)")
    with _Store(path, _record(backbone.width)) as store:
        rows = np.zeros((len(paths), backbone.width), np.float32)
        unreadable: dict[int, str] = {}
        cached = 0
        for i, (digest, made, reason) in enumerate(ordered_map(one, paths, workers or os.cpu_count() or 1)):
            if reason:
                unreadable[i] = reason
            elif made is None:
                rows[i] = store[digest]
                cached += 1
            else:
                rows[i] = made
                store.add(digest, made)
            done(i + 1)
    return Features(rows, unreadable, cached, path)


class _Store:
    """A file of records, digest and features, that only grows; a record that a kill cut short is cut off."""

    def __init__(self, path: Path, record: np.dtype[np.void]) -> None:
        self._path = path
        self._record = record

    def __enter__(self) -> Self:
        self._file = self._path.open("a+b")
        whole = self._path.stat().st_size // self._record.itemsize
        self._file.truncate(whole * self._record.itemsize)
        digests = np.memmap(self._path, self._record, mode="r", shape=(whole,))["digest"] if whole else ()
        self._place = {digest.tobytes(): i for i, digest in enumerate(digests)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._place

    def __getitem__(self, digest: bytes) -> Floats:
        self._file.seek(self._place[digest] * self._record.itemsize)
        features: Floats = np.frombuffer(self._file.read(self._record.itemsize), self._record)[0]["features"]
        return features

    def add(self, digest: bytes, features: Floats) -> None:
        """Keeps the features of a picture, now."""
        if digest not in self._place:
            self._file.write(np.array((digest, features), self._record).tobytes())
            self._file.flush()
            self._place[digest] = len(self._place)


def _record(width: int) -> np.dtype[np.void]:
    return np.dtype([("digest", f"V{_DIGEST}"), ("features", "<f4", (width,))])


def _fingerprint(backbone: Backbone) -> str:
    return hashlib.blake2b(backbone.path.read_bytes(), digest_size=8).hexdigest()
