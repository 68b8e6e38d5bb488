from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from boxless import Localization


def test_boxes_are_flat_arrays(four_boxes: Localization) -> None:
    assert len(four_boxes) == 4
    assert four_boxes.xyxy.shape == (4, 4) and four_boxes.xyxy.dtype == four_boxes.scores.dtype == np.float32
    assert four_boxes.xyxy[3].tolist() == [10, 0, 15, 3]
    assert four_boxes.scores.tolist() == pytest.approx([0.9, 0.5, 0.2, 0.6])
    assert four_boxes.class_ids.tolist() == [2, 2, 2, 1] and four_boxes.class_ids.dtype == np.int64
    assert four_boxes.labels == ("cat", "cat", "cat", "dog")
    for values in (four_boxes.xyxy, four_boxes.scores, four_boxes.class_ids):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1
    none = replace(four_boxes, predictions=())
    assert (len(none), none.xyxy.shape, none.scores.shape, none.labels, bool(none)) == (0, (0, 4), (0,), (), True)


@pytest.mark.parametrize(
    ("which", "scores"),
    [
        (0, [0.9]),
        (-1, [0.6]),
        (np.int64(2), [0.2]),
        (slice(1, 3), [0.5, 0.2]),
        (slice(None, None, -1), [0.6, 0.2, 0.5, 0.9]),
        ([3, 0], [0.6, 0.9]),
        ([0, 3, 1], [0.9, 0.6, 0.5]),
        ([True, False, False, True], [0.9, 0.6]),
        (np.zeros(4, bool), []),
        ([], []),
        ((), []),
    ],
)
def test_indexing_selects_boxes(four_boxes: Localization, which: Any, scores: list[float]) -> None:  # noqa: ANN401
    some = four_boxes[which]
    assert some.scores.tolist() == pytest.approx(scores)
    assert sum(len(prediction.boxes) for prediction in some.predictions) == len(some) == len(scores)
    for each in some:
        (prediction,) = each.predictions
        assert four_boxes.labels[four_boxes.scores.tolist().index(each.scores[0])] == prediction.label
    assert len(four_boxes) == 4, "the result itself stays as it is"


def test_what_is_no_selection_is_refused(four_boxes: Localization) -> None:
    some: list[Any] = [4, -5, [7], [1.5], [True, False], np.ones(5, bool)]
    for wrong in some:
        with pytest.raises(IndexError):
            four_boxes[wrong]


def test_filters_by_score_and_class(four_boxes: Localization) -> None:
    assert four_boxes[four_boxes.scores > 0.4].labels == ("cat", "cat", "dog")
    cats = four_boxes[four_boxes.class_ids == 2]
    assert (len(cats.predictions), len(cats)) == (1, 3)
