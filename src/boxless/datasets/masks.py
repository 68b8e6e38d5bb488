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
from boxless.imaging.containers import open_image
from boxless.maps.run_lengths import counts_of, mask_of, unpacked

Pixels = NDArray[np.uint8]

BACKGROUND, OBJECT, IGNORED = 0, 1, 255

_MOST_PIXELS = 150_000_000  # of a mask
_MOST_NUMBERS = 200_000  # of an outline
_FARTHEST = 1e7  # pixels of a corner from the image's


class Mask(ABC):
    """A mask that is read when it is needed, so that a data set's masks need not fit into memory."""

    @abstractmethod
    def read(self, height: int, width: int) -> Pixels:
        """The mask on an image of that size: uint8 (height, width) of BACKGROUND, OBJECT and IGNORED."""

    def counts(self, height: int, width: int) -> list[int]:
        """The mask as run lengths, see `boxless.maps.run_lengths.counts_of`."""
        return counts_of(self.read(height, width) == OBJECT)

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
    """An image that is bright (above half) where the object is, and maybe another for what does not count."""

    path: Path
    ignore: Path | None = None

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`. What is both ignored and an object is an object."""
        mask = np.zeros((height, width), np.uint8)
        if self.ignore is not None:
            mask[_resized(self.ignore, height, width, "L") > 127] = IGNORED
        mask[_resized(self.path, height, width, "L") > 127] = OBJECT
        return mask


@dataclass(frozen=True)
class PaletteFile(Mask):
    """An image whose palette index says the class, and 255 what does not count: Pascal VOC's."""

    path: Path
    index: int

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        values = _resized(self.path, height, width, None)
        return np.where(values == IGNORED, IGNORED, np.where(values == self.index, OBJECT, BACKGROUND)).astype(np.uint8)


@dataclass(frozen=True)
class Polygons(Mask):
    """Outlines on an image of `size` (height, width): COCO's. Each is a flat (x, y, x, y, ...).

    Raises:
        ValueError: if an outline has fewer than three points, or half a point, or coordinates that are not finite.
    """

    outlines: tuple[tuple[float, ...], ...]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        for outline in self.outlines:
            if len(outline) % 2 or not 6 <= len(outline) <= _MOST_NUMBERS or not np.abs(outline).max() < _FARTHEST:
                raise ValueError(f"an outline of {len(outline)} numbers (expected three or more points in pixels)")

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        scale = np.array([width / self.size[1], height / self.size[0]])
        inside = np.zeros((height, width), bool)
        for outline in self.outlines:
            inside |= _inside(np.array(outline).reshape(-1, 2) * scale, height, width)
        return np.where(inside, OBJECT, BACKGROUND).astype(np.uint8)


@dataclass(frozen=True)
class RunLengths(Mask):
    """Lengths of background and object by turns, column after column, on an image of `size`: COCO's RLE.

    Raises:
        ValueError: if the lengths are not those of a mask of that size.
    """

    lengths: tuple[int, ...]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        height, width = self.size
        if height <= 0 or width <= 0 or height * width > _MOST_PIXELS:
            raise ValueError(f"a mask of {height} x {width} pixels")
        if any(count < 0 for count in self.lengths) or sum(self.lengths) != height * width:
            raise ValueError(f"run lengths of another number of pixels than {height} x {width}")

    @classmethod
    def from_coco(cls, data: dict[str, Any]) -> RunLengths:
        """From COCO's `{"size": [h, w], "counts": [...] or text}`."""
        counts = data["counts"]
        height, width = map(int, data["size"])
        return cls(tuple(unpacked(counts) if isinstance(counts, str) else map(int, counts)), (height, width))

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        mask = mask_of(self.lengths, *self.size).view(np.uint8)
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    def counts(self, height: int, width: int) -> list[int]:
        """See `Mask.counts`."""
        return list(self.lengths) if self.size == (height, width) else super().counts(height, width)


@dataclass(frozen=True)
class Part(Mask):
    """Lengths of background and object by turns, row after row, of the part `box` (xyxy) of an image of `size`: CVAT's.

    Raises:
        ValueError: if the lengths are not those of the part, or it is not within the image.
    """

    lengths: tuple[int, ...]
    box: tuple[int, int, int, int]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        if not (0 <= x0 < x1 <= self.size[1] and 0 <= y0 < y1 <= self.size[0]) or (
            self.size[0] * self.size[1] > _MOST_PIXELS
        ):
            raise ValueError(f"a mask at {self.box} of an image of {self.size}")
        if any(length < 0 for length in self.lengths) or sum(self.lengths) != (x1 - x0) * (y1 - y0):
            raise ValueError(f"run lengths of another number of pixels than {y1 - y0} x {x1 - x0}")

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        x0, y0, x1, y1 = self.box
        whole = np.zeros(self.size, np.uint8)
        whole[y0:y1, x0:x1] = mask_of(self.lengths, x1 - x0, y1 - y0).T  # row after row
        return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


@dataclass(frozen=True)
class Turned(Mask):
    """A mask of an image as stored, read as of the image displayed; see `turned_box`."""

    mask: Mask
    orientation: int

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        across = self.mask.read(width, height).T
        across = across[:, ::-1] if self.orientation in (6, 7) else across
        return np.ascontiguousarray(across[::-1] if self.orientation in (7, 8) else across)


def turned_box(
    box: tuple[float, float, float, float], orientation: int, stored: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box, xyxy in pixels, on the image as displayed, from one on the image as stored, of (height, width).

    The orientation is 5 to 8, which swap height and width; see EXIF 2.32, section 4.6.4, tag 274.

    Example:
        >>> turned_box((0, 0, 20, 10), 6, (40, 60))
        (30, 0, 40, 20)
    """
    height, width = stored
    x0, y0, x1, y1 = box
    across = (height - y1, height - y0) if orientation in (6, 7) else (y0, y1)
    down = (width - x1, width - x0) if orientation in (7, 8) else (x0, x1)
    return across[0], down[0], across[1], down[1]


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


def readable_mask(path: Path) -> bool:
    """Whether an image file of a mask can be read."""
    try:
        _resized(path, 1, 1, None)
    except DatasetError:
        return False
    return True


def _resized(path: Path, height: int, width: int, mode: str | None) -> Pixels:
    try:
        with open_image(path) as image:
            converted = image.convert(mode) if mode else image
            return np.asarray(converted.resize((width, height), Image.Resampling.NEAREST), np.uint8)
    # Decoders of broken files raise nearly anything.
    except Exception as error:
        raise DatasetError(f"{path}: a mask that cannot be read ({error})") from None
