"""How a network is trained: a row of data, and the rows that there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from boxless.learning.network.plan import Schedule, TrainingPlan


@dataclass(frozen=True)
class Recipe:
    """Everything that a trained network depends on, but its head and its seed.

    Attributes:
        network: nin or nin_bn, of `boxless.networks`.
        width: factor on its numbers of filters.
        dropout: the share that is dropped after the first two blocks.
        whitening: whether pictures are normalised in contrast and whitened; else each colour is shifted and scaled.
        train, test: how many pictures of CIFAR-10's 50,000 and 10,000, as many of each class.
        epochs, batch, rate, schedule, drops, momentum, weight_decay, warmup: of gradient descent, see
            `boxless.learning.network.plan.TrainingPlan`.
        half_precision: whether it is computed so where that is quicker; weights and errors are in single.
    """

    network: Literal["nin", "nin_bn"]
    width: float
    dropout: float
    whitening: bool
    train: int
    test: int
    epochs: int
    batch: int
    rate: float
    schedule: Schedule
    drops: tuple[float, ...] = ()
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup: float = 0.0
    half_precision: bool = False

    def plan(self, seed: int) -> TrainingPlan:
        """As the training loop takes it: no augmentation, and the last weights, since test pictures may not choose."""
        return TrainingPlan(
            epochs=self.epochs,
            batch=self.batch,
            optimizer="sgd",
            rate=self.rate,
            schedule=self.schedule,
            warmup=self.warmup,
            drops=self.drops,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            augment="none",
            keep="last",
            seed=seed,
        )


PAPER = Recipe("nin_bn", 1.0, 0.5, True, 50_000, 10_000, 300, 128, 0.1, "step", (2 / 3, 5 / 6))
"""Lin et al., arXiv 1312.4400, section 4.1, no augmentation; but with batch normalisation and without the ReLU behind
the class maps, see docs/decisions/0012.
"""

ONE_CYCLE = replace(PAPER, epochs=15, schedule="cosine", drops=(), warmup=4.5, half_precision=True)
"""The same network on the same pictures in a twentieth of the epochs: the rate rises over the first 30 % of them and
falls along a cosine to zero (Smith and Topin, arXiv 1708.07120; momentum stays as it is). Hours on two cores.
"""

NARROW = Recipe("nin_bn", 0.25, 0.2, False, 2_000, 2_000, 12, 32, 0.05, "cosine")
"""What two cores can train in a minute or two: a quarter of the filters, batch normalisation, few pictures."""

TINY = Recipe("nin_bn", 0.05, 0.2, False, 60, 40, 1, 20, 0.05, "cosine")
"""Seconds; says only whether everything runs."""
