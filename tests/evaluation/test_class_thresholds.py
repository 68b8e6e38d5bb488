from __future__ import annotations

import numpy as np
import pytest

from boxless.evaluation.box_accuracy import Overlaps, overlaps
from boxless.evaluation.class_thresholds import calibrate_classes


def curves_that_want(threshold: float, count: int, seed: int) -> list[Overlaps]:
    """Cones, and boxes around what reaches about the threshold."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:40, :40]
    cone = np.clip(1 - np.maximum(abs(x - 19.5), abs(y - 19.5)) / 20, 0, 1).astype(np.float32)
    halves = 20 * (1 - threshold) * random.uniform(0.9, 1.1, count)
    return [overlaps(cone, np.array([[20 - h, 20 - h, 20 + h, 20 + h]], np.float32)) for h in halves]


def test_each_class_gets_its_own_and_one_without_boxes_keeps_what_it_had() -> None:
    curves = [*curves_that_want(0.3, 20, 0), *curves_that_want(0.8, 20, 1)]
    found = calibrate_classes((0.5, 0.5, 0.5), curves, np.repeat([0, 1], 20), np.arange(40))
    assert found.new == (pytest.approx(0.3, abs=0.06), pytest.approx(0.8, abs=0.06), 0.5)
    assert found.boxed == (20, 20, 0)
    assert found.changed == (0, 1)
    assert found.gain.low > 0
    assert found.after.value > found.before.value


def test_one_box_moves_a_threshold_less_than_many() -> None:
    moved = [
        calibrate_classes((0.5, 0.5), curves_that_want(0.8, n, 0) * 2, np.repeat([0, 1], n), np.arange(2 * n)).new[0]
        for n in (2, 20)
    ]
    assert moved[0] <= moved[1]


def test_thresholds_stay_where_others_do_not_help() -> None:
    found = calibrate_classes((0.5,), curves_that_want(0.5, 10, 0), np.zeros(10, np.int64), np.arange(10))
    assert found.new == found.old
    assert not found.changed
