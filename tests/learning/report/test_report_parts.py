"""Parts of the report of fitting and training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.calibrate import Calibration
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.report_parts import A_CLASS, MOST_TILES, box_table, drawn_of


def held_out(classes: int, each: int) -> HeldOut:
    """Of `classes` classes with `each` images; only the last class is named wrongly."""
    names = ("background", *(f"class {k}" for k in range(classes)))
    labels = np.repeat(np.arange(classes) + 1, each)
    said = np.where(labels == classes, 0, labels)
    known = LabelledImages(
        "test",
        names,
        tuple(Path(f"{i}.jpg") for i in range(len(labels))),
        np.eye(classes + 1, dtype=np.float32)[labels],
        several=False,
    )
    return HeldOut(known, np.eye(classes + 1, dtype=np.float32)[said])


def test_few_classes_have_a_row_of_heatmaps_each_and_a_thousand_do_not() -> None:
    few = drawn_of(held_out(3, 10))
    assert [k for k, _ in few] == [1, 2, 3]
    assert all(len(chosen) == A_CLASS for _, chosen in few)
    some = drawn_of(held_out(50, 10))
    assert len(some) == 50 and {len(chosen) for _, chosen in some} == {2}
    many = drawn_of(held_out(1000, 1))
    assert sum(len(chosen) for _, chosen in many) == MOST_TILES
    assert 1000 in [k for k, _ in many], "the class that is never recognized is shown first"


def test_a_threshold_that_no_box_is_cut_at_is_not_shown() -> None:
    some = Interval(0.46, 0.4, 0.5)
    common = Calibration("balanced", 0.46, 0.46, some, some, some, some)
    own = Calibration("balanced", 0.46, 0.46, some, some, some, some, own=True)
    assert box_table([common]).count("<td class=n>0.46<td") == 2
    assert box_table([own]).count("<td class=n>one a class<td") == 2
