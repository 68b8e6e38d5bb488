"""Pictures of more than eight bits a channel -> eight bits."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras, scanners and microscopes give. Files have room for 16, whatever is in them."""


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers of up to 16 bits, scaled to 0-255 by the depth that is there: that of the largest value.

    White is the largest number of 8, 10, 12, 14 or 16 bits, the first that no value exceeds: a 12-bit picture in a
    16-bit file is as bright as it was in the camera. A real 16-bit picture whose brightest pixel is below a quarter of
    white cannot be told from one of 14 bits, and comes out four times as bright.

    Args:
        values: any shape; what lies outside 0-65535 is cut off.
    """
    known = values.clip(0, 65535)
    largest = int(known.max(initial=0))
    white = next(2**bits - 1 for bits in _DEPTHS if largest < 2**bits)
    return np.asarray((known * (255 / white)).round(), np.uint8)


def with_all_bits(image: Image.Image) -> Image.Image:
    """A picture of 16-bit colours, decoded and scaled by `eight_bits`; any other as it is.

    Pillow keeps the upper eight bits of each colour, which is next to nothing of a 12-bit picture. Such a dark one is
    decoded again, in all its bits, by OpenCV.

    Args:
        image: opened and not decoded yet, or else it is left as it is.
    """
    colours = image.mode == "RGB" and "transparency" not in image.info
    file = getattr(image, "fp", None)
    if not (colours and file and any(";16" in str(tile.args) for tile in getattr(image, "tile", ()))):
        return image
    place = file.tell()
    file.seek(0)
    data = np.frombuffer(file.read(), np.uint8)
    file.seek(place)
    image.load()
    if np.asarray(image).max(initial=0) >= 1 << 6:  # of the upper eight bits: a value of more than 14 bits
        return image
    whole = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    if whole is None or whole.shape != (image.height, image.width, 3):
        return image
    scaled = Image.fromarray(eight_bits(whole[..., ::-1]))
    scaled.getexif().update(image.getexif())
    return scaled
