"""Assignment and loss on cases small enough to work out by hand."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from boxless.learning.detector.assignment import CELLS, assign
from boxless.learning.detector.geometry import centres, decoded, overlaps
from boxless.learning.detector.loss import detection_loss, varifocal
from boxless.networks.framework import keras

Floats = NDArray[np.float32]

ops: Any = keras.ops
numpy = keras.ops.convert_to_numpy

SIDE = 64
CELLS_IN_ALL = 8 * 8 + 4 * 4 + 2 * 2
BOX = np.array([[[16.0, 16, 48, 48]]], np.float32)
CAT, DOG = np.eye(2, dtype=np.float32)
SURE = np.ones((1, 1), np.float32)


def said(logit: float = -4.0, distance: float = 2.0) -> list[Floats]:
    """What a detector of two classes might say of an image of 64 pixels a side, the same everywhere."""
    cell = np.array([logit, logit, *[distance] * 4], np.float32)
    return [np.tile(cell, (1, side, side, 1)) for side in (8, 4, 2)]


def loss(maps: list[Floats], boxes: Any = BOX, candidates: Any = CAT, weights: Any = SURE) -> float:  # noqa: ANN401
    rows = np.broadcast_to(candidates, (*boxes.shape[:2], 2)).astype(np.float32)
    return float(
        detection_loss([ops.convert_to_tensor(each) for each in maps], boxes, rows, weights, height=SIDE, width=SIDE)
    )


def perfect(logit: float = 6.0) -> list[Floats]:
    """Of BOX, with the first class, by the four cells in the middle of the first level."""
    maps = said(-9.0, 0.5)
    for y in (3, 4):
        for x in (3, 4):
            left, top = x + 0.5 - 2, y + 0.5 - 2
            maps[0][0, y, x] = [logit, -9, left, top, 4 - left, 4 - top]
    return maps


def test_cells_are_decoded_about_their_centres() -> None:
    points, strides = centres(SIDE, SIDE)
    assert points.shape == (CELLS_IN_ALL, 2)
    assert points[0].tolist() == [4, 4]
    assert points[1].tolist() == [12, 4]  # x first
    assert points[-1].tolist() == [48, 48]
    assert strides[[0, -1], 0].tolist() == [8, 32]
    logits, boxes = decoded([ops.convert_to_tensor(each) for each in said()], SIDE, SIDE)
    assert logits.shape == (1, CELLS_IN_ALL, 2)
    assert numpy(boxes)[0, 0].tolist() == [-12, -12, 20, 20]


@pytest.mark.parametrize(
    ("one", "other", "iou", "giou"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1, 1),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3, 1 / 3),
        ((0, 0, 1, 1), (3, 0, 4, 1), 0, -0.5),
        ((0, 0, 2, 2), (1, 1, 3, 3), 1 / 7, 1 / 7 - 2 / 9),
    ],
)
def test_overlaps(one: tuple[float, ...], other: tuple[float, ...], iou: float, giou: float) -> None:
    found = overlaps(np.array(one, np.float32), np.array(other, np.float32))
    assert [float(each) for each in found] == pytest.approx([iou, giou], abs=1e-5)


def test_varifocal_is_cross_entropy_by_the_target_and_by_the_error() -> None:
    logits = np.array([0.0, 2.0, 0.0], np.float32)
    targets = np.array([0.0, 0.0, 0.5], np.float32)
    p = 1 / (1 + np.exp(-2.0))
    expected = [0.75 * 0.25 * np.log(2), 0.75 * p**2 * -np.log(1 - p), 0.5 * np.log(2)]
    assert numpy(varifocal(logits, targets)) == pytest.approx(expected, rel=1e-5)


def task(maps: list[Floats], boxes: Any, candidates: Any, weights: Any) -> Any:  # noqa: ANN401
    logits, said_boxes = decoded([ops.convert_to_tensor(each) for each in maps], SIDE, SIDE)
    points, _ = centres(SIDE, SIDE)
    return assign(ops.sigmoid(logits), said_boxes, points, boxes, candidates, weights)


def test_the_best_cells_inside_answer_for_a_box() -> None:
    maps = perfect()
    maps[0][..., 2:] += np.linspace(0, 0.01, 64).reshape(8, 8, 1)  # no two cells alike
    maps[1][..., 2:] += np.linspace(0, 0.01, 16).reshape(4, 4, 1)
    found = task(maps, BOX, CAT[None, None], SURE)
    quality = numpy(found.quality)[0]
    answering = np.flatnonzero(quality > 0)
    assert 4 <= len(answering) <= CELLS
    points, _ = centres(SIDE, SIDE)
    assert ((points[answering] > 16) & (points[answering] < 48)).all()
    assert sorted(np.argsort(-quality)[:4].tolist()) == [27, 28, 35, 36]
    assert quality.max() > 0.97
    assert numpy(found.classes)[0, answering].tolist() == [CAT.tolist()] * len(answering)
    assert numpy(found.counted).min() == 1


def test_a_cell_answers_for_one_box() -> None:
    boxes = np.array([[[8, 8, 56, 56], [16, 16, 48, 48]]], np.float32)
    found = task(perfect(), boxes, np.stack([DOG, CAT])[None], np.ones((1, 2), np.float32))
    assert numpy(found.classes).sum(axis=-1).max() == 1
    assert numpy(found.boxes)[0, 27].tolist() == [16, 16, 48, 48]


def test_a_box_of_several_candidates_teaches_the_box_and_no_class_of_them() -> None:
    found = task(perfect(), BOX, np.ones((1, 1, 2), np.float32), SURE)
    assert numpy(found.quality)[0, 27] > 0.9
    assert numpy(found.classes).max() == 0
    assert numpy(found.counted)[0, 27].tolist() == [0, 0]
    assert numpy(found.counted)[0, 0].tolist() == [1, 1]


def test_nothing_is_learned_inside_a_doubtful_box() -> None:
    doubtful = np.zeros((1, 1), np.float32)
    found = task(perfect(), BOX, CAT[None, None], doubtful)
    assert numpy(found.quality).max() == 0
    assert numpy(found.counted)[0, 27].tolist() == [0, 1]
    assert numpy(found.counted)[0, 0].tolist() == [1, 1]
    # A detection there costs nothing, where without the box it does.
    empty = np.zeros((1, 1, 4), np.float32)
    assert loss(perfect(), weights=doubtful) < 0.05 * loss(perfect(), boxes=empty, weights=doubtful)


def test_the_loss_is_small_where_all_is_right_and_rises_with_every_error() -> None:
    right = loss(perfect())
    assert right < 0.5
    assert loss(perfect(logit=-2.0)) > 2 * right
    moved = perfect()
    moved[0][..., 2:] *= 0.6
    assert loss(moved) > right + 0.3
    assert loss(perfect(), candidates=DOG) > right + 1
    assert np.isfinite(loss(said(), boxes=np.zeros((1, 3, 4), np.float32), weights=np.zeros((1, 3), np.float32)))


def test_the_gradient_points_to_the_box() -> None:
    """Distances that are too short get longer, and the logit of the right class rises, of the other falls."""
    tape = import_module("tensorflow").GradientTape()
    maps = perfect(logit=-2.0)
    maps[0][0, 3, 3, 2:] -= 0.25
    tensors = [ops.convert_to_tensor(each) for each in maps]
    with tape:
        tape.watch(tensors[0])
        wrong = detection_loss(tensors, BOX, CAT[None, None], SURE, height=SIDE, width=SIDE)
    slopes = numpy(tape.gradient(wrong, tensors[0]))[0]
    right, other, *edges = slopes[3, 3].tolist()
    assert max(edges) < 0
    assert right < 0 < other
    assert slopes[0, 0, 2:].tolist() == [0] * 4
