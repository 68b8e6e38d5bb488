"""How much memory an image will take once decoded, from its header alone."""

from __future__ import annotations

import io

from PIL import Image

from boxless.imaging.containers import open_image

_WIDE = {"I": 4, "F": 4}
"""Bytes a sample of Pillow's modes that have more than one; 16-bit modes are `I;16` and the like."""


def decoded_bytes(content: bytes) -> int:
    """The bytes of an image's samples, by its header; 0 for what is no image: whoever decodes it says so.

    A PNG of 579 kB may have 12,200 x 12,200 pixels in four channels: 595 MB. Nothing is decoded to find that.
    """
    try:
        with open_image(io.BytesIO(content)) as image:
            width, height = image.size
            return width * height * _bytes_a_pixel(image)
    except Exception:  # broken headers raise nearly anything; decoding will say what is wrong
        return 0


def _bytes_a_pixel(image: Image.Image) -> int:
    if image.mode.startswith("I;16"):
        return 2
    # A palette becomes RGB or RGBA; everything else keeps at least the three channels that the network sees.
    channels = 4 if image.mode == "P" or "transparency" in image.info else max(3, len(image.getbands()))
    return channels * _WIDE.get(image.mode, 1)
