from __future__ import annotations

import pytest

from boxless.models import arena

GIB = 1 << 30


@pytest.mark.parametrize(
    ("cores", "memory", "limit"), [(2, 64 * GIB, 8 * GIB), (16, 8 * GIB, 6 * GIB), (3, None, 12 * GIB)]
)
def test_models_take_4_gib_a_core_and_three_quarters_of_the_memory(
    cores: int, memory: int | None, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena, "usable_cores", lambda: cores)
    monkeypatch.setattr(arena, "usable_memory", lambda: memory)
    assert arena.limit.__wrapped__() == limit


def test_a_run_that_asks_for_too_much_says_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena, "limit", lambda: 8_600_000_000)
    error = RuntimeError("Available memory of 12 is smaller than requested bytes of 123400000000\nat line 3")
    assert arena.run_error(error) == "it asks for 123.4 GB at once; models get 8.6 GB in all"


def test_any_other_error_is_its_first_line() -> None:
    assert arena.run_error(RuntimeError("no such node\nat line 3")) == "no such node"
