"""Images of every container that is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from boxless.datasets.boxed import _frame_of
from boxless.errors import ImageError
from boxless.imaging.read import read_image


def seeds(folder: Path) -> list[tuple[Path, Path]]:
    """Small images, of several modes and orientations."""
    pixels = np.random.default_rng(0).integers(0, 255, (24, 36, 4), np.uint8)
    rgba, rgb = Image.fromarray(pixels), Image.fromarray(pixels[..., :3])
    grey16 = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    images: list[tuple[str, Image.Image, dict[str, object]]] = [
        ("a.jpg", rgb, {"exif": exif}),
        ("progressive.jpg", rgb, {"progressive": True}),
        ("cmyk.jpg", rgb.convert("CMYK"), {}),
        ("a.png", rgba, {"exif": exif}),
        ("palette.png", rgb.convert("P"), {"transparency": 3}),
        ("grey16.png", grey16, {}),
        ("a.webp", rgba, {"exif": exif}),
        ("a.tif", rgb, {"exif": exif}),
        ("lzw.tif", rgb, {"compression": "tiff_lzw"}),
        ("jpeg.tif", rgb, {"compression": "jpeg"}),
        ("grey16.tif", grey16, {}),
        ("float.tif", Image.fromarray(pixels[..., 0].astype(np.float32)), {}),
        ("a.gif", rgb.convert("P"), {"save_all": True, "append_images": [rgb.convert("P").rotate(90)]}),
        ("a.bmp", rgb, {}),
        ("a.avif", rgb, {}),
        ("a.jp2", rgb, {}),
        ("a.ppm", rgb, {}),
        ("a.ico", rgba, {}),
    ]
    for name, image, options in images:
        image.save(folder / name, **options)  # type: ignore[arg-type]
    return [(folder / name, folder / name) for name, _, _ in images]


def attempt(root: Path, file: Path) -> None:
    """Reads it as `boxless locate`, `fit` and `evaluate` do."""
    _frame_of(file)
    for source in (file, file.read_bytes()):
        for enough in (None, 8):
            try:
                image = read_image(source, enough=enough, max_pixels=20_000_000)
            except ImageError:
                continue
            assert image.pixels.dtype == np.uint8 and image.pixels.shape[2] == 3 and image.pixels.size
