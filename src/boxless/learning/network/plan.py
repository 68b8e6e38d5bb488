"""How a network is trained: numbers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from boxless.errors import TrainingError
from boxless.system.arguments import check_arguments

Schedule = Literal["cosine", "step"]
Optimizer = Literal["sgd", "adamw"]

_FINE_TUNING: dict[str, float] = {"adamw": 3e-4, "sgd": 5e-3}
_FROM_SCRATCH: dict[str, float] = {"adamw": 1e-3, "sgd": 5e-2}


def usual_rate(optimizer: str, *, fine_tune: bool) -> float:
    """The highest learning rate where none is given.

    Args:
        optimizer: its name; an unknown one is refused by `TrainingPlan`.
        fine_tune: whether training starts from weights.

    Returns:
        The rate, positive.

    Example:
        >>> usual_rate("adamw", fine_tune=True)
        0.0003
    """
    return (_FINE_TUNING if fine_tune else _FROM_SCRATCH).get(optimizer, 1e-3)


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is trained.

    Attributes:
        epochs: times that every image is shown, at most.
        batch: images a step.
        optimizer: sgd (with momentum) or adamw.
        rate: the highest learning rate.
        schedule: of the rate after the warm-up: cosine falls to zero, step divides by ten at each of `drops`.
        warmup: epochs over which the rate rises from zero.
        drops: where the steps are, as shares of all epochs.
        momentum: of sgd.
        weight_decay: of kernels only; for sgd in the sense of papers (L2), for adamw decoupled.
        label_smoothing: share of the truth that is spread over all classes.
        augment: of `boxless.learning.network.augment.AUGMENTATIONS`.
        patience: stop after so many epochs without a better validation score; 0 never stops early.
        keep: the weights that are kept, of the best epoch on validation images, or of the last.
        seed: of everything that is random.
        clip: the longest gradient, as a norm over all weights; 0 leaves it as it is.
    """

    epochs: int = 30
    batch: int = 32
    optimizer: Optimizer = "adamw"
    rate: float = 1e-3
    schedule: Schedule = "cosine"
    warmup: float = 1.0
    drops: tuple[float, ...] = (0.5, 0.75)
    momentum: float = 0.9
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    augment: str = "small"
    patience: int = 0
    keep: Literal["best", "last"] = "best"
    seed: int = 0
    clip: float = 0.0

    def __post_init__(self) -> None:
        from boxless.learning.network.augment import AUGMENTATIONS

        choices = (
            ("optimizer", self.optimizer, get_args(Optimizer)),
            ("schedule", self.schedule, get_args(Schedule)),
            ("augment", self.augment, tuple(AUGMENTATIONS)),
            ("keep", self.keep, ("best", "last")),
        )
        for name, value, allowed in choices:
            if value not in allowed:
                raise TrainingError(f"{name} '{value}' (expected {', '.join(allowed)})")
        check_arguments(type(self), vars(self))
        for name, low in (
            ("epochs", 1),
            ("batch", 1),
            ("warmup", 0),
            ("weight_decay", 0),
            ("patience", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < low:
                raise TrainingError(f"{name.replace('_', ' ')} {getattr(self, name)} (expected {low} or more)")
        if not self.rate > 0:
            raise TrainingError(f"rate {self.rate} (expected more than 0, such as 0.001)")
