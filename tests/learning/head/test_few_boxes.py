"""A few boxed images choose among the heads that labels have taught, and never do worse than the labels' choice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.boxed import BoxedImage
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.learning.head.cells import ImageCells
from boxless.learning.head.few_boxes import Caution, ChosenByBoxes, box_curves, choose_by_boxes
from boxless.learning.head.self_training import LinearCells

START = 1
OTHER = 2
AT = int(np.abs(THRESHOLDS - 0.5).argmin())


def images(count: int, *, start: float = 40.0, other: float = 40.0, seed: int = 0) -> np.ndarray:
    """(count, rows, thresholds): the labels' row, and the last one, are right so often, whatever the threshold."""
    random = np.random.default_rng(seed)
    chance = np.array([20.0, start, other])[None, :, None] / 100
    right = random.random((count, 3, 1)) < np.broadcast_to(chance, (count, 3, 1))
    return np.repeat(100.0 * right, len(THRESHOLDS), axis=2)


def chosen(right: dict[int, np.ndarray], classes: list[int]) -> ChosenByBoxes:
    return choose_by_boxes(right, {k: np.ones(3, bool) for k in classes}, START, np.full(3, 0.5))


def test_boxes_choose_a_clearly_better_head() -> None:
    found = chosen({0: images(10, start=20, other=95), 1: images(10, start=20, other=95, seed=1)}, [0, 1])
    assert [row for row, _ in found.choices.values()] == [OTHER, OTHER]
    assert found.images == 20
    assert found.after > found.before


def test_one_lucky_image_does_not_overrule_the_labels() -> None:
    lucky = np.zeros((1, 3, len(THRESHOLDS)))
    lucky[:, 2] = 100
    found = chosen({0: lucky}, [0])
    assert found.choices[0] == (START, 0.5)


def test_what_does_not_help_on_images_left_out_is_not_taken() -> None:
    for seed in range(5):
        noise = {k: images(5, seed=10 * seed + k) for k in range(3)}
        found = chosen(noise, [0, 1, 2])
        assert found.after >= found.before


def test_caution_takes_what_is_surely_better_alone() -> None:
    rows = {0: np.ones(3, bool)}
    better = {0: images(12, start=40, other=75)}
    sure = {0: images(12, start=10, other=95)}
    thresholds = np.full(3, 0.5)
    for right, errors, row in ((better, 0.0, OTHER), (better, 4.0, START), (sure, 4.0, OTHER)):
        found = choose_by_boxes(right, rows, START, thresholds, Caution(errors=errors))
        assert found.choices[0][0] == row


def test_classes_differ_and_one_without_boxes_follows_the_others() -> None:
    right = {0: images(20, start=10, other=100), 1: images(20, start=100, other=10), 3: images(20, start=10, other=100)}
    found = chosen(right, [0, 1, 2, 3])
    assert [found.choices[k][0] for k in range(4)] == [OTHER, START, OTHER, OTHER]
    assert found.choices[2][1] == 0.5


def test_a_threshold_moves_as_far_as_boxes_justify() -> None:
    right = np.zeros((20, 3, len(THRESHOLDS)))
    right[:, START, THRESHOLDS < 0.4] = 100
    assert 0.3 < chosen({0: right}, [0]).choices[0][1] < 0.4, "no further than it pays"


@pytest.mark.parametrize("side", [8, 40])
def test_curves_are_those_of_the_box_that_a_user_gets(side: int) -> None:
    cells = np.full((1, 16, 16), -4, np.float16)
    cells[0, 4:8, 2:10] = 4
    box = np.array([[2, 4, 10, 8]], np.float32) * np.float32(side / 16)
    image = BoxedImage(Path("any.png"), 0, box, (side, side))
    right, wrong = LinearCells(np.ones(1, np.float32), 0.0), LinearCells(-np.ones(1, np.float32), 0.0)
    curves = box_curves(ImageCells((cells,), {}), [right, wrong], image)
    assert curves.shape == (2, len(THRESHOLDS))
    assert curves[0, AT] == 100
    assert curves[1, AT] == 0


def test_a_class_with_one_boxed_image_does_not_keep_the_others_from_choosing() -> None:
    right = {0: images(1, start=0, other=100), 1: images(20, start=10, other=100)}
    found = chosen(right, [0, 1])
    assert found.choices[1][0] == found.choices[0][0] == OTHER
    assert "21 boxed images" in str(found)
    assert str(chosen({0: images(1)}, [0])) == "1 boxed image chose nothing better"
