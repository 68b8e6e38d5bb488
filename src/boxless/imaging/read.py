"""Pictures as people have them -> RGB uint8 (H, W, 3) as people see them."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from boxless.errors import PictureError
from boxless.imaging.bit_depth import eight_bits, with_all_bits
from boxless.imaging.containers import FORMATS, SUFFIXES, open_picture
from boxless.imaging.walk import files_in

Pixels = NDArray[np.uint8]
Source: TypeAlias = "str | Path | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[Any]"

MAX_PIXELS = 150_000_000
"""The largest picture that is read, in pixels. A picture says its size before it is decoded."""

SIDEWAYS = (5, 6, 7, 8)
"""The EXIF orientations that swap height and width."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: RGB uint8 (h, w, 3); fewer than (height, width) where a JPEG was decoded at reduced scale.
        height, width: of the picture as displayed (after EXIF rotation), in pixels.
    """

    pixels: Pixels
    height: int
    width: int


def read_picture(source: Source, *, enough: int | None = None, max_pixels: int = MAX_PIXELS) -> Picture:
    """Reads a picture.

    EXIF rotation is applied; grey, palette, CMYK and 16-bit pictures become RGB; transparent parts become
    white; of an animation the first frame is taken. Only the kinds of `boxless.imaging.containers.FORMATS` are read,
    whatever a file's name says. A 16-bit file (grey or RGB) that uses fewer bits, as those of 12-bit cameras, is
    scaled by the bits that its largest value takes, 8, 10, 12, 14 or 16; see `boxless.imaging.bit_depth.eight_bits`.

    Args:
        source: a path; an encoded picture as bytes, bytearray or memoryview, or in a file opened for reading bytes;
            a PIL image; or an array (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, of uint8 or of floats in [0, 1].
        enough: pixels; a JPEG may be decoded at 1/2, 1/4 or 1/8 as long as its shorter side keeps this many.
        max_pixels: pictures with more are refused before they are decoded.

    Raises:
        PictureError: if there is no such file, it is no picture, damaged or too large, or if an array is of
            another shape, type or range.
    """
    if isinstance(source, np.ndarray):
        pixels = _array_pixels(source)
        return Picture(pixels, *pixels.shape[:2])
    if isinstance(source, Image.Image):
        with _told_as_picture_errors():  # it may not be decoded yet
            return _decode(source, None, max_pixels)
    source = as_bytes(source)
    if isinstance(source, bytes):
        if not source:
            raise PictureError("no bytes (expected an encoded picture: JPEG, PNG, WebP, ...)")
        return _open(io.BytesIO(source), enough, max_pixels)
    if isinstance(source, (str, Path)):
        _check_file(Path(source))
        return _open(Path(source), enough, max_pixels)
    raise PictureError(
        f"{type(source).__name__} (expected a path, bytes, a file opened for reading bytes, a PIL image, or a NumPy "
        "array (H, W, 3) RGB)"
    )


def as_bytes(source: Source) -> Source:
    """What can be read only once, or may change, as bytes: files, bytearrays and memoryviews; the rest as it is.

    A file is read from its beginning, where it has one to go back to.

    Raises:
        PictureError: if a file cannot be read, or gives text.
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
        raise PictureError(f"a file that cannot be read ({error})") from None
    if not isinstance(content, bytes):
        raise PictureError("a file opened for reading text (expected bytes: open(..., 'rb'))")
    return content


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder and its sub-folders, by their suffix, sorted; see `boxless.imaging.walk.files_in`.

    Raises:
        PictureError: if there are none, or the folder is closed to us.
    """
    if not os.access(folder, os.R_OK | os.X_OK):
        raise PictureError("cannot be opened: permission denied")
    found = sorted(files_in(folder, lambda name: Path(name).suffix.lower() in SUFFIXES))
    if not found:
        raise PictureError(f"a folder without pictures (looked for {' '.join(sorted(SUFFIXES))})")
    return found


def picture_name(source: Source) -> str:
    """What a picture is called in results: its path, or what kind of thing it is."""
    if isinstance(source, (str, Path)):
        return str(source)
    if isinstance(name := getattr(source, "name", None), str):  # of an opened file
        return name
    if isinstance(source, np.ndarray):
        return "array"
    return "bytes" if isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "read") else "image"


def resize_pixels(pixels: Pixels, height: int, width: int) -> Pixels:
    """RGB uint8 (h, w, 3) at another size: (height, width, 3); where it shrinks, every pixel counts.

    A box filter of the odd width next to the shrinking factor, then linear interpolation: as smooth as area
    averaging for our ends, at a fifth of its time.
    """
    rows, columns = (
        max(1, int(old / new) // 2 * 2 + 1) for old, new in zip(pixels.shape, (height, width), strict=False)
    )
    smooth = cv2.blur(pixels, (columns, rows)) if max(rows, columns) > 1 else pixels
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _array_pixels(array: NDArray[Any]) -> Pixels:
    """RGB uint8 (h, w, 3) of an array as people have them; transparent parts become white."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        hint = ""
        if array.ndim == 4:
            hint = "; several pictures: use locate_many"
        elif array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; channels first: a.transpose(1, 2, 0)"
        raise _unknown_array(array, hint)
    if array.size == 0:
        raise PictureError(f"an array {array.shape} without pixels")
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):  # NaN too
            raise _unknown_array(array, f"; floats are to be in [0, 1], these go from {low:g} to {high:g}")
        array = (array * 255).round().astype(np.uint8)
    if array.dtype != np.uint8:
        raise _unknown_array(array, "")
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    if array.shape[2] == 4:
        return np.array(_to_rgb(Image.fromarray(np.ascontiguousarray(array))))
    return np.ascontiguousarray(array)


def _unknown_array(array: NDArray[Any], hint: str) -> PictureError:
    return PictureError(
        f"an array {array.dtype} {array.shape} (expected uint8, or floats in [0, 1], of the shape (height, width, 3) "
        f"RGB, (height, width, 4) RGBA or (height, width) grey{hint})"
    )


def _check_file(path: Path) -> None:
    try:
        about = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # of a name with a zero byte
        raise PictureError("no such file") from None
    except OSError as error:  # a name that is too long, a folder that is closed to us
        raise PictureError(f"cannot be looked at ({error.strerror})") from None
    if stat.S_ISDIR(about.st_mode) and path.absolute().is_relative_to(path.resolve()) and path.is_symlink():
        raise PictureError("a link to a folder above it, which never ends")
    if stat.S_ISDIR(about.st_mode):
        count = len(pictures_in(path))
        raise PictureError(f"a folder of {count} pictures (expected one; list them with pictures_in)")
    if about.st_size == 0:
        raise PictureError("an empty file (0 bytes)")


def _open(file: Path | io.BytesIO, enough: int | None, max_pixels: int) -> Picture:
    with _told_as_picture_errors(), open_picture(file) as image:
        return _decode(image, enough, max_pixels)


@contextmanager
def _told_as_picture_errors() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError:
        raise PictureError(f"not a picture, or of a kind that is not read ({', '.join(FORMATS)} are)") from None
    except Image.DecompressionBombError as error:
        raise PictureError(f"too large: {error}".rstrip(".")) from None
    except PermissionError:
        raise PictureError("cannot be opened: permission denied") from None
    except PictureError:
        raise
    # Decoders of broken files raise nearly anything.
    except Exception as error:
        raise PictureError(f"a damaged picture ({str(error).strip() or type(error).__name__})") from None


def _decode(image: Image.Image, enough: int | None, max_pixels: int) -> Picture:
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"too large: {width} x {height} is {width * height / 1e6:.0f} megapixels "
            f"(at most {max_pixels / 1e6:.0f}; raise it with max_pixels)"
        )
    if width * height == 0:
        raise PictureError(f"a picture without pixels ({width} x {height})")
    image = with_all_bits(image)  # before EXIF is asked for: Pillow decodes a PNG to find it
    turned = image.getexif().get(ExifTags.Base.Orientation, 1)
    if enough is not None and image.format == "JPEG":
        scale = max(1, min(width, height) // enough)
        image.draft(None, (width // scale, height // scale))
    if turned != 1:
        image = ImageOps.exif_transpose(image)
    pixels = np.asarray(_to_rgb(image))
    return Picture(pixels, *((width, height) if turned in SIDEWAYS else (height, width)))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits a pixel, kept by Pillow in 16 or in 32
        return Image.fromarray(eight_bits(np.asarray(image))).convert("RGB")
    if image.mode == "F":
        raise PictureError("a floating-point picture (expected 8 or 16 bits a channel; its range is not known)")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return image.convert("RGB")
