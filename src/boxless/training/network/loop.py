"""Trains a network: epochs, checkpoints, early stopping. What is trained and why is the caller's."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import TrainingError
from boxless.files import check_space
from boxless.networks.framework import keras
from boxless.training.network.augment import AUGMENTATIONS
from boxless.training.network.batches import Batches
from boxless.training.network.checkpoint import Arrays, Checkpoints, read_variables, variables, write_variables
from boxless.training.network.device import has_gpu, repeatable
from boxless.training.network.event_log import log_numbers
from boxless.training.network.examples import Examples, Store
from boxless.training.network.history import Epoch
from boxless.training.network.plan import Plan
from boxless.training.network.rates import optimizer_of
from boxless.training.network.score import logits_of, score_logits
from boxless.training.network.watch import Quiet, Watch


def train_network(
    network: Any,  # noqa: ANN401
    learn: Examples,
    check: Examples | None,
    plan: Plan,
    side: int,
    *,
    folder: Path | None = None,
    about: str = "",
    watch: Watch | None = None,
) -> tuple[Epoch, ...]:
    """Trains a network in place; on a CPU the same arguments give the same weights, bit for bit.

    Args:
        network: a Keras model from float32 RGB 0-255 (N, side, side, 3) to logits (N, K); compiled anew. Start
            from the same weights to get the same ones: `repeatable(seed)` before it is built.
        learn: pictures to learn from.
        check: validation pictures, which decide what is kept and when to stop; None keeps the last epoch.
        plan: how.
        side: of the pictures that the network sees.
        folder: where checkpoints and TensorBoard's logs go. A training that was killed goes on from the last whole
            epoch there, as if nothing had been.
        about: what the network started as, in words; a training of something else does not go on.
        watch: is told how it goes.

    Returns:
        What each epoch brought.

    Raises:
        TrainingError: if the loss is no number, or if the folder has another training.
        DiskSpaceError: if checkpoints would not fit on the disk.
        PictureError: if a picture cannot be read.
    """
    watch = watch or Quiet()
    augmentation = AUGMENTATIONS[plan.augment]
    repeatable(plan.seed)
    shown = Store(learn.pictures, round(side * augmentation.margin))
    checked = Store(check.pictures, side) if check else None
    steps = len(Batches(shown, learn.targets, side, plan.batch, epoch=0))
    _compile(network, plan, steps, learn.several)

    checkpoints = None
    if folder is not None:
        _enough_disk(network, folder)
        checkpoints = Checkpoints(folder, {"network": about or network.name, **_facts(learn, check, plan, side)})
    history, best, kept = _where_it_stood(network, checkpoints)
    watch.begins(plan.epochs, steps, len(history))
    try:
        for number in range(len(history), plan.epochs):
            if plan.patience and best and number - best.epoch >= plan.patience:
                break
            began = time.perf_counter()
            batches = Batches(
                shown, learn.targets, side, plan.batch, epoch=number, augmentation=augmentation, seed=plan.seed
            )
            said = _epoch(network, batches, watch)
            if not np.isfinite(said["loss"]):
                raise TrainingError(
                    f"the loss of epoch {number + 1} is {said['loss']}: the training diverged; "
                    f"lower the rate ({plan.rate:g})"
                )
            found = score_logits(logits_of(network, checked, side), check) if check and checked else None
            epoch = Epoch(
                epoch=number + 1,
                rate=float(network.optimizer.learning_rate),
                loss=said["loss"],
                accuracy=said.get("accuracy"),
                val_loss=found.loss if found else None,
                val_accuracy=found.accuracy if found else None,
                seconds=time.perf_counter() - began,
            )
            history.append(epoch)
            better = epoch.better_than(best)
            if better:
                best, kept = epoch, read_variables(network.variables)
            watch.finished(epoch, better)
            if checkpoints:
                if better:
                    checkpoints.save_best(kept)
                checkpoints.save(history, read_variables(variables(network)))
                numbers = {
                    name: value for name, value in asdict(epoch).items() if value is not None and name != "epoch"
                }
                log_numbers(checkpoints.folder / "logs", epoch.epoch, numbers)
    finally:
        watch.ends()
    if plan.keep == "best" and check:
        write_variables(network.variables, kept)
    return tuple(history)


def _epoch(network: Any, batches: Batches, watch: Watch) -> dict[str, float]:  # noqa: ANN401
    """Takes the steps of an epoch; the means of loss and metrics over it.

    Not fit(): TensorFlow's pipeline, which it feeds by way of a generator, has the memory allocator give every buffer
    back at once; half of the time of a small network on a CPU went there.
    """
    said = []
    for pictures, targets in batches.ahead():
        # Some versions of Keras do this themselves, others add up; batches are all of one size, so means are exact.
        network.reset_metrics()
        said.append(network.train_on_batch(pictures, targets, return_dict=True))
        watch.stepped()
    return {name: float(np.mean([each[name] for each in said])) for name in said[0]}


def _compile(network: Any, plan: Plan, steps: int, several: bool) -> None:  # noqa: ANN401
    losses: Any = keras.losses
    loss = (losses.BinaryCrossentropy if several else losses.CategoricalCrossentropy)(
        from_logits=True, label_smoothing=plan.label_smoothing
    )
    metrics = [] if several else [keras.metrics.CategoricalAccuracy(name="accuracy")]
    # Compiling for the CPU takes TensorFlow minutes and gains nothing; JAX has no other way.
    jit: bool | str = "auto" if keras.backend.backend() == "jax" or has_gpu() else False
    network.compile(optimizer_of(plan, steps), loss, metrics=metrics, jit_compile=jit)
    network.optimizer.build(network.trainable_variables)


def _where_it_stood(network: Any, checkpoints: Checkpoints | None) -> tuple[list[Epoch], Epoch | None, Arrays]:  # noqa: ANN401
    """The epochs that are done, the best of them, and its weights."""
    stood = checkpoints.load() if checkpoints else None
    if checkpoints is None or stood is None:
        return [], None, []
    history, values = stood
    holders = variables(network)
    if [value.shape for value in values] != [tuple(holder.shape) for holder in holders]:
        raise TrainingError(f"{checkpoints.folder}: a checkpoint of another network: remove that folder to begin anew")
    write_variables(holders, values)
    best: Epoch | None = None
    for epoch in history:
        best = epoch if epoch.better_than(best) else best
    return history, best, checkpoints.load_best()


def _facts(learn: Examples, check: Examples | None, plan: Plan, side: int) -> dict[str, Any]:
    """What must be the same for a training to go on."""
    return {
        "size": side,
        "several labels": learn.several,
        "backend": keras.backend.backend(),
        "pictures": f"{len(learn)} ({_digest(learn)})",
        "validation pictures": f"{len(check)} ({_digest(check)})" if check else "none",
        **asdict(plan),
    }


def _digest(examples: Examples) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(examples.targets).tobytes())
    if isinstance(examples.pictures, np.ndarray):
        digest.update(np.ascontiguousarray(examples.pictures).tobytes())
    else:
        digest.update("\n".join(map(str, examples.pictures)).encode())
    return digest.hexdigest()[:8]


def _enough_disk(network: Any, folder: Path) -> None:  # noqa: ANN401
    holders: Sequence[Any] = variables(network)
    # A checkpoint, the next one beside it, and the best weights; then the model twice.
    needed = 4 * sum(4 * int(np.prod(each.shape)) for each in holders)
    check_space(folder, needed, "checkpoints and the model")
