from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from boxless import Localizer
from boxless.imaging.bit_depth import eight_bits
from boxless.imaging.read import read_picture


@pytest.mark.parametrize(
    ("largest", "white"), [(0, 255), (255, 255), (256, 1023), (4095, 4095), (4096, 16383), (20000, 65535)]
)
def test_white_is_that_of_the_depth_that_is_there(largest: int, white: int) -> None:
    scaled = eight_bits(np.array([[0, largest // 2, largest]], np.uint16))
    assert scaled.dtype == np.uint8
    assert scaled.tolist() == [[round(each * 255 / white) for each in (0, largest // 2, largest)]]


def test_nothing_wraps_around() -> None:
    assert eight_bits(np.array([-5, 0, 70000], np.int32)).tolist() == [0, 0, 255]


def sixteen_bit_file(pixels: np.ndarray, suffix: str, options: tuple[int, ...] = ()) -> bytes:
    written, data = cv2.imencode(suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels, options)
    assert written
    return bytes(data.tobytes())


FILES = [
    (".png", ()),
    (".tiff", (int(cv2.IMWRITE_TIFF_COMPRESSION), 1)),
    (".tiff", (int(cv2.IMWRITE_TIFF_COMPRESSION), 5)),
]


@pytest.mark.parametrize(("suffix", "options"), FILES, ids=["PNG", "TIFF", "TIFF, LZW"])
@pytest.mark.parametrize("grey", [True, False], ids=["grey", "RGB"])
def test_a_12_bit_picture_keeps_its_class(
    suffix: str, options: tuple[int, ...], grey: bool, coffee: Path, localizer: Localizer
) -> None:
    plain = read_picture(coffee).pixels
    if grey:
        plain = plain.mean(axis=2).astype(np.uint8)
    data = sixteen_bit_file((plain.astype(np.uint16) << 4) + 15, suffix, options)
    as_8_bits = np.asarray(Image.fromarray(plain).convert("RGB"))
    read = read_picture(data).pixels
    assert np.abs(read.astype(int) - as_8_bits).max() <= 1
    found, expected = (localizer.locate(each).predictions[0] for each in (data, as_8_bits))
    assert found.label == expected.label
    assert found.probability == pytest.approx(expected.probability, abs=0.05)


def test_a_bright_16_bit_picture_stays_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    read = read_picture(sixteen_bit_file(pixels, ".png")).pixels
    assert np.array_equal(read, pixels >> 8)


def test_a_dark_one_is_turned_as_its_file_says() -> None:
    pixels = np.zeros((20, 30, 3), np.uint16)
    pixels[:, :15] = 4095
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    data = sixteen_bit_file(pixels, ".png")
    chunk = b"eXIf" + exif.tobytes()[6:]
    whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    end = data.index(b"IDAT") - 4
    picture = read_picture(data[:end] + whole + data[end:])
    assert (picture.height, picture.width) == (30, 20)
    assert picture.pixels[:14].min() == 255
    assert picture.pixels[16:].max() == 0
