from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boxless.evaluation.box_accuracy import THRESHOLDS, inclusive_iou, overlaps
from boxless.evaluation.threshold_tree import components
from boxless.maps.boxes import boxes_in_map, iou

sides = st.tuples(st.integers(1, 14), st.integers(1, 14))
smooth = arrays(np.float32, sides, elements=st.floats(0, 100, width=32, allow_subnormal=False))
stepped = arrays(np.float32, sides, elements=st.integers(0, 4).map(float))
"""Many equal neighbours: plateaus are where climbing could go wrong."""


@settings(deadline=None)  # each example cuts a map 99 times, and machines are sometimes busy
@given(st.one_of(smooth, stepped))
def test_the_components_are_those_of_thresholding_at_every_threshold(score_map: np.ndarray) -> None:
    found = components(score_map, THRESHOLDS)
    for i, threshold in enumerate(THRESHOLDS):
        slow = boxes_in_map(score_map, float(threshold), score_map.shape[0], score_map.shape[1], least=0.0)
        here = found.threshold == i
        most = found.total[here].max(initial=0.0)
        fast = [(*box, share / most) for box, share in zip(found.xyxy[here], found.total[here], strict=True)]
        expected = sorted((*box.xyxy, box.score) for box in slow)
        assert np.array(sorted(fast)) == pytest.approx(np.array(expected), abs=1e-6)


@settings(deadline=None)  # each example cuts a map 99 times, and machines are sometimes busy
@given(st.one_of(smooth, stepped), st.integers(0, 2**31))
def test_overlaps_are_those_of_the_boxes(score_map: np.ndarray, seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width = 30, 50
    corner = random.uniform(0, 25, (3, 2))
    truth = np.concatenate([corner, corner + random.uniform(1, 25, (3, 2))], axis=1).astype(np.float32)
    curves = overlaps(score_map, truth, (height, width))
    for i, threshold in enumerate(THRESHOLDS):
        found = boxes_in_map(score_map, float(threshold), height, width, least=0.0)
        if not found:
            assert not curves.any_box[i]
            continue
        boxes = np.array([box.xyxy for box in found], np.float32)
        each = iou(boxes, truth).max(axis=1)
        assert curves.any_box[i] == pytest.approx(each.max(), abs=1e-5)
        assert curves.any_box_inclusive[i] == pytest.approx(inclusive_iou(boxes, truth).max(), abs=1e-5)
        # Several components may have the same sum: any of them may come first.
        first = [value for value, box in zip(each, found, strict=True) if box.score >= found[0].score - 1e-9]
        assert any(curves.best_box[i] == pytest.approx(value, abs=1e-5) for value in first)


def test_components_meet_at_their_saddle() -> None:
    score_map = np.array([[0.9, 0.3, 1.0], [0.0, 0.0, 0.0]], np.float32)
    found = components(score_map, np.array([0.2, 0.5, 0.95]))
    assert found.threshold.tolist() == [0, 1, 1, 2]
    assert sorted(map(tuple, found.xyxy.tolist())) == [(0, 0, 1, 1), (0, 0, 3, 1), (2, 0, 3, 1), (2, 0, 3, 1)]
    assert found.cells.tolist() == [3, 1, 1, 1]
    assert found.total[0] == pytest.approx(2.2)


@pytest.mark.parametrize("value", [0.0, -2.0])
def test_a_map_without_positive_values_has_no_components(value: float) -> None:
    assert len(components(np.full((3, 4), value, np.float32), THRESHOLDS).threshold) == 0


def test_a_flat_map_is_one_component_everywhere() -> None:
    found = components(np.full((5, 7), 3.0, np.float32), THRESHOLDS)
    assert found.threshold.tolist() == list(range(len(THRESHOLDS)))
    assert (found.xyxy == [0, 0, 7, 5]).all()
