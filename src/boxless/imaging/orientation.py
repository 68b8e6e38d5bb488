"""Which way up an image is displayed: the one place that reads orientation and turns pixels, for every container.

Boxes and masks that were drawn on pixels as stored are turned by `boxless.datasets.masks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from boxless.imaging.containers import open_image

Array = TypeVar("Array", bound=NDArray[Any])

SIDEWAYS = (5, 6, 7, 8)
"""The orientations that swap height and width; see EXIF 2.32, section 4.6.4, tag 274."""


@dataclass(frozen=True)
class ImageSize:
    """The size of an image.

    Attributes:
        height, width: as displayed, in pixels.
        orientation: how the stored pixels are turned to be displayed, 1 to 8 as in EXIF; 1 means not at all.
    """

    height: int
    width: int
    orientation: int = 1

    @property
    def displayed(self) -> tuple[int, int]:
        """(height, width) as displayed."""
        return self.height, self.width

    @property
    def stored(self) -> tuple[int, int]:
        """(height, width) of the pixels in the file, before they are turned."""
        return self.displayed[::-1] if self.orientation in SIDEWAYS else self.displayed


def displayed_size(path: Path) -> ImageSize:
    """The size of an image as displayed, without decoding it where the format allows that.

    Args:
        path: of an image of any kind that boxless reads.

    Returns:
        The same size as `read_image` reports.

    Raises:
        OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError: if it cannot be read.

    Example:
        >>> from pathlib import Path
        >>> displayed_size(Path("examples/pictures/coffee.jpg")).displayed
        (400, 600)
    """
    with open_image(path) as image:
        return size_of(image)


def size_of(image: Image.Image) -> ImageSize:
    """The size of an opened image as displayed.

    Args:
        image: decoded or not.

    Returns:
        Its size and orientation. Of a TIFF that is decoded already the orientation is 1: Pillow has turned it.
    """
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (SyntaxError, ValueError, KeyError, IndexError, EOFError):  # damaged EXIF data, which viewers ignore
        orientation = 1
    orientation = orientation if orientation in range(1, 9) else 1
    width, height = image.size
    if orientation in SIDEWAYS and not _turns_itself(image):
        width, height = height, width
    return ImageSize(height, width, orientation)


def left_to_turn(image: Image.Image, orientation: int) -> int:
    """The orientation that remains to be applied to an image once Pillow has decoded it.

    Args:
        image: opened by Pillow.
        orientation: as its file says, see `size_of`.
    """
    return 1 if _turns_itself(image) else orientation


@contextmanager
def unmapped(image: Image.Image) -> Iterator[None]:
    """Keeps Pillow from mapping a TIFF's file into memory: a grey one that lies on its side it would map wrongly.

    Args:
        image: opened; to be decoded in the block.
    """
    name = getattr(image, "filename", None)
    if not (name and _turns_itself(image)):
        yield
        return
    image.filename = ""  # type: ignore[attr-defined]
    try:
        yield
    finally:
        image.filename = name  # type: ignore[attr-defined]


def turned(pixels: Array, orientation: int) -> Array:
    """Pixels as displayed.

    Args:
        pixels: (height, width, ...) as stored.
        orientation: 1 to 8, see `ImageSize`.

    Returns:
        (height, width, ...) as displayed, contiguous; the same array where there is nothing to turn.

    Example:
        >>> turned(np.array([[1, 2]]), 6).tolist()
        [[1], [2]]
    """
    upright: Any = pixels
    if orientation in SIDEWAYS:
        upright = upright.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        upright = upright[:, ::-1]
    if orientation in (3, 4, 7, 8):
        upright = upright[::-1]
    return np.ascontiguousarray(upright)  # type: ignore[return-value]


def _turns_itself(image: Image.Image) -> bool:
    """Whether Pillow turns an image when it decodes it, and gives the displayed size even before."""
    return image.format == "TIFF"
