from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from boxless.imaging.draw import TILE, Layer, contact_sheet, draw, heat_map, overlay
from boxless.maps.boxes import Box

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
def test_labels_fit_on_images_of_any_size(size: tuple[int, int]) -> None:
    drawn = draw(np.full((*size, 3), 200, np.uint8), [layer(*size)])
    assert min(drawn.size) >= 15
    if min(size) >= 320:
        assert drawn.size == size[::-1]


def test_several_classes_have_a_panel_each() -> None:
    """Drawn as each would be alone, but for the colour, whatever the others are."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    layers = [layer(300, 400, title, strength) for title, strength in (("jack", 1.0), ("queen", 0.5), ("no king", 0.0))]
    together = np.array(draw(pixels, layers))
    assert together.shape == (606, 806, 3)
    alone = [np.array(draw(pixels, [each])) for each in layers]
    panels = [together[:300, :400], together[:300, 406:], together[306:, :400]]
    assert np.array_equal(panels[0], alone[0])
    for panel, single in zip(panels[1:], alone[1:], strict=True):
        differs = (panel != single).any(axis=2)
        assert 0 < differs.mean() < 0.05  # box and the label's edge, in another colour
        assert not differs[:115].any()
    assert (together[306:, 406:] == 255).all()


@pytest.mark.parametrize(("size", "count", "most"), [((3000, 4000), 5, 16e6), ((3000, 4000), 200, 30e6)])
def test_panels_of_large_images_fit_on_a_sheet(size: tuple[int, int], count: int, most: float) -> None:
    pixels, one = np.zeros((*size, 3), np.uint8), layer(*size)
    drawn = draw(pixels, [one] * count)
    assert drawn.width * drawn.height < most
    assert 0.8 < drawn.width / drawn.height < 2.2


def test_nothing_found_leaves_the_image() -> None:
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


def plain(title: str, boxes: list[tuple[float, float, float, float]], kind: int) -> Layer:
    return Layer(title, None, 0.0, [Box(*box, 0.9 - 0.1 * i) for i, box in enumerate(boxes)], kind)


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    pixels = np.array(image).reshape(-1, 3)
    values, counts = np.unique(pixels, axis=0, return_counts=True)
    return {
        tuple(value.tolist())
        for value, count in zip(values, counts, strict=True)
        if count > 100 and value.max() - value.min() > 60
    }


def test_boxes_without_heat_share_a_image_and_keep_the_colour_of_their_class() -> None:
    grey = np.full((400, 400, 3), 128, np.uint8)
    jack = plain("jack", [(40, 60, 140, 160), (240, 60, 340, 160)], 1)
    queen = plain("queen", [(45, 65, 145, 165)], 4)
    both, alone = draw(grey, [jack, queen]), draw(grey, [queen])
    assert both.size == alone.size == (400, 400)
    (queens,) = colours(alone)
    assert len(colours(both)) == 2
    assert queens in colours(both)
    assert colours(draw(grey, [queen, jack])) == colours(both)


def test_classes_that_would_have_one_colour_have_two() -> None:
    grey = np.full((400, 400, 3), 128, np.uint8)
    one, other = plain("a", [(40, 60, 140, 160)], 2), plain("b", [(240, 60, 340, 160)], 9)
    assert colours(draw(grey, [one])) == colours(draw(grey, [other]))
    assert len(colours(draw(grey, [one, other]))) == 2


@pytest.mark.parametrize("corner", [(200, 150), (0, 0), (391, 293), (0, 150)])
def test_neither_frame_nor_label_hides_something_small(corner: tuple[int, int]) -> None:
    x, y = corner
    box = Box(x, y, x + 9, y + 7, 0.9)
    drawn = np.asarray(draw(np.full((300, 400, 3), 120, np.uint8), [Layer("blowhole 97%", None, 0.0, [box])]))
    heated = np.zeros((300, 400), np.float32)
    panel = np.asarray(draw(np.full((300, 400, 3), 120, np.uint8), [Layer("blowhole 97%", heated, 0.0, [box])]))
    assert (panel[y : y + 7, x : x + 9] == 120).all()
    assert (drawn[y : y + 7, x : x + 9] == 120).all()
    assert (panel != 120).any()
