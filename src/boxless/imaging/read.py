"""Images as people have them -> RGB uint8 (H, W, 3) as people see them."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from boxless.errors import ImageError
from boxless.imaging.arrays import eight_bit_array
from boxless.imaging.bit_depth import check_tiff, grey_eight_bits, sixteen_bit_file, with_all_bits
from boxless.imaging.colour import in_srgb, lab_to_srgb
from boxless.imaging.containers import HEIC_SUFFIXES, SUFFIXES, open_image
from boxless.imaging.memory import room_to_decode
from boxless.imaging.orientation import left_to_turn, size_of, turned, unmapped
from boxless.imaging.resize import reduced, reduction
from boxless.imaging.resize import resize_pixels as resize_pixels
from boxless.imaging.walk import files_in

Pixels = NDArray[np.uint8]
Source: TypeAlias = "str | Path | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any]"

MAX_PIXELS = 150_000_000
"""The largest image that is read, in pixels. An image says its size before it is decoded."""

_STRIP = 1_000_000
"""Pixels that are made RGB at a time: what that takes beside the image stays small."""


@dataclass(frozen=True)
class ImageData:
    """A decoded image.

    Attributes:
        pixels: sRGB uint8 (h, w, 3), as displayed; fewer than (height, width) where the image was reduced while it was
            decoded.
        height, width: of the image as displayed, in pixels.
    """

    pixels: Pixels
    height: int
    width: int


def read_image(source: Source, *, enough: int | None = None, max_pixels: int = MAX_PIXELS) -> ImageData:
    """Reads an image.

    Pixels are as displayed: orientation (EXIF and TIFF) is applied, embedded colour profiles are converted to sRGB,
    grey, palette, CMYK and 16-bit images become RGB, transparent parts become white; of an animation the first frame is
    taken. Only the kinds of `boxless.imaging.containers.FORMATS` are read, whatever a file's name says. A 16-bit file
    that uses fewer bits, as those of 12-bit cameras, is scaled by the bits that its largest value takes, 8, 10, 12, 14
    or 16; see `boxless.imaging.bit_depth.eight_bits`. Large images are decoded one at a time over all threads; see
    `boxless.imaging.memory`.

    Args:
        source: a path; an encoded image as bytes, bytearray or memoryview, or in a file opened for reading bytes;
            a PIL image; or an array (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, of uint8 or of floats in [0, 1].
        enough: pixels that its shorter side needs. A file with more than four times as many along each side is decoded
            at 1/2, 1/4 or 1/8; see `reduction`.
        max_pixels: images with more are refused before they are decoded.

    Returns:
        The pixels, and the size of the image as displayed.

    Raises:
        ImageError: if there is no such file, it is no image, damaged or too large, or if an array is of
            another shape, type or range.

    Example:
        >>> read_image("examples/pictures/coffee.jpg").pixels.shape
        (400, 600, 3)
    """
    if isinstance(source, np.ndarray):
        array = eight_bit_array(source)
        pixels = array if array.shape[2] == 3 else _as_rgb(Image.fromarray(array))
        return ImageData(pixels, *pixels.shape[:2])
    if isinstance(source, Image.Image):
        with _as_image_errors():  # it may not be decoded yet
            return _decode(source, enough, max_pixels, ours=False)
    source = as_bytes(source)
    if isinstance(source, bytes):
        if not source:
            raise ImageError("no bytes (expected an encoded image: JPEG, PNG, WebP, ...)")
        return _open(io.BytesIO(source), enough, max_pixels)
    if isinstance(source, (str, Path)):
        _check_file(Path(source))
        return _open(Path(source), enough, max_pixels)
    raise ImageError(
        f"{type(source).__name__} (expected a path, bytes, a file opened for reading bytes, a PIL image, or a NumPy "
        "array (H, W, 3) RGB)"
    )


def as_bytes(source: Source) -> Source:
    """What can be read only once, or may change, as bytes: files, bytearrays and memoryviews; the rest as it is.

    A file is read from its beginning, where it has one to go back to.

    Args:
        source: as for `read_image`.

    Returns:
        Bytes; or the source, where it can be read again.

    Raises:
        ImageError: if a file cannot be read, or gives text.

    Example:
        >>> as_bytes(bytearray(b"encoded"))
        b'encoded'
    """
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, Path, bytes, Image.Image, np.ndarray)) or not hasattr(source, "read"):
        return source
    try:
        if source.seekable():
            source.seek(0)
        content = source.read()
    except (OSError, ValueError) as error:
        raise ImageError(f"a file that cannot be read ({error})") from None
    if not isinstance(content, bytes):
        raise ImageError("a file opened for reading text (expected bytes: open(..., 'rb'))")
    return content


def images_in(folder: Path) -> list[Path]:
    """The images of a folder and its sub-folders, by their suffix; hidden files are left out.

    Args:
        folder: to be searched.

    Returns:
        Their paths, sorted; at least one.

    Raises:
        ImageError: if there are none, or the folder is closed to us.

    Example:
        >>> images_in(Path("examples/pictures"))[0].name
        'chelsea.jpg'
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise ImageError("cannot be opened: permission denied")
    found = list(files_in(folder, lambda name: Path(name).suffix.lower() in SUFFIXES))
    if not found:
        if heic := sum(path.suffix.lower() in HEIC_SUFFIXES for path in folder.rglob("*")):
            raise ImageError(f"a folder of {heic} HEIC images, which boxless does not read (expected JPEG, PNG, ...)")
        raise ImageError(f"a folder without images (expected {' '.join(sorted(SUFFIXES))})")
    return found


def image_name(source: Source) -> str:
    """What an image is called in results.

    Args:
        source: as for `read_image`.

    Returns:
        Its path or its file's name; else what kind of thing it is: "array", "bytes" or "image".

    Example:
        >>> image_name(b"encoded")
        'bytes'
    """
    if isinstance(source, (str, Path)):
        return str(source)
    if isinstance(name := getattr(source, "name", None), str):  # of an opened file
        return name
    if isinstance(source, np.ndarray):
        return "array"
    return "bytes" if isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read") else "image"


def _check_file(path: Path) -> None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # of a name with a zero byte
        raise ImageError("no such file") from None
    except OSError as error:  # a name that is too long, a folder that is closed to us
        raise ImageError(f"cannot be accessed ({error.strerror})") from None
    if stat.S_ISDIR(about.st_mode) and path.absolute().is_relative_to(path.resolve()) and path.is_symlink():
        raise ImageError("a link to a folder above it, which never ends")
    if stat.S_ISDIR(about.st_mode):
        count = len(images_in(path))
        raise ImageError(f"a folder of {count} images (expected one; list them with images_in)")
    if about.st_size == 0:
        raise ImageError("an empty file (0 bytes)")


def _open(file: Path | io.BytesIO, enough: int | None, max_pixels: int) -> ImageData:
    with _as_image_errors(), open_image(file) as image:
        return _decode(image, enough, max_pixels)


@contextmanager
def _as_image_errors() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise ImageError(str(error)) from None
    except Image.DecompressionBombError as error:
        # Pillow's own limit, which says how many pixels there are and nothing else that helps.
        pixels = re.search(r"\((\d+) pixels", str(error))
        raise _too_large(int(pixels[1]) if pixels else 0, MAX_PIXELS) from None
    except PermissionError:
        raise ImageError("cannot be opened: permission denied") from None
    except (ImageError, MemoryError):
        raise
    # Decoders of broken files raise nearly anything.
    except Exception as error:
        raise ImageError(f"a damaged image ({str(error).strip() or type(error).__name__})") from None


def _too_large(pixels: int, max_pixels: int, size: str = "") -> ImageError:
    of_size = f"{size} is " if size else ""
    return ImageError(
        f"too large: {of_size}{pixels / 1e6:.0f} megapixels (at most {max_pixels / 1e6:.0f} are read; make it smaller, "
        "or cut it into parts)"
    )


def _decode(image: Image.Image, enough: int | None, max_pixels: int, ours: bool = True) -> ImageData:
    """Decodes an opened image; if it is ours, it is closed, so that nothing holds its memory any more."""
    width, height = image.size
    if width * height > max_pixels:
        raise _too_large(width * height, max_pixels, f"{width} x {height}")
    if width * height == 0:
        raise ImageError(f"an image without pixels ({width} x {height})")
    check_tiff(image)
    factor = 1 if enough is None else reduction(min(width, height) // max(1, enough))
    reduces = ours and image.format in ("JPEG", "MPO")
    with room_to_decode(image, factor if reduces else 1), unmapped(image):
        try:
            deep = sixteen_bit_file(image)  # before EXIF is asked for: Pillow decodes a PNG to find it
            size = size_of(image)
            profile = image.info.get("icc_profile")
            decoded = with_all_bits(image, deep) if deep else None
            if decoded:
                pixels = _as_rgb(decoded, factor, profile)
            else:
                if reduces:
                    image.draft(None, (width // factor, height // factor))
                    factor = 1 if image.height < height else factor
                pixels = _as_rgb(grey_eight_bits(image), factor, profile)
            left = left_to_turn(image, size.orientation)
        finally:
            if ours:
                image.close()
        return ImageData(turned(pixels, left), size.height, size.width)


def _as_rgb(image: Image.Image, factor: int = 1, profile: bytes | None = None) -> Pixels:
    """sRGB (h, w, 3) of an image of eight bits, reduced by a factor; strip by strip, which takes little memory."""
    image.load()
    rows = max(1, _STRIP // (image.width * factor)) * factor
    if rows >= image.height:
        return reduced(np.asarray(in_srgb(_flat(image), profile)), factor)
    pixels = np.empty((-(-image.height // factor), -(-image.width // factor), 3), np.uint8)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        pixels[top // factor : (top + rows) // factor] = reduced(np.asarray(in_srgb(_flat(strip), profile)), factor)
    return pixels


def _flat(image: Image.Image) -> Image.Image:
    """An image without transparency and palette, of mode RGB, L or CMYK."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if image.mode == "LAB":
        return lab_to_srgb(image)
    return image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
