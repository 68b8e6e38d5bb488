"""Parts of the report of fitting and training."""

from __future__ import annotations

from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.calibrate import Calibration
from boxless.learning.report.report_parts import box_table


def test_a_threshold_that_no_box_is_cut_at_is_not_shown() -> None:
    some = Interval(0.46, 0.4, 0.5)
    common = Calibration("balanced", 0.46, 0.46, some, some, some, some)
    own = Calibration("balanced", 0.46, 0.46, some, some, some, some, own=True)
    assert box_table([common]).count("<td class=n>0.46<td") == 2
    assert box_table([own]).count("<td class=n>one a class<td") == 2
