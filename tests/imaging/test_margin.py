from __future__ import annotations

import numpy as np
import pytest

from boxless.imaging.margin import with_margin, without_margin


def test_an_image_is_mirrored_about_its_outermost_pixels() -> None:
    row = np.arange(4, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert with_margin(row, 2)[2, :, 0].tolist() == [2, 1, 0, 1, 2, 3, 2, 1]
    assert with_margin(row, 0) is row


@pytest.mark.parametrize(("height", "width"), [(32, 48), (1, 1), (3, 200)])
def test_a_margin_may_be_larger_than_the_image(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    larger = with_margin(pixels, 64)
    assert larger.shape == (height + 128, width + 128, 3)
    assert (larger[64:-64, 64:-64] == pixels).all()


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_what_is_left_of_a_map_is_of_the_image(stride: int) -> None:
    height, width, margin = 96, 160, 64
    cells = np.indices(((height + 2 * margin) // stride, (width + 2 * margin) // stride), np.float32)
    left = without_margin(cells, margin, (height + 2 * margin, width + 2 * margin))
    assert left.shape == (2, height // stride, width // stride)
    assert left[:, 0, 0].tolist() == [margin // stride, margin // stride]
