from __future__ import annotations

import numpy as np
import pytest

from boxless.evaluation.box_accuracy import (
    THRESHOLDS,
    centre_map,
    centre_overlaps,
    inclusive_iou,
    max_box_acc,
    max_box_acc_v2,
    one_box_accuracy,
    overlaps,
)

TRUTH = np.array([[0, 0, 10, 10]], np.float32)


def two_components(small: float, large: float) -> np.ndarray:
    """A map of 20 x 20: a component of 10 x 10 in the upper left corner, one of 9 x 20 at the lower edge."""
    score_map = np.zeros((20, 20), np.float32)
    score_map[:10, :10] = small
    score_map[11:, :] = large
    return score_map


def test_by_hand() -> None:
    curves = overlaps(two_components(1.0, 0.5), TRUTH)
    low, high = THRESHOLDS <= 0.5, THRESHOLDS > 0.51
    # Below one half there are two components: 100 cells of 1 against 180 cells of one half. The first has the
    # larger sum, the second more cells.
    assert (curves.any_box == 1).all()
    assert (curves.best_box == 1).all()
    assert (curves.largest_box[low] == 0).all()
    assert (curves.largest_box[high] == 1).all()


def test_the_largest_component_is_what_max_box_acc_takes() -> None:
    always_wrong = overlaps(two_components(0.9, 1.0), TRUTH)
    right_when_high = overlaps(two_components(1.0, 0.5), TRUTH)
    assert max_box_acc([always_wrong]) == 0
    assert max_box_acc([right_when_high, always_wrong]) == 50
    assert max_box_acc_v2([right_when_high, always_wrong]) == 100  # some component is right in both


def test_each_iou_has_its_own_best_threshold() -> None:
    ramp = np.zeros((10, 10), np.float32)
    ramp[:, :] = np.linspace(1.0, 0.1, 10)  # cut at t, the columns below 10 * (1.1 - t) / 1.0 remain
    narrow, wide = (overlaps(ramp, np.array([[0, 0, right, 10]], np.float32)) for right in (4, 10))
    # IoU of k columns with 4 is min / max, so 4..8 give one half or more; with 10, 5..10 do. Both hold for 5..8.
    # At 0.7: 3, 4 or 5 columns for the narrow, 7..10 for the wide: never both. At 0.3: both for 3..10.
    assert max_box_acc_v2([narrow, wide]) == pytest.approx((100 + 100 + 50) / 3)
    assert one_box_accuracy([narrow, wide]).max() == pytest.approx((100 + 100 + 50) / 3)


def test_a_box_is_right_from_the_iou_on() -> None:
    half = overlaps(np.ones((10, 10), np.float32), np.array([[0, 0, 5, 10]], np.float32))
    assert half.any_box == pytest.approx(0.5)
    assert max_box_acc([half]) == 100  # exactly 0.5 counts
    less = overlaps(np.ones((10, 10), np.float32), np.array([[0, 0, 4.99, 10]], np.float32))
    assert max_box_acc([less]) == 0


def test_any_of_several_true_boxes_counts() -> None:
    truth = np.array([[50, 50, 60, 60], [0, 0, 10, 10]], np.float32)
    assert overlaps(two_components(1.0, 0.0), truth, (20, 20)).any_box == pytest.approx(1)


def test_a_map_without_positive_values_is_wrong_everywhere() -> None:
    curves = overlaps(np.zeros((4, 4), np.float32), TRUTH)
    assert not curves.any_box.any()
    assert max_box_acc_v2([curves]) == 0


def test_a_map_of_another_size_is_scaled_to_the_image() -> None:
    score_map = np.zeros((4, 4), np.float32)
    score_map[:2, :1] = 1
    curves = overlaps(score_map, np.array([[0, 0, 50, 50]], np.float32), (100, 200))
    assert curves.any_box == pytest.approx(1)


def test_inclusive_iou_as_the_benchmark_documents_it() -> None:
    # The benchmark's own cases: identical boxes, and [1,2,5,6] with [3,1,4,5], which share 2 x 4 of 25 + 10 - 8.
    box, other = np.array([[1, 2, 5, 6]], np.float32), np.array([[3, 1, 4, 5]], np.float32)
    assert inclusive_iou(box, other) == pytest.approx(8 / 27)
    assert inclusive_iou(np.array([[0, 0, 0, 0]], np.float32), np.array([[0, 0, 0, 0]], np.float32)) == 1
    apart = np.array([[1, 1, 3, 3], [4, 4, 5, 5]], np.float32)
    assert inclusive_iou(apart, apart) == pytest.approx(np.eye(2))


def test_the_centre_baseline() -> None:
    whole = centre_overlaps(np.array([[0, 0, 200, 100]], np.float32), (100, 200)).any_box
    assert whole[0] > 0.95 and whole[-1] < 0.05
    assert (np.diff(whole) <= 0).all()  # the box only shrinks
    middle = centre_overlaps(np.array([[50, 25, 150, 75]], np.float32), (100, 200)).any_box
    assert middle.max() > 0.95
    assert centre_map(9, 5).shape == (9, 5)
    assert centre_map(9, 5).argmax() == 22
