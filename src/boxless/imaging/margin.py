"""Images continued beyond their borders, and maps without what they say of that margin."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def with_margin(pixels: NDArray[np.uint8], margin: int) -> NDArray[np.uint8]:
    """An image continued by mirroring it about its outermost pixels.

    Args:
        pixels: RGB uint8 (h, w, 3).
        margin: pixels on every side; 0 leaves the image as it is.

    Returns:
        RGB uint8 (h + 2 * margin, w + 2 * margin, 3).

    Example:
        >>> with_margin(np.zeros((4, 6, 3), np.uint8), 2).shape
        (8, 10, 3)
    """
    if not margin:
        return pixels
    return np.asarray(cv2.copyMakeBorder(pixels, margin, margin, margin, margin, cv2.BORDER_REFLECT_101), np.uint8)


def without_margin(maps: Floats, margin: int, size: tuple[int, int]) -> Floats:
    """The part of maps that is of the image itself.

    Args:
        maps: (n, u, v), of an image with a margin.
        margin: pixels on every side, a multiple of what a cell covers.
        size: (height, width) of the image with its margin, in pixels.

    Returns:
        (n, u', v'), without the cells of the margin.

    Example:
        >>> without_margin(np.zeros((1, 8, 10), np.float32), 16, (64, 80)).shape
        (1, 4, 6)
    """
    rows, columns = (margin * cells // pixels for cells, pixels in zip(maps.shape[1:], size, strict=True))
    return maps[:, rows : maps.shape[1] - rows, columns : maps.shape[2] - columns]
