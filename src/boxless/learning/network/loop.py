"""Trains a classifier that the caller has built."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import TrainingError
from boxless.learning.network.augment import AUGMENTATIONS
from boxless.learning.network.batches import Batches
from boxless.learning.network.checkpoint import Checkpoints
from boxless.learning.network.device import jit_compile, repeatable
from boxless.learning.network.epochs import enough_disk, run_epochs
from boxless.learning.network.examples import Examples, Store
from boxless.learning.network.history import Epoch
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.rates import optimizer_of
from boxless.learning.network.score import Score, logits_of, score_logits
from boxless.learning.network.watch import Watch
from boxless.networks.framework import keras


def train_network(
    network: Any,  # noqa: ANN401
    learn: Examples,
    check: Examples | None,
    plan: TrainingPlan,
    side: int,
    *,
    folder: Path | None = None,
    about: str = "",
    watch: Watch | None = None,
    callbacks: Sequence[Any] = (),
) -> tuple[Epoch, ...]:
    """Trains a network in place; on a CPU the same arguments give the same weights, bit for bit.

    Args:
        network: a Keras model from float32 RGB 0-255 (N, side, side, 3) to logits (N, K); compiled anew. Start
            from the same weights to get the same ones: `repeatable(seed)` before it is built.
        learn: images to learn from.
        check: validation images, which decide what is kept and when to stop; None keeps the last epoch.
        plan: how it is trained.
        side: the input side of the network, in pixels.
        folder: for checkpoints and TensorBoard's logs. An interrupted training resumes after the last complete epoch
            there, with the same result as if it had not stopped.
        about: a description of the initial network; a training of another one is not resumed.
        watch: called as epochs begin and end.
        callbacks: of Keras, such as `CSVLogger`, `TensorBoard` or `EarlyStopping`, called as by `fit`. What they
            remember is not in the checkpoints. The rate follows the plan, so those that set it are refused.

    Returns:
        The metrics of each epoch.

    Raises:
        TrainingError: if the loss is no number, if the folder has another training, or if a callback sets the rate.
        DiskSpaceError: if checkpoints would not fit on the disk.
        ImageError: if an image cannot be read.
    """
    check_callbacks(callbacks)
    augmentation = AUGMENTATIONS[plan.augment]
    repeatable(plan.seed)
    shown = Store(learn.images, round(side * augmentation.margin))
    checked = Store(check.images, side) if check else None
    steps = len(Batches(shown, learn.targets, side, plan.batch, epoch=0))
    _compile(network, plan, steps, learn.several)

    checkpoints = None
    if folder is not None:
        enough_disk(network, folder)
        checkpoints = Checkpoints(folder, {"network": about or network.name, **_facts(learn, check, plan, side)})

    def batches(epoch: int) -> Iterator[Any]:
        part = Batches(shown, learn.targets, side, plan.batch, epoch=epoch, augmentation=augmentation, seed=plan.seed)
        return part.ahead()

    def judged() -> Score:
        assert check is not None and checked is not None
        return score_logits(logits_of(network, checked, side), check)

    return run_epochs(
        network,
        plan,
        steps,
        batches,
        judged=judged if check else None,
        checkpoints=checkpoints,
        watch=watch or Watch(),
        callbacks=callbacks,
    )


def check_callbacks(callbacks: Sequence[Any]) -> None:
    """Refuses Keras callbacks that set the learning rate (TrainingError), before they fail in mid-training."""
    for each in callbacks:
        if isinstance(each, (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)):
            raise TrainingError(
                f"callback {type(each).__name__}: the plan sets the learning rate; leave it out, and choose rate, "
                "schedule and warmup instead"
            )


def _compile(network: Any, plan: TrainingPlan, steps: int, several: bool) -> None:  # noqa: ANN401
    losses: Any = keras.losses
    loss = (losses.BinaryCrossentropy if several else losses.CategoricalCrossentropy)(
        from_logits=True, label_smoothing=plan.label_smoothing
    )
    metrics = [] if several else [keras.metrics.CategoricalAccuracy(name="accuracy")]
    network.compile(optimizer_of(plan, steps), loss, metrics=metrics, jit_compile=jit_compile())
    network.optimizer.build(network.trainable_variables)


def _facts(learn: Examples, check: Examples | None, plan: TrainingPlan, side: int) -> dict[str, Any]:
    """What must be the same for a training to resume."""
    return {
        "size": side,
        "several labels": learn.several,
        "backend": keras.backend.backend(),
        "images": f"{len(learn)} ({_digest(learn)})",
        "validation images": f"{len(check)} ({_digest(check)})" if check else "none",
        **asdict(plan),
    }


def _digest(examples: Examples) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(examples.targets).tobytes())
    if isinstance(examples.images, np.ndarray):
        digest.update(np.ascontiguousarray(examples.images).tobytes())
    else:
        digest.update(b"\n".join(map(os.fsencode, examples.images)))
    return digest.hexdigest()[:8]
