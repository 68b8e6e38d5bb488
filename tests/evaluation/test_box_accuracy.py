from __future__ import annotations

import numpy as np
import pytest

from boxless.evaluation.box_accuracy import THRESHOLDS, max_box_acc_v2, one_box_accuracy, overlaps


def square(size: int, value: float = 1.0) -> np.ndarray:
    score_map = np.zeros((100, 100), np.float32)
    score_map[:size, :size] = value
    return score_map


def test_a_perfect_map() -> None:
    found = overlaps(square(50), np.array([[0, 0, 50, 50]], np.float32))
    assert found.any_box == pytest.approx(np.ones(len(THRESHOLDS)))
    assert max_box_acc_v2([found]) == 100


def test_a_map_of_half_the_area() -> None:
    found = overlaps(square(50), np.array([[0, 0, 50, 100]], np.float32))
    assert found.best_box == pytest.approx(np.full(len(THRESHOLDS), 0.5))
    assert max_box_acc_v2([found]) == pytest.approx(200 / 3)  # right at 0.3 and 0.5, wrong at 0.7


def test_the_oracle_picks_the_piece_and_the_user_gets_the_one_with_most_evidence() -> None:
    score_map = square(40)
    score_map[60:80, 60:80] = 1
    found = overlaps(score_map, np.array([[60, 60, 80, 80]], np.float32))
    assert found.any_box.max() == pytest.approx(1)
    assert found.best_box.max() == 0
    assert one_box_accuracy([found]).max() == 0


def test_an_empty_map_has_no_box() -> None:
    assert overlaps(square(0), np.array([[0, 0, 9, 9]], np.float32)).any_box.max() == 0
