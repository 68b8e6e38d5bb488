"""The input size that pseudo-boxes ask for."""

from __future__ import annotations

import numpy as np
import pytest

from boxless.learning.detector.input_size import input_size_for
from boxless.learning.detector.pseudo_labels import PseudoLabels


def square(side: float) -> PseudoLabels:
    return PseudoLabels.of_truth(np.array([[0, 0, side, 2 * side]], np.float32), np.array([0]), 2)


@pytest.mark.parametrize(
    ("side", "own_side", "size"),
    [(0.5, 2000, 256), (0.0625, 2000, 256), (0.04, 2000, 416), (0.01, 2000, 768), (0.04, 300, 320), (0.04, 64, 256)],
)
def test_small_boxes_get_more_pixels_as_far_as_the_images_have_them(side: float, own_side: float, size: int) -> None:
    assert input_size_for([square(side)], own_side) == size


def test_three_of_four_boxes_decide_and_uncertain_ones_do_not() -> None:
    large, small = square(0.5), square(0.02)
    doubtful = PseudoLabels(small.boxes, small.candidates, 0 * small.weights)
    assert input_size_for([*[large] * 8, *[small] * 2], 2000) == 256
    assert input_size_for([*[large] * 4, *[small] * 4], 2000) == 768
    assert input_size_for([*[large] * 4, *[doubtful] * 4], 2000) == 256
    assert input_size_for([PseudoLabels.nothing(2)], 2000) == 256
