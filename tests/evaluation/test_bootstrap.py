from __future__ import annotations

import numpy as np
import pytest

from boxless.evaluation.bootstrap import Bootstrap, wilson


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [(100, 1, 20.7, 100), (0, 10, 0, 27.8), (81.0, 263, 75.8, 85.3)],  # the last: Newcombe, Stat. Med. 1998
)
def test_wilson(share: float, count: int, low: float, high: float) -> None:
    found = wilson(share, count)
    assert (found.value, found.low, found.high) == pytest.approx((share, low, high), abs=0.1)


def test_a_share_counts_images_and_not_cases() -> None:
    """Two classes of one image stand or fall together."""
    assert Bootstrap(np.array([0, 0, 1, 1])).share(np.ones(4, bool)) == wilson(100.0, 2)
