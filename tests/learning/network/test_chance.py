from __future__ import annotations

import numpy as np
import pytest

from boxless.learning.network.history import Epoch
from boxless.learning.network.score import chance_loss, nothing_learned


def epochs(*losses: float) -> list[Epoch]:
    return [Epoch(i, 1e-3, loss, None, None, None, 1.0) for i, loss in enumerate(losses, 1)]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_guessing_costs_what_the_best_constant_answer_costs(several: bool, smoothing: float) -> None:
    targets = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 2]]
    truth = targets * (1 - smoothing) + smoothing * (0.5 if several else 1 / 3)
    mean = truth.mean(axis=0)

    def cost(said: np.ndarray) -> float:
        if several:
            return float(-(truth * np.log(said) + (1 - truth) * np.log(1 - said)).mean())
        return float(-(truth * np.log(said)).sum(axis=1).mean())

    chance = chance_loss(targets, several, smoothing)
    assert chance == pytest.approx(cost(mean), rel=1e-5)
    other = mean + np.array([0.03, -0.02, -0.01])
    assert chance < cost(other)


def test_a_loss_that_stays_at_guessing_is_told() -> None:
    chance = float(np.log(3))
    words = nothing_learned(epochs(1.30, 1.10, 1.0985), chance)
    assert words is not None and "1.099" in words and "nin_bn" in words
    assert nothing_learned(epochs(1.10, 0.9, 1.2), chance) is None
    assert nothing_learned(epochs(0.0), 0.0) is None  # one class: nothing to learn
