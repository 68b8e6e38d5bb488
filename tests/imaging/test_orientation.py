"""Whatever says which way up an image is, it is displayed upright, once, in every container and depth."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from boxless.imaging.orientation import displayed_size, turned
from boxless.imaging.read import read_image

HEIGHT, WIDTH = 64, 96

CONTAINERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": ("JPEG", "RGB", {"quality": 95}),
    "TIFF, grey": ("TIFF", "L", {}),
    "JPEG, grey": ("JPEG", "L", {"quality": 95}),
    "PNG": ("PNG", "RGB", {}),
    "PNG, 16 bits": ("PNG", "I;16", {}),
    "WebP": ("WEBP", "RGB", {"quality": 95}),
    "TIFF": ("TIFF", "RGB", {}),
    "TIFF, Deflate": ("TIFF", "RGB", {"compression": "tiff_adobe_deflate"}),
    "TIFF, 16 bits": ("TIFF", "I;16", {}),
    "TIFF, float": ("TIFF", "F", {}),
    "AVIF": ("AVIF", "RGB", {"quality": 95}),
}


def as_displayed() -> np.ndarray:
    """Four quarters of different brightness: each of the eight orientations shows another image."""
    upright = np.zeros((HEIGHT, WIDTH), np.uint8)
    upright[: HEIGHT // 2, : WIDTH // 2] = 250
    upright[: HEIGHT // 2, WIDTH // 2 :] = 170
    upright[HEIGHT // 2 :, : WIDTH // 2] = 90
    return upright


def in_mode(pixels: np.ndarray, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(pixels.astype(np.uint16) * 257)
    return Image.fromarray(pixels.astype(np.float32) / 255) if mode == "F" else Image.fromarray(pixels).convert(mode)


def file_of(container: str, orientation: int) -> bytes:
    """A file whose stored pixels have to be turned by `orientation` to be upright."""
    kind, mode, options = CONTAINERS[container]
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    in_mode(turned(as_displayed(), inverse), mode).save(file, kind, exif=exif, **options)
    return file.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("enough", [None, 8])
@pytest.mark.parametrize("container", CONTAINERS)
def test_upright(container: str, orientation: int, enough: int | None, tmp_path: Path) -> None:
    if container == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    path = tmp_path / "image"
    path.write_bytes(file_of(container, orientation))
    image = read_image(path, enough=enough)
    assert (image.height, image.width) == displayed_size(path).displayed == (HEIGHT, WIDTH)
    reduced = 1 if enough is None else 4
    assert image.pixels.shape == (HEIGHT // reduced, WIDTH // reduced, 3)
    down, across = HEIGHT // 4 // reduced, WIDTH // 4 // reduced
    middles = image.pixels[down :: 2 * down, across :: 2 * across, 1]
    assert np.abs(middles.astype(int) - [[250, 170], [90, 0]]).max() <= 6
    for opened in (Image.open(path), _decoded(path.read_bytes())):  # as a program's own image, decoded or not
        given = read_image(opened)
        assert (given.height, given.width) == given.pixels.shape[:2] == (HEIGHT, WIDTH)
        assert np.array_equal(given.pixels, read_image(path).pixels)


def _decoded(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def test_the_stored_size(tmp_path: Path) -> None:
    for container in ("JPEG", "TIFF"):
        path = tmp_path / container
        path.write_bytes(file_of(container, 6))
        size = displayed_size(path)
        assert (size.displayed, size.stored, size.orientation) == ((64, 96), (96, 64), 6)


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
def test_damaged_exif_data_is_ignored(exif: bytes) -> None:
    file = io.BytesIO()
    in_mode(as_displayed(), "RGB").save(file, "JPEG", exif=exif)
    assert read_image(file.getvalue()).pixels.shape == (HEIGHT, WIDTH, 3)
