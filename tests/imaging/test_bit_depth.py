from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.imaging.tiff_files import tiff_file

from boxless import Localizer
from boxless.errors import ImageError
from boxless.imaging.bit_depth import eight_bits
from boxless.imaging.orientation import turned
from boxless.imaging.read import read_image


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
def test_a_12_bit_image_keeps_its_class(
    suffix: str, options: tuple[int, ...], grey: bool, coffee: Path, localizer: Localizer
) -> None:
    plain = read_image(coffee).pixels
    if grey:
        plain = plain.mean(axis=2).astype(np.uint8)
    data = sixteen_bit_file((plain.astype(np.uint16) << 4) + 15, suffix, options)
    as_8_bits = np.asarray(Image.fromarray(plain).convert("RGB"))
    read = read_image(data).pixels
    assert np.abs(read.astype(int) - as_8_bits).max() <= 1
    found, expected = (localizer.locate(each).predictions[0] for each in (data, as_8_bits))
    assert found.label == expected.label
    assert found.probability == pytest.approx(expected.probability, abs=0.05)


def test_a_bright_16_bit_image_stays_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
    read = read_image(sixteen_bit_file(pixels, ".png")).pixels
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
    image = read_image(data[:end] + whole + data[end:])
    assert (image.height, image.width) == (30, 20)
    assert image.pixels[:14].min() == 255
    assert image.pixels[16:].max() == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_dark_tiff_is_turned_once(orientation: int) -> None:
    upright = np.zeros((20, 30, 3), np.uint16)
    upright[:10, :15], upright[:10, 15:], upright[10:, :15] = 4095, 2000, 1000
    stored = turned(upright, {6: 8, 8: 6}.get(orientation, orientation))
    image = read_image(tiff_file(stored, 2, orientation=orientation))
    assert (image.height, image.width) == (20, 30)
    assert np.array_equal(image.pixels, eight_bits(upright))


RAMP = np.linspace(0, 1, 60)[None, :] * np.linspace(0.5, 1, 40)[:, None]
"""Brightness (40, 60) in [0, 1]: black at the left, white in a corner."""

COLOURS = np.stack([RAMP, RAMP[:, ::-1], RAMP[::-1]], axis=-1)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (tiff_file((65535 - RAMP * 65535).astype(np.uint16), 0), RAMP),
        (tiff_file((4095 - RAMP * 4095).astype(np.uint16), 0), RAMP),
        (tiff_file((255 - RAMP * 255).astype(np.uint8), 0), RAMP),
        (tiff_file((RAMP * 65535).astype(np.uint32), 1), RAMP),
        (tiff_file((RAMP * 1000 / 1000 * 1023).astype(np.int16), 1), RAMP),
        (tiff_file((RAMP * 65535).astype(np.int32), 1, order=">"), RAMP),
        (tiff_file((RAMP * 65535).astype(np.uint16), 1, order=">"), RAMP),
        (tiff_file(RAMP.astype(np.float32), 1), RAMP),
        (tiff_file((1 - RAMP).astype(np.float32), 0), RAMP),
        (tiff_file((COLOURS * 65535).astype(np.uint16), 2), COLOURS),
        (tiff_file((COLOURS * 4095).astype(np.uint16), 2, order=">"), COLOURS),
        (tiff_file((COLOURS * 255).astype(np.uint8), 2, planar=True), COLOURS),
        (tiff_file(np.dstack([COLOURS * 4095, np.full(RAMP.shape, 4095)]).astype(np.uint16), 2), COLOURS),
        (tiff_file(np.dstack([COLOURS * 4095, np.full(RAMP.shape, 65535)]).astype(np.uint16), 2), COLOURS),
    ],
    ids=["white is 0, 16 bits", "white is 0, 12 bits", "white is 0, 8 bits", "uint32", "int16", "int32", "big-endian",
         "float", "float, white is 0", "RGB16", "RGB12 big-endian", "RGB8 by plane", "RGBA12", "RGB12, alpha 16"],
)  # fmt: skip
def test_tiffs_of_every_depth_are_read_right(data: bytes, expected: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "deep.tif"  # Pillow reads some files by another way than bytes
    path.write_bytes(data)
    for source in (path, data):
        pixels = read_image(source).pixels
        difference = pixels - 255 * expected.reshape(40, 60, -1)
        assert np.abs(difference).max() <= 1.5


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiff_file((RAMP * 4e9).astype(np.uint32), 1), r"whole numbers from 0 to 4\d+ .*rescale"),
        (tiff_file((RAMP * 70000).astype(np.int32), 1), "whole numbers from 0 to 70000"),
        (tiff_file((RAMP * 2000 - 1000).astype(np.int16), 1), "whole numbers from -1000 to 1000"),
        (tiff_file((RAMP * 200 - 100).astype(np.int8), 1), "whole numbers from -100 to 100"),
        (tiff_file((RAMP * 300).astype(np.float32), 1), "floats from 0 to 300"),
        (tiff_file((COLOURS * 65535).astype(np.uint16), 2, planar=True), "a plane of its own.*tiffcp -p contig"),
        (tiff_file(COLOURS.astype(np.float32), 2), "a TIFF of 3 channels of 32-bit floats, which is not read"),
        (tiff_file(RAMP.astype(np.float16), 1), "a TIFF of 1 channel of 16-bit floats"),
        (tiff_file(RAMP.astype(np.float64), 1), "a TIFF of 1 channel of 64-bit floats"),
        (tiff_file((COLOURS * 4e9).astype(np.uint32), 2), "a TIFF of 3 channels of 32-bit integers"),
        (tiff_file((RAMP * 65535).astype(np.uint16), 0, order=">"), "a TIFF of 1 channel of 16-bit integers"),
        (tiff_file((COLOURS * 4000 - 2000).astype(np.int16), 2), "3 channels of 16-bit signed integers"),
    ],
    ids=["uint32", "int32", "int16", "int8", "float", "planes", "RGB float", "half", "double", "RGB32",
         "white is 0, big-endian", "RGB int16"],
)  # fmt: skip
def test_tiffs_that_cannot_be_read_right_are_refused(data: bytes, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        read_image(data)


@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)], ids=["RGB", "grey with alpha", "RGBA"])
def test_a_dark_16_bit_png_is_read_in_all_its_bits(kind: int, channels: int) -> None:
    values = (COLOURS[..., : channels - 1 if kind != 2 else 3] * 4095).astype(np.uint16)
    if kind != 2:
        values = np.dstack([values, np.full(RAMP.shape, 65535, np.uint16)])

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    header = struct.pack(">IIBBBBB", 60, 40, 16, kind, 0, 0, 0)
    start, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header), chunk(b"IEND", b"")
    pixels = read_image(start + chunk(b"IDAT", zlib.compress(lines)) + end).pixels
    expected = RAMP[..., None] if kind == 4 else COLOURS
    assert np.abs(pixels - 255 * expected).max() <= 1.5
