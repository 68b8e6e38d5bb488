from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from boxless.errors import ImageError
from boxless.imaging.read import images_in, read_image, resize_pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def close(pixels: np.ndarray, colour: tuple[int, int, int], by: int = 3) -> bool:
    return bool((np.abs(pixels.astype(int) - colour) <= by).all())


RED = (200, 30, 40)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        ("TIFF", {}),
        pytest.param(
            "AVIF",
            {"quality": 95, "subsampling": "4:4:4"},
            marks=pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF"),
        ),
    ],
)
def test_reads_what_cameras_and_the_web_write(kind: str, options: dict[str, object]) -> None:
    image = read_image(encoded(Image.new("RGB", (40, 30), RED), kind, **options))
    assert (image.height, image.width) == (30, 40)
    assert image.pixels.shape == (30, 40, 3)
    assert image.pixels.dtype == np.uint8
    assert close(image.pixels, RED)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (5, 4), 90), (90, 90, 90)),
        (Image.new("1", (5, 4), 1), (255, 255, 255)),
        (Image.new("LA", (5, 4), (90, 255)), (90, 90, 90)),
        (Image.new("LA", (5, 4), (0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (5, 4), (*RED, 255)), RED),
        (Image.new("RGBA", (5, 4), (*RED, 0)), (255, 255, 255)),
        (Image.new("RGBA", (5, 4), (0, 0, 0, 128)), (127, 127, 127)),
        (Image.new("RGB", (5, 4), RED).quantize(4), RED),
        (Image.fromarray(np.full((4, 5), 65535, np.uint16)), (255, 255, 255)),
        (Image.fromarray(np.full((4, 5), 32896, np.uint16)), (128, 128, 128)),
        (Image.fromarray(np.full((4, 5), 25700, np.int32)), (100, 100, 100)),
    ],
    ids=["grey", "bilevel", "grey+alpha", "clear grey", "RGBA", "clear", "half clear", "palette", "16-bit",
         "16-bit grey", "32-bit"],
)  # fmt: skip
def test_every_mode_becomes_rgb(image: Image.Image, expected: tuple[int, int, int]) -> None:
    assert close(read_image(image).pixels, expected)
    if image.mode != "I":
        assert close(read_image(encoded(image, "PNG")).pixels, expected)


def test_a_clear_palette_colour_becomes_white() -> None:
    image = Image.new("P", (5, 4), 0)
    image.putpalette([*RED, 0, 0, 0])
    assert close(read_image(encoded(image, "PNG", transparency=0)).pixels, (255, 255, 255))


def test_cmyk_jpeg() -> None:
    image = Image.new("RGB", (16, 16), RED).convert("CMYK")
    assert close(read_image(encoded(image, "JPEG", quality=95)).pixels, RED, by=6)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in (RED, (0, 0, 255))]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert close(read_image(data).pixels, RED)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("enough", [None, 10])
def test_exif_orientation(orientation: int, enough: int | None) -> None:
    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, :48] = 250  # the upper left quarter is bright
    undo = {1: [], 2: [0], 3: [3], 4: [1], 5: [5], 6: [2], 7: [6], 8: [4]}
    # Pillow's transpositions: 0 left-right, 1 top-bottom, 2 rotate 90, 3 rotate 180, 4 rotate 270, 5 transpose,
    # 6 transverse
    stored = Image.fromarray(upright)
    for method in undo[orientation]:
        stored = stored.transpose(Image.Transpose(method))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = read_image(encoded(stored, "JPEG", quality=95, exif=exif), enough=enough)
    assert (image.height, image.width) == (64, 96)
    h, w = image.pixels.shape[:2]
    assert image.pixels[: h // 2 - 2, : w // 2 - 2].min() > 200
    assert image.pixels[h // 2 + 2 :].max() < 50


def test_a_large_jpeg_is_decoded_small_where_that_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (4000, 2000), RED).save(path)
    image = read_image(path, enough=224)
    assert (image.height, image.width) == (2000, 4000)
    assert min(image.pixels.shape[:2]) in range(2 * 224, 4 * 224)
    assert read_image(path).pixels.shape == (2000, 4000, 3)


@pytest.mark.parametrize("size", [(1, 1), (5000, 1), (1, 5000)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    image = read_image(encoded(Image.new("RGB", size, RED), "PNG"))
    assert (image.width, image.height) == size


def test_an_array_is_taken_as_it_is() -> None:
    array = np.random.default_rng(0).integers(0, 256, (7, 9, 3), np.uint8)
    before = array.copy()
    assert np.array_equal(read_image(array).pixels, before)
    assert np.array_equal(read_image(array[:, ::-1]).pixels, before[:, ::-1])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((4, 5, 2), np.uint8), "uint8 (4, 5, 2)"),
        (np.zeros((5,), np.uint8), "uint8 (5,)"),
        (np.zeros((3, 40, 50), np.uint8), "a.transpose(1, 2, 0)"),
        (np.zeros((2, 4, 5, 3), np.uint8), "locate_many"),
        (np.full((4, 5, 3), 254.5, np.float32), "these go from 254.5 to 254.5"),
        (np.full((4, 5), -0.5), "these go from -0.5 to -0.5"),
        (np.full((4, 5), np.nan), "from nan"),
        (np.zeros((4, 5, 3), np.uint16), "uint16"),
        (np.zeros((0, 5, 3), np.uint8), "without pixels"),
    ],
)
def test_arrays_of_the_wrong_shape_or_type_are_refused(array: np.ndarray, said: str) -> None:
    with pytest.raises(ImageError) as refusal:
        read_image(array)
    assert said in str(refusal.value)


def broken_images() -> dict[str, tuple[bytes, str]]:
    whole = encoded(Image.effect_noise((200, 100), 80).convert("RGB"), "JPEG")
    png = encoded(Image.effect_noise((200, 100), 80), "PNG")
    return {
        "truncated JPEG": (whole[: len(whole) // 2], "damaged"),
        "truncated PNG": (png[: len(png) // 2], "damaged"),
        "JPEG's first bytes": (whole[:20], "image"),
        "text": (b"this is no image at all", "not an image"),
        "empty": (b"", "0 bytes"),
        "zip": (b"PK\x03\x04" + bytes(60), "a zip archive (boxless batch reads the images in it)"),
    }


@pytest.mark.parametrize("name", broken_images())
def test_broken_files_are_refused_in_one_line(name: str, tmp_path: Path) -> None:
    data, said = broken_images()[name]
    path = tmp_path / "broken.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError) as refusal:
        read_image(path)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_no_bytes_are_refused() -> None:
    with pytest.raises(ImageError, match="no bytes"):
        read_image(b"")


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((16_000, 10_000), r"too large: 16000 x 10000 is 160 megapixels \(at most 150 are read; make it smaller"),
        ((60_000, 60_000), r"too large: 3600 megapixels \(at most 150 are read; make it smaller"),
    ],
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], said: str) -> None:
    with pytest.raises(ImageError, match=said) as refusal:
        read_image(png_that_claims(*size))
    assert "attack" not in str(refusal.value)
    assert "max_pixels" not in str(refusal.value)


def test_the_limit_can_be_set() -> None:
    image = Image.new("RGB", (100, 100))
    assert read_image(image, max_pixels=10_000).width == 100
    with pytest.raises(ImageError, match="100 x 100"):
        read_image(image, max_pixels=9_999)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file"):
        read_image(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="without images"):
        read_image(tmp_path)
    Image.new("RGB", (4, 4)).save(tmp_path / "one.png")
    with pytest.raises(ImageError, match="a folder of 1"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match="cannot be accessed"):
        read_image(tmp_path / f"{'long' * 100}.jpg")


def test_an_image_that_is_not_decoded_yet_may_be_damaged() -> None:
    data = encoded(Image.effect_noise((200, 100), 80), "PNG")
    with pytest.raises(ImageError, match="a damaged image"):
        read_image(Image.open(io.BytesIO(data[: len(data) // 2])))


def test_what_is_no_image_at_all_is_refused() -> None:
    with pytest.raises(ImageError, match=r"int \(expected a path"):
        read_image(3)  # type: ignore[arg-type]


def test_images_in_a_folder(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "b/1.png", "a.webp", "notes.txt", ".hidden/x.jpg", "b/.thumb.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert images_in(tmp_path) == [tmp_path / "a.webp", tmp_path / "b/1.png", tmp_path / "b/2.JPG"]


def test_resizing_down_counts_every_pixel() -> None:
    stripes = np.tile(np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8), (64, 32, 1))
    assert close(resize_pixels(stripes, 8, 8), (128, 128, 128), by=1)
    assert resize_pixels(stripes, 100, 80).shape == (100, 80, 3)


def test_encoded_images_come_in_any_kind_of_bytes(coffee: Path) -> None:
    content = coffee.read_bytes()
    expected = read_image(coffee).pixels
    at_its_end = io.BytesIO()
    at_its_end.write(content)
    with coffee.open("rb") as file:
        for source in (content, bytearray(content), memoryview(content), io.BytesIO(content), at_its_end, file):
            assert np.array_equal(read_image(source).pixels, expected)
    with coffee.open(encoding="latin-1") as text, pytest.raises(ImageError, match="'rb'"):
        read_image(text)  # type: ignore[arg-type]


def test_arrays_come_in_grey_with_transparency_and_as_floats(coffee: Path) -> None:
    pixels = read_image(coffee).pixels
    for kind in (np.float16, np.float32, np.float64):
        assert np.array_equal(read_image((pixels / 255).astype(kind)).pixels, pixels)
    grey = pixels[..., 0]
    for array in (grey, grey[..., None], grey / 255):
        assert np.array_equal(read_image(array).pixels, np.stack([grey] * 3, axis=-1))
    opaque = np.dstack([pixels, np.full(grey.shape, 255, np.uint8)])
    assert np.array_equal(read_image(opaque).pixels, pixels)
    opaque[..., 3] = 0
    assert read_image(opaque).pixels.min() == 255
