"""Embedded colour profiles become sRGB; what is sRGB stays as it is."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from boxless.imaging.read import read_image


def profile(red: tuple[float, float], green: tuple[float, float], blue: tuple[float, float], gamma: float) -> bytes:
    """An ICC profile of primaries (xy, white point D50) and a gamma."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    white = np.array([0.9642, 1.0, 0.8249])
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in (red, green, blue)]).T
    columns = columns * np.linalg.solve(columns, white)
    primaries = zip(b"rgb", columns.T, strict=True)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"wtpt": b"XYZ " + bytes(4) + b"".join(map(number, white)),
        **{b"%cXYZ" % name: b"XYZ " + bytes(4) + b"".join(map(number, xyz)) for name, xyz in primaries},
        **dict.fromkeys([b"rTRC", b"gTRC", b"bTRC"], b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))),
    }  # fmt: skip
    body, table = b"", b""
    offset = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = struct.pack(">I", offset + len(body)) + bytes(4) + b"\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp"
    head += bytes(28) + b"".join(map(number, white))
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE = profile((0.648, 0.331), (0.230, 0.701), (0.156, 0.066), 2.2)  # Adobe RGB's, adapted to D50
LINEAR = profile((0.648, 0.331), (0.321, 0.598), (0.156, 0.066), 1.0)  # sRGB's, adapted to D50


def stored(pixels: np.ndarray, kind: str, icc: bytes | None, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, icc_profile=icc, **options)
    return file.getvalue()


SWATCHES = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_a_linear_profile(kind: str, options: dict[str, object]) -> None:
    pixels = read_image(stored(SWATCHES, kind, LINEAR, **options)).pixels / 255
    light = SWATCHES / 255
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(pixels - expected).max() < 0.03


def test_colours_of_a_wide_gamut_become_more_vivid() -> None:
    green = np.full((16, 16, 3), (60, 180, 60), np.uint8)
    file = stored(green, "JPEG", WIDE, quality=95)
    wide, plain = read_image(file).pixels[8, 8].astype(int), read_image(stored(green, "JPEG", None)).pixels[8, 8]
    assert wide[0] < plain[0] - 20
    assert np.array_equal(read_image(file, enough=2).pixels[2, 2], wide)  # decoded at reduced scale


@pytest.mark.parametrize("icc", [None, SRGB, b"no profile at all", WIDE[:200]], ids=["none", "sRGB", "text", "cut off"])
def test_srgb_and_damaged_profiles_change_nothing(icc: bytes | None) -> None:
    assert np.array_equal(read_image(stored(SWATCHES, "PNG", icc)).pixels, SWATCHES)


def test_a_profile_of_another_mode_is_ignored() -> None:
    assert np.array_equal(read_image(stored(SWATCHES[..., 0], "PNG", WIDE)).pixels[..., 1], SWATCHES[..., 0])


def test_lab() -> None:
    image = Image.new("LAB", (4, 4), (255, 128, 128))
    file = io.BytesIO()
    image.save(file, "TIFF")
    assert read_image(file.getvalue()).pixels.min() >= 253
