"""Optimizers, and learning rates that rise and fall."""

from __future__ import annotations

from dataclasses import asdict
from math import pi
from typing import Any

from boxless.learning.network.plan import TrainingPlan
from boxless.networks.framework import keras

ops: Any = keras.ops


@keras.saving.register_keras_serializable("boxless")
class Rate(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rate by step: a linear warm-up, then cosine (Loshchilov, Hutter, arXiv 1608.03983) or steps."""

    def __init__(self, plan: TrainingPlan, steps: int) -> None:
        super().__init__()
        self._plan = plan
        self._steps = steps

    def __call__(self, step: Any) -> Any:  # noqa: ANN401
        """The rate of a step, the first being 0."""
        plan = self._plan
        epoch = ops.cast(step, "float32") / self._steps
        # The first step is not at zero: it would be lost.
        warm = ops.minimum(1.0, (epoch + 1 / self._steps) / plan.warmup) if plan.warmup else 1.0
        if plan.schedule == "cosine":
            share = (epoch - plan.warmup) / max(plan.epochs - plan.warmup, 1e-6)
            return plan.rate * warm * 0.5 * (1.0 + ops.cos(pi * ops.clip(share, 0.0, 1.0)))
        factor = 1.0
        for drop in plan.drops:
            factor = factor * ops.where(epoch >= drop * plan.epochs, 0.1, 1.0)
        return plan.rate * warm * factor

    def get_config(self) -> dict[str, Any]:
        """What Keras saves of it."""
        return {"plan": asdict(self._plan), "steps": self._steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Rate:
        """The same again from what Keras saved."""
        plan = {**config["plan"], "drops": tuple(config["plan"]["drops"])}
        return cls(TrainingPlan(**plan), config["steps"])


def optimizer_of(plan: TrainingPlan, steps: int) -> Any:  # noqa: ANN401
    """The optimizer of a plan, of so many steps an epoch; biases and normalisations do not decay."""
    clip = {"global_clipnorm": plan.clip} if plan.clip else {}
    if plan.optimizer == "sgd":
        # Keras takes decay off the weights at once; through momentum, as papers do, it pulls 1 / (1 - m) as far.
        decay = plan.weight_decay / (1 - plan.momentum)
        optimizer = keras.optimizers.SGD(Rate(plan, steps), momentum=plan.momentum, weight_decay=decay, **clip)
    else:
        optimizer = keras.optimizers.AdamW(Rate(plan, steps), weight_decay=plan.weight_decay, **clip)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
