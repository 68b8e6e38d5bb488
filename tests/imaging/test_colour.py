"""Embedded colour profiles become sRGB; what is sRGB stays as it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.imaging import profiles

from boxless.imaging.read import read_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDE = profiles.rgb(profiles.ADOBE, profiles.gamma(2.2))
LINEAR = profiles.rgb(profiles.SRGB, profiles.gamma(1.0))


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
