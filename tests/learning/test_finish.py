from __future__ import annotations

import pytest

from boxless.evaluation.detection_thresholds import DetectionThresholds
from boxless.learning.finish import threshold_notes


def thresholds(absent: float) -> DetectionThresholds:
    return DetectionThresholds(0.1, 1.0, present=97.0, absent=absent, blank=0.0)


def test_thresholds_that_do_not_separate_are_told() -> None:
    (note,) = threshold_notes(thresholds(97.0), 40, 0.1)
    assert "do not separate: 97 %" in note
    assert threshold_notes(thresholds(2.0), 40, 0.1) == ()


@pytest.mark.parametrize(("stands", "said"), [(0.0, "every class counts as detected"), (0.5, "a probability of 0.5")])
def test_thresholds_that_were_not_set_are_told(stands: float, said: str) -> None:
    (note,) = threshold_notes(None, 7, stands)
    assert said in note and "show a class 7 times" in note
