"""Arrays as people have them -> RGB uint8."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError


def eight_bit_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """An image that is an array, as uint8.

    Args:
        array: (H, W, 3) RGB, (H, W, 4) RGBA, (H, W) or (H, W, 1) grey; uint8, or floats in [0, 1].

    Returns:
        uint8 (H, W, 3) or (H, W, 4), contiguous.

    Raises:
        ImageError: if it is of another shape, type or range, with what was found and what to do.

    Example:
        >>> eight_bit_array(np.ones((4, 5))).shape
        (4, 5, 3)
    """
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = ""
        if array.ndim == 4:
            hint = "; several images: use locate_many"
        elif array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; channels first: a.transpose(1, 2, 0)"
        raise _unknown(array, hint)
    if array.size == 0:
        raise ImageError(f"an array {array.shape} without pixels")
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # NaN too
            raise _unknown(array, f"; floats are to be in [0, 1], these go from {low:g} to {high:g}")
        array = (array * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise _unknown(array, "")
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    return np.ascontiguousarray(array)


def _unknown(array: NDArray[Any], hint: str) -> ImageError:
    return ImageError(
        f"an array {array.dtype} {array.shape} (expected uint8, or floats in [0, 1], of the shape (height, width, 3) "
        f"RGB, (height, width, 4) RGBA or (height, width) grey{hint})"
    )
