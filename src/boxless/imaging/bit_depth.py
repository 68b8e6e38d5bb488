"""Images of more than eight bits a channel -> eight bits."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxless.errors import ImageError

_DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras, scanners and microscopes give. Files have room for 16, whatever is in them."""

_BITS, _PHOTOMETRIC, _SAMPLES, _PLANAR, _SAMPLE_FORMAT = 258, 262, 277, 284, 339
"""Tags of TIFF 6.0."""

_WHITE_IS_ZERO = 0
_PLANES = 2
_SIGNED = 2


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers of up to 16 bits, scaled to 0-255 by the depth that is there: that of the largest value.

    White is the largest number of 8, 10, 12, 14 or 16 bits, the first that no value exceeds: a 12-bit image in a
    16-bit file keeps the brightness that the camera gave it. A real 16-bit image whose brightest pixel is below a
    quarter of white cannot be distinguished from one of 14 bits, and becomes four times as bright.

    Args:
        values: integers of any shape; what lies outside 0-65535 is cut off.

    Returns:
        uint8 of the same shape.

    Example:
        >>> eight_bits(np.array([0, 4095], np.uint16)).tolist()
        [0, 255]
    """
    known = values if values.dtype == np.uint16 else values.clip(0, 65535).astype(np.uint16)
    largest = int(known.max(initial=0))
    white = next(2**bits - 1 for bits in _DEPTHS if largest < 2**bits)
    scaled = (np.arange(largest + 1) * (255 / white)).round().astype(np.uint8)
    return np.asarray(scaled[known])


def check_tiff(image: Image.Image) -> None:
    """Refuses TIFFs that Pillow opens and decodes to something else.

    Args:
        image: opened, of any format.

    Raises:
        ImageError: with what the file has and what to do.
    """
    if image.format != "TIFF":
        return
    tags = _tags(image)
    bits = max(tags.get(_BITS, (1,)))
    if bits > 8 and tags.get(_PLANAR) == _PLANES and tags.get(_SAMPLES, 1) > 1:
        raise ImageError(
            f"a {bits}-bit TIFF that stores each colour in a plane of its own (expected interleaved colours: "
            "tiffcp -p contig IN.tif OUT.tif)"
        )


def sixteen_bit_file(image: Image.Image) -> bytes | None:
    """The whole file of an image of 16-bit colours, for `with_all_bits`; None of all other images.

    Args:
        image: opened and not decoded yet: a decoded one does not say any more what it was.
    """
    file = getattr(image, "fp", None)
    colours = any(";16" in str(tile.args) for tile in getattr(image, "tile", ())) and image.mode in ("RGB", "RGBA")
    if not (file and colours):
        return None
    place = file.tell()
    file.seek(0)
    content: bytes = file.read()
    file.seek(place)
    return content


def with_all_bits(image: Image.Image, content: bytes) -> Image.Image | None:
    """An image of 16-bit colours that are too dark for Pillow, decoded by OpenCV and scaled by `eight_bits`.

    Pillow keeps the upper eight bits of each colour, which is next to nothing of a 12-bit image.

    Args:
        image: as Pillow opens it.
        content: its file, see `sixteen_bit_file`.

    Returns:
        RGB or RGBA, turned as Pillow does: a TIFF already, other formats not yet. None if Pillow's is right.
    """
    image.load()
    if max(high for _, high in image.getextrema()[:3]) >= 1 << 6:  # type: ignore[misc]
        return None  # of the upper eight bits: there is a value of more than 14 bits
    whole = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if whole is None or whole.dtype != np.uint16 or whole.ndim != 3 or whole.shape[2] not in (3, 4):
        return None
    colours = eight_bits(whole[..., 2::-1])
    if whole.shape[2] == 4:
        colours = np.dstack([colours, eight_bits(whole[..., 3])])
    return Image.fromarray(np.ascontiguousarray(colours))


def grey_eight_bits(image: Image.Image) -> Image.Image:
    """A grey image of whatever depth, in eight bits; images of other modes as they are.

    Args:
        image: of a TIFF, opened or decoded; or of Pillow's modes I, I;16 and F.

    Returns:
        Of mode L, black at 0.

    Raises:
        ImageError: if there are values of which nobody knows how bright they are: below 0, above 65535 or, in floats,
            outside [0, 1].
    """
    deep = image.mode == "F" or image.mode.startswith("I")
    tags = _tags(image)
    signed = set(tags.get(_SAMPLE_FORMAT, ())) == {_SIGNED}
    if not deep and not (signed and image.mode == "L"):
        return image
    white_is_zero = deep and tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO  # of eight bits Pillow turns it over itself
    values = np.asarray(image)
    if not deep:
        values = values.view(np.int8)
    elif image.mode == "I" and max(tags.get(_BITS, (0,))) == 32 and not signed:
        values = values.view(np.uint32)
    grey = _float_grey(values) if image.mode == "F" else _whole_grey(values)
    return Image.fromarray(255 - grey if white_is_zero else grey)


def _float_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # NaN too
        raise ImageError(
            f"floats from {low:g} to {high:g} (expected 0 to 1: which value is white is not known; rescale them first)"
        )
    return np.asarray((values * 255).round(), np.uint8)


def _whole_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise ImageError(
            f"whole numbers from {low} to {high} (expected 0 to 65535: which values are black and white is not known; "
            "rescale them first)"
        )
    return eight_bits(values)


def _tags(image: Image.Image) -> dict[int, Any]:
    return dict(getattr(image, "tag_v2", None) or {}) if image.format == "TIFF" else {}
