"""How a network is trained: a row of data, and the rows that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """Everything that a trained network depends on, but its head and its seed.

    Attributes:
        network: nin or nin_bn, of `boxless.networks`.
        width: factor on its numbers of filters.
        dropout: the share that is dropped after the first two blocks.
        preparation: of the pixels, one of `prepare.PREPARATIONS`.
        train, test: how many pictures of CIFAR-10's 50,000 and 10,000, as many of each class.
        epochs: how often each is seen.
        batch: pictures a step.
        rate: the first learning rate of the gradient descent.
        schedule: "steps" divides the rate by ten after 2/3 and again after 5/6 of the steps; "cosine" lets it fall to
            zero along half a cosine.
        momentum: of the gradient descent.
        decay: L2 penalty on the kernels, whose gradient is this times the kernel.
    """

    network: Literal["nin", "nin_bn"]
    width: float
    dropout: float
    preparation: Literal["standard", "gcn_zca"]
    train: int
    test: int
    epochs: int
    batch: int
    rate: float
    schedule: Literal["steps", "cosine"]
    momentum: float = 0.9
    decay: float = 1e-4


PAPER = Recipe("nin", 1.0, 0.5, "gcn_zca", 50_000, 10_000, 300, 128, 0.1, "steps")
"""Lin et al., arXiv 1312.4400, section 4.1 and the authors' released definition; no augmentation."""

NARROW = Recipe("nin_bn", 0.25, 0.2, "standard", 2_000, 2_000, 12, 32, 0.1, "cosine")
"""What two cores can train in a minute or two: a quarter of the filters, batch normalisation, few pictures."""

TINY = Recipe("nin_bn", 0.05, 0.2, "standard", 60, 40, 1, 20, 0.05, "cosine")
"""Seconds; says only whether everything runs."""
