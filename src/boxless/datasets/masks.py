"""Which pixels are the object's: masks in the forms in which data sets keep them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxless.errors import DatasetError
from boxless.imaging.containers import open_picture
from boxless.maps.run_lengths import mask_of, unpacked

Pixels = NDArray[np.uint8]

BACKGROUND, OBJECT, IGNORED = 0, 1, 255


class Mask(ABC):
    """A mask that is read when it is needed, so that a data set's masks need not fit into memory."""

    @abstractmethod
    def read(self, height: int, width: int) -> Pixels:
        """The mask on a picture of that size: uint8 (height, width) of BACKGROUND, OBJECT and IGNORED."""

    @staticmethod
    def union(masks: Sequence[Mask]) -> Mask | None:
        """All together: what is an object in one is an object; None without masks."""
        return _Union(tuple(masks)) if len(masks) > 1 else next(iter(masks), None)


@dataclass(frozen=True)
class _Union(Mask):
    parts: tuple[Mask, ...]

    def read(self, height: int, width: int) -> Pixels:
        every = np.stack([part.read(height, width) for part in self.parts])
        ignored = np.where((every == IGNORED).any(axis=0), IGNORED, BACKGROUND)
        return np.where((every == OBJECT).any(axis=0), OBJECT, ignored).astype(np.uint8)


@dataclass(frozen=True)
class MaskFile(Mask):
    """A picture that is bright (above half) where the object is, and maybe another for what does not count."""

    path: Path
    ignore: Path | None = None

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`. What is both ignored and an object is an object."""
        mask = np.zeros((height, width), np.uint8)
        if self.ignore is not None:
            mask[_grey(self.ignore, height, width) > 127] = IGNORED
        mask[_grey(self.path, height, width) > 127] = OBJECT
        return mask


@dataclass(frozen=True)
class PaletteFile(Mask):
    """A picture whose palette index says the class, and 255 what does not count: Pascal VOC's."""

    path: Path
    index: int

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        values = _values(self.path, height, width)
        return np.where(values == IGNORED, IGNORED, np.where(values == self.index, OBJECT, BACKGROUND)).astype(np.uint8)


@dataclass(frozen=True)
class Polygons(Mask):
    """Outlines on a picture of `size` (height, width): COCO's. Each is a flat (x, y, x, y, ...).

    Raises:
        ValueError: if an outline has no coordinates, or an odd number of them, or some that are not finite.
    """

    outlines: tuple[tuple[float, ...], ...]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        for outline in self.outlines:
            if len(outline) % 2 or not outline or not np.isfinite(outline).all():
                raise ValueError(f"an outline of {len(outline)} coordinates (expected pairs of finite numbers)")

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        scale = np.array([width / self.size[1], height / self.size[0]])
        inside = np.zeros((height, width), bool)
        for outline in self.outlines:
            inside |= _inside(np.array(outline).reshape(-1, 2) * scale, height, width)
        return np.where(inside, OBJECT, BACKGROUND).astype(np.uint8)


@dataclass(frozen=True)
class RunLengths(Mask):
    """Lengths of background and object by turns, column after column, on a picture of `size`: COCO's RLE."""

    counts: tuple[int, ...]
    size: tuple[int, int]

    @classmethod
    def from_coco(cls, data: dict[str, Any]) -> RunLengths:
        """From COCO's `{"size": [h, w], "counts": [...] or text}`."""
        counts = data["counts"]
        height, width = data["size"]
        return cls(tuple(unpacked(counts) if isinstance(counts, str) else map(int, counts)), (height, width))

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        try:
            mask = mask_of(self.counts, *self.size).view(np.uint8)
        except ValueError as error:
            raise DatasetError(str(error)) from None
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _inside(corners: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose centres a polygon (n, 2) encloses, by the even-odd rule; OpenCV's fill is half a pixel wider."""
    mask = np.zeros((height, width), bool)
    centres = np.arange(width) + 0.5
    (x0, y0), (x1, y1) = corners.T, np.roll(corners, -1, axis=0).T
    for row in range(max(0, int(y0.min())), min(height, int(y0.max()) + 1)):
        y = row + 0.5
        crossed = (y0 <= y) != (y1 <= y)
        at = x0[crossed] + (y - y0[crossed]) * (x1[crossed] - x0[crossed]) / (y1[crossed] - y0[crossed])
        mask[row] = np.searchsorted(np.sort(at), centres, side="right") % 2 == 1
    return mask


def _grey(path: Path, height: int, width: int) -> Pixels:
    return _resized(path, height, width, "L")


def _values(path: Path, height: int, width: int) -> Pixels:
    return _resized(path, height, width, None)


def _resized(path: Path, height: int, width: int, mode: str | None) -> Pixels:
    try:
        with open_picture(path) as image:
            picture = image.convert(mode) if mode else image
            return np.asarray(picture.resize((width, height), Image.Resampling.NEAREST), np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"{path}: a mask that cannot be read ({error})") from None
