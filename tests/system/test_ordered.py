from __future__ import annotations

import threading
import time

import pytest

from boxless.system.ordered import ordered_map


def test_order_is_kept_though_later_ones_finish_first() -> None:
    def slow_first(number: int) -> int:
        time.sleep(0.03 if number == 0 else 0)
        return number

    assert list(ordered_map(slow_first, range(20), workers=4)) == list(range(20))


def test_few_are_under_way() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def count(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    list(ordered_map(count, range(50), workers=3))
    assert 1 < most <= 3


def test_an_error_comes_at_its_place() -> None:
    results = ordered_map(lambda number: 1 // number, [1, 0, 1], workers=2)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
