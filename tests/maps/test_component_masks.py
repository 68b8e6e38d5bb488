from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxless import Localizer
from boxless.maps.boxes import Box, boxes_in_map, component_masks


def test_each_box_gets_its_own_piece() -> None:
    """Also where the box of one piece holds another piece."""
    scores = np.zeros((40, 60), np.float32)
    scores[2:38, 2:6] = scores[34:38, 2:40] = 1.0  # an L, in whose box there is a block
    scores[10:16, 20:30] = 0.9
    boxes = boxes_in_map(scores, 0.5, 40, 60)
    outer, block = component_masks(scores, boxes, 0.5)
    np.testing.assert_array_equal(outer, scores == 1.0)
    np.testing.assert_array_equal(block, scores == np.float32(0.9))


@pytest.mark.parametrize("there", [(slice(2, 6), slice(30, 50)), (slice(24, 36), slice(3, 5))])
def test_a_coarse_box_gets_the_piece_that_fits_it_best(there: tuple[slice, slice]) -> None:
    """The box lies over a part of another piece, which is much larger."""
    scores = np.zeros((40, 60), np.float32)
    scores[8:38, 8:58] = 1.0  # large
    scores[there] = 1.0
    scores[0, 0] = 1.0
    rows, columns = there
    box = Box(columns.start - 1, rows.start - 1, columns.stop + 4, rows.stop + 4, 1.0)
    (mask,) = component_masks(scores, [box], 0.5)
    expected = np.zeros_like(mask)
    expected[there] = True
    np.testing.assert_array_equal(mask, expected)


def test_pieces_that_touch_at_a_corner_are_one() -> None:
    scores = np.eye(4, dtype=np.float32)
    (mask,) = component_masks(scores, [Box(0, 0, 4, 4, 1.0)], 0.5)
    np.testing.assert_array_equal(mask, np.eye(4, dtype=bool))


@pytest.mark.parametrize(("right", "cells"), [(3.4, [[4, 3]]), (5.2, [[4, 3], [4, 4]])])
def test_a_box_thinner_than_a_pixel_is_one_pixel_wide(right: float, cells: list[list[int]]) -> None:
    (mask,) = component_masks(np.zeros((10, 10), np.float32), [Box(3.2, 4.1, right, 4.3, 1.0)], 0.5)
    assert np.argwhere(mask).tolist() == cells


def test_what_just_reaches_the_threshold_belongs_to_the_mask() -> None:
    scores = np.array([[1.0, 0.5, 0.0], [0.0, 0.0, 0.5]], np.float32)
    (mask,) = component_masks(scores, boxes_in_map(scores, 0.5, 2, 3), 0.5)
    np.testing.assert_array_equal(mask, scores >= 0.5)


def test_what_is_too_thin_for_the_pixels_gets_its_box() -> None:
    (mask,) = component_masks(np.zeros((10, 10), np.float32), [Box(9.7, 2.0, 10.0, 4.0, 1.0)], 0.5)
    assert np.argwhere(mask).tolist() == [[2, 9], [3, 9]]


def test_masks_of_a_real_predictions_fill_their_boxes(localizer: Localizer, images: object) -> None:
    (prediction,) = localizer.locate(f"{images}/coffee.jpg").predictions
    masks = list(prediction.masks())
    assert len(masks) == len(prediction.boxes) > 0
    for mask, box in zip(masks, prediction.boxes, strict=True):
        assert mask.shape == (prediction.height, prediction.width)
        columns = np.flatnonzero(mask.any(axis=0))
        assert abs(columns[0] - box.x0) <= 3 and abs(columns[-1] + 1 - box.x1) <= 3
        assert prediction.score_map[mask].min() >= prediction.threshold


def test_masks_are_cut_where_the_classs_own_threshold_cuts_its_boxes(coffee: Path) -> None:
    own = Localizer(preset="fast", threads=1)
    own.preset = replace(own.preset, threshold=0.9, thresholds=(0.3,) * len(own.card.labels))
    (prediction,) = own.locate(coffee).predictions
    (mask, *_), box = prediction.masks(), prediction.boxes[0]
    assert prediction.threshold == 0.3
    columns = np.flatnonzero(mask.any(axis=0))
    assert abs(columns[0] - box.x0) <= 3 and abs(columns[-1] + 1 - box.x1) <= 3
