"""Opening picture files: of the kinds that people have, and of no other."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image, _imaging

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "PPM", "ICO")
"""What is opened, by Pillow's names, whatever the file's own name says. Pillow knows some forty more kinds; one of
them, EPS, is a program, which it hands to Ghostscript to be run."""

SUFFIXES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".avif",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".jp2",
        ".j2k",
        ".ppm",
        ".pgm",
        ".pbm",
        ".ico",
    ]
)
"""What counts as a picture when a folder is searched, in lower case."""

_filters = threading.Lock()


def open_picture(file: Path | BinaryIO) -> Image.Image:
    """Opens a picture of one of `FORMATS`; it is not decoded yet.

    Raises:
        OSError: if it is of no such kind (PIL.UnidentifiedImageError), or cannot be opened.
        Image.DecompressionBombError: if it says that it is larger than Pillow ever decodes.
    """
    # Pillow warns of large pictures where we refuse them; the lock keeps the filters whole among threads.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=FORMATS)
    if image.format == "TIFF":
        _silence_libtiff()
    return image


@cache
def _silence_libtiff() -> None:
    """Keeps libtiff from writing to standard error, past every handler of Python's: what is wrong, Pillow raises.

    Of Pillow's own copy, where it can be reached through Pillow's module (Linux, macOS); elsewhere nothing changes.
    """
    with contextlib.suppress(OSError, AttributeError):
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)
