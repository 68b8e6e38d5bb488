from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from boxless.boxes import Box
from boxless.draw import TILE, Layer, contact_sheet, draw, heat_map, overlay

GREY = np.full((200, 300, 3), 128, np.uint8)


def ramp(height: int, width: int) -> np.ndarray:
    return np.linspace(0, 1, width, dtype=np.float32)[None].repeat(height, axis=0)


def layer(height: int, width: int, title: str = "espresso 87%", strength: float = 1.0) -> Layer:
    return Layer(title, ramp(height, width), strength, [Box(width * 0.4, height * 0.4, width, height, 1.0)])


def test_heat_grows_with_the_score() -> None:
    luminance = heat_map(ramp(1, 256)).astype(int) @ [299, 587, 114]
    assert (np.diff(luminance[0]) > -2000).all()  # perceptually uniform: lighter and lighter, but for rounding
    assert luminance[0, -1] > 200_000 > luminance[0, 0]


def test_heat_is_clear_where_the_score_is_low_and_fades_with_the_evidence() -> None:
    strong, weak = (
        np.abs(overlay(GREY, ramp(200, 300), strength).astype(int) - 128).sum(axis=2) for strength in (1, 0.2)
    )
    assert strong[:, 0].max() == 0
    assert strong.mean() > 3 * weak.mean() > 0
    assert np.array_equal(overlay(GREY, ramp(200, 300), 0.0), GREY)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_box_and_label_show_on_any_ground(shade: int) -> None:
    drawn = np.array(draw(np.full((200, 300, 3), shade, np.uint8), [layer(200, 300, strength=0.0)])).astype(int)
    edge = drawn[100:190, 120:130].reshape(-1, 3).sum(axis=1)
    assert edge.max() - edge.min() > 200  # the line between its two dark ones
    label = drawn[82:98, 125:220].reshape(-1, 3).sum(axis=1)
    assert label.max() > 700 and label.min() < 100


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 5000), (5000, 1), (64, 64), (3000, 2000)])
def test_labels_fit_on_pictures_of_any_size(size: tuple[int, int]) -> None:
    drawn = draw(np.full((*size, 3), 200, np.uint8), [layer(*size)])
    assert min(drawn.size) >= 15
    if min(size) >= 320:
        assert drawn.size == size[::-1]


def test_labels_do_not_cover_each_other() -> None:
    one, two, three = (np.array(draw(GREY, [layer(200, 300, "espresso", 0)] * count)) for count in (1, 2, 3))
    dark = [int((image.sum(axis=2) < 80).sum()) for image in (one, two, three)]
    label = dark[1] - dark[0]
    assert label > 500
    assert dark[2] - dark[1] == pytest.approx(label, rel=0.3)


def test_nothing_found_leaves_the_picture() -> None:
    large = np.full((400, 500, 3), 90, np.uint8)
    assert np.array_equal(np.array(draw(large, [])), large)


def test_contact_sheet() -> None:
    images = [Image.new("RGB", size, "red") for size in ((900, 300), (10, 10), (300, 900))]
    sheet = contact_sheet(images, ["a", "b", "a/very/long/path/" * 20 + "c.jpg"])
    assert sheet.width > 2 * TILE
    assert sheet.height > 2 * TILE
    assert images[0].size == (900, 300)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([], [])
