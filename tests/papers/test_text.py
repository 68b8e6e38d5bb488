from __future__ import annotations

import pytest
from papers.text import apart, differences, of_seeds, plus_minus, table


def test_numbers_in_words() -> None:
    assert plus_minus([1.0]) == "1.00"
    assert plus_minus([1.0, 3.0], 1) == "2.0 ± 1.4"
    assert of_seeds(3) == "Mean ± standard deviation over 3 seeds" and of_seeds(1) == "Of one seed"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    ("by_seed", "said"),
    [
        ([2.0, 2.1, 1.9], "2.0 points less error (± 0.2, 95 % over 3 seeds)"),
        ([-2.0, -2.1, -1.9], "2.0 points more error (± 0.2, 95 % over 3 seeds)"),
        ([2.0, -2.0, 1.5], "0.5 points less error (± 5.4, 95 % over 3 seeds, which chance could do)"),
        ([2.0], "2.0 points less error (one seed, so chance is not measured)"),
    ],
)
def test_differences_say_what_chance_could_do(by_seed: list[float], said: str) -> None:
    assert differences(by_seed, "error") == said


def test_a_smaller_run_says_in_what_it_differs() -> None:
    small, full = (
        {"recipe": {"epochs": 2, "batch": 32, "half_precision": True}, "seeds": 1},
        {"recipe": {"epochs": 300, "batch": 32, "half_precision": False}, "seeds": 3},
    )
    assert apart(small, full) == "epochs 2 instead of 300; half precision yes instead of no; seeds 1 instead of 3"
