"""Opening image files: of the kinds that people have, and of no other."""

from __future__ import annotations

import contextlib
import ctypes
import re
import threading
import warnings
from functools import cache
from pathlib import Path
from typing import BinaryIO

from PIL import Image, TiffImagePlugin, UnidentifiedImageError, _imaging

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
"""What counts as an image when a folder is searched, in lower case."""

HEIC_SUFFIXES = frozenset([".heic", ".heif"])
"""What phones write and boxless does not read: the decoders' wheels contain GPL code (decision 0070)."""

_HEIC = (
    "a HEIC image, which boxless does not read: convert it to JPEG, with heif-convert (Linux), sips -s format jpeg "
    "(macOS) or the Photos app; on an iPhone, Settings > Camera > Formats > Most Compatible takes JPEGs from then on"
)

_OTHERS = {
    rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)": _HEIC,
    rb"\xff\x0a|\x00\x00\x00\x0cJXL ": "a JPEG XL image",
    rb"%PDF": "a PDF document",
    rb"PK\x03\x04": "a zip archive (boxless batch reads the images in it)",
    rb"8BPS": "a Photoshop document",
    rb"\s*<(svg|\?xml[^>]*>\s*(<!--.*?-->\s*)?(<!DOCTYPE[^>]*>\s*)?<svg)": "an SVG drawing",
    rb"....ftyp(qt  |isom|mp4|iso|avc1|M4V)|\x1a\x45\xdf\xa3|RIFF....AVI ": "a video (boxless locate reads clips by "
    "their suffix: .mp4, .mov, .webm, ...)",
}
"""What people take for an image that can be read, by its first bytes."""

_SAMPLES = {1: "integers", 2: "signed integers", 3: "floats", 5: "complex integers", 6: "complex floats"}
"""TIFF's sample formats."""

_filters = threading.Lock()


def open_image(file: Path | BinaryIO) -> Image.Image:
    """Opens an image of one of `FORMATS`; it is not decoded yet.

    Args:
        file: a path, or a file opened for reading bytes that can be read again from its beginning.

    Returns:
        Pillow's image, to be closed by the caller.

    Raises:
        OSError: if it is of no such kind (PIL.UnidentifiedImageError, which says what it is), or cannot be opened.
        Image.DecompressionBombError: if it says that it is larger than Pillow ever decodes.

    Example:
        >>> with open_image(Path("examples/pictures/coffee.jpg")) as image:
        ...     image.size
        (600, 400)
    """
    # Pillow warns of large images where we refuse them; the lock keeps the filters whole among threads.
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            raise UnidentifiedImageError(_why_not(file)) from None
    if image.format == "TIFF":
        _silence_libtiff()
    return image


def _why_not(file: Path | BinaryIO) -> str:
    """What a file is that is of none of `FORMATS`, in words, as far as its first bytes say."""
    with file.open("rb") if isinstance(file, Path) else contextlib.nullcontext(file) as opened:
        opened.seek(0)
        head = opened.read(512)
        if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and (kind := _tiff_kind(opened)):
            return f"{kind} (expected 1, 3 or 4 channels of 8 or 16 bits)"
    read = f"({', '.join(FORMATS)} are read)"
    what = next((words for start, words in _OTHERS.items() if re.match(start, head, re.DOTALL)), None)
    if what == _HEIC:
        return what
    what = f"{what}, which is" if what else "not an image, or of a kind that is"
    return f"{what} not read {read}"


def _tiff_kind(file: BinaryIO) -> str | None:
    """What the first image of a TIFF consists of; None of a damaged one."""
    try:
        file.seek(0)
        head = file.read(8)
        head += file.read(8) if 43 in head[2:4] else b""
        tags = TiffImagePlugin.ImageFileDirectory_v2(head)
        file.seek(tags.next)
        tags.load(file)
        bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
        count = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
        kind = _SAMPLES.get(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))[0], "samples of an unknown format")
        return f"a TIFF of {count} channel{'s' * (count > 1)} of {max(bits)}-bit {kind}, which is not read"
    except Exception:  # a damaged file raises nearly anything
        return None


@cache
def _silence_libtiff() -> None:
    """Keeps libtiff from writing to standard error, past every handler of Python's: what is wrong, Pillow raises.

    Of Pillow's own copy, where it can be reached through Pillow's module (Linux, macOS); elsewhere nothing changes.
    """
    with contextlib.suppress(OSError, AttributeError):
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)
