from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boxless.maps.boxes import SPECK, Box, boxes_in_map, iou, suppress_overlaps

maps = arrays(
    np.float32,
    st.tuples(st.integers(1, 24), st.integers(1, 24)),
    elements=st.floats(0, 100, width=32, allow_subnormal=False),
)


@given(maps, st.floats(0.01, 1), st.integers(1, 5000), st.integers(1, 5000))
def test_boxes_are_ordered_inside_and_not_empty(
    score_map: np.ndarray, threshold: float, height: int, width: int
) -> None:
    found = boxes_in_map(score_map, threshold, height, width)
    assert bool(found) == bool(score_map.max() > 0)
    for box in found:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    scores = [box.score for box in found]
    assert scores == sorted(scores, reverse=True)
    if found:
        assert scores[0] == 1
        assert min(scores) >= SPECK


@given(maps, st.floats(0.01, 1))
def test_boxes_hold_what_reaches_the_threshold_and_no_specks(score_map: np.ndarray, threshold: float) -> None:
    above = score_map >= threshold * score_map.max()
    covered = np.zeros_like(above)
    for box in boxes_in_map(score_map, threshold, *score_map.shape):
        rows, columns = slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1))
        piece = above[rows, columns]
        # Tight: something touches every edge.
        assert piece[0].any() and piece[-1].any() and piece[:, 0].any() and piece[:, -1].any()
        covered[rows, columns] = True
    if score_map.max() > 0:
        left_out = above & ~covered
        _, pieces = cv2.connectedComponents(above.view(np.uint8), connectivity=8)
        evidence = np.bincount(pieces.ravel(), weights=score_map.ravel())
        assert (evidence[pieces[left_out]] < SPECK * evidence[1:].max()).all()


@given(maps, st.floats(0.01, 1), st.floats(0.125, 64))
def test_the_scale_of_a_map_does_not_matter(score_map: np.ndarray, threshold: float, scale: float) -> None:
    power_of_two = np.float32(2.0 ** round(float(np.log2(scale))))
    plain = boxes_in_map(score_map, threshold, 100, 100)
    scaled = boxes_in_map(score_map * power_of_two, threshold, 100, 100)
    assert [box.xyxy for box in plain] == [box.xyxy for box in scaled]


def test_pieces_by_evidence_not_by_size() -> None:
    score_map = np.zeros((6, 10), np.float32)
    score_map[1:3, 1:3] = 1.0  # 4 cells of full evidence
    score_map[4:5, 4:10] = 0.5  # 6 cells of half
    best, second = boxes_in_map(score_map, 0.4, 60, 100)
    assert best.xyxy == (10, 10, 30, 30)
    assert second.xyxy == (40, 40, 100, 50)
    assert (best.score, second.score) == pytest.approx((1, 3 / 4))


def test_a_speck_is_no_box() -> None:
    score_map = np.zeros((20, 20), np.float32)
    score_map[2:12, 2:12] = 1.0
    score_map[15:17, 15:17] = 1.0  # 4 % of the evidence of the other
    assert len(boxes_in_map(score_map, 0.5, 20, 20)) == 1
    score_map[15:18, 15:18] = 1.0  # 9 %
    assert len(boxes_in_map(score_map, 0.5, 20, 20)) == 2
    score_map[15:18, 15:18] = 0
    score_map[15, 15:20] = 1.0  # 5 %, which is enough
    assert len(boxes_in_map(score_map, 0.5, 20, 20)) == 2


def test_scores_are_as_probable_as_the_class() -> None:
    score_map = np.zeros((4, 9), np.float32)
    score_map[:, :4] = 1.0
    score_map[:2, 6:] = 1.0
    assert [box.score for box in boxes_in_map(score_map, 0.5, 4, 9, probability=0.4)] == pytest.approx([0.4, 0.15])


def test_corners_touch() -> None:
    assert len(boxes_in_map(np.eye(4, dtype=np.float32), 0.5, 4, 4)) == 1


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_no_evidence_no_boxes(value: float) -> None:
    assert boxes_in_map(np.full((3, 3), value, np.float32), 0.5, 9, 9) == ()


def test_iou_by_hand() -> None:
    boxes = np.array([[0, 0, 2, 2], [5, 5, 6, 6]], np.float32)
    others = np.array([[1, 1, 3, 3], [0, 0, 2, 2]], np.float32)
    assert iou(boxes, others) == pytest.approx(np.array([[1 / 7, 1], [0, 0]]))
    assert iou(boxes.astype(np.float64), others.astype(np.float64)).dtype == np.float32


def test_of_overlapping_boxes_of_different_classes_the_best_stays() -> None:
    cat, ear = Box(0, 0, 10, 10, score=0.6), Box(0, 0, 10, 9, score=0.5)
    tabby, dog = Box(0, 1, 10, 10, score=0.55), Box(20, 0, 30, 10, score=0.1)
    assert suppress_overlaps([(cat, ear), (tabby, dog)], 0.5) == [(cat, ear), (dog,)], "boxes of one class stay"
    assert suppress_overlaps([(tabby, dog), (cat, ear)], 0.5) == [(dog,), (cat, ear)], "the order does not decide"
    assert suppress_overlaps([(cat,), (tabby,)], 0.9) == [(cat,), (tabby,)], "at an IoU of 0.9, not above it"
    assert suppress_overlaps([(cat,), (tabby,)], 1) == [(cat,), (tabby,)]
    assert suppress_overlaps([(), (tabby,), ()], 0.5) == [(), (tabby,), ()]
    assert suppress_overlaps([], 0.5) == []
