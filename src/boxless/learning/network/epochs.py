"""The epochs of any training: steps, checkpoints, callbacks, keeping the best weights, early stopping."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import TrainingError
from boxless.learning.network.checkpoint import Arrays, Checkpoints, read_variables, variables, write_variables
from boxless.learning.network.history import Epoch, best_of, log_numbers, write_history
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.score import Score
from boxless.learning.network.watch import Watch
from boxless.networks.framework import keras
from boxless.system.files import check_space

Batches = Iterator[tuple[Any, Any]]


def run_epochs(
    network: Any,  # noqa: ANN401
    plan: TrainingPlan,
    steps: int,
    batches: Callable[[int], Batches],
    *,
    judged: Callable[[], Score] | None,
    checkpoints: Checkpoints | None,
    watch: Watch,
    callbacks: Sequence[Any] = (),
) -> tuple[Epoch, ...]:
    """Trains a compiled network in place.

    Args:
        network: with its optimizer built.
        plan: how it is trained.
        steps: steps per epoch.
        batches: gives the batches of an epoch, by its number from 0; always the same ones.
        judged: measures the network on validation images; None keeps the last epoch.
        checkpoints: where an interrupted training resumes from, if anywhere.
        watch: called as the training goes on.
        callbacks: of Keras, called as by its `fit`; one that sets `stop_training` ends the training after the epoch.

    Raises:
        TrainingError: if the loss is no number, or if the checkpoint is another network's.
    """
    keeps_best = plan.keep == "best" and judged is not None
    history, best, kept = _where_it_stood(network, checkpoints, keeps_best)
    calls = keras.callbacks.CallbackList(list(callbacks), model=network, epochs=plan.epochs, steps=steps, verbose=1)
    network.stop_training = False
    watch.begins(plan.epochs, steps, len(history))
    calls.on_train_begin()
    for number in range(len(history), plan.epochs):
        if plan.patience and best and number - best.epoch >= plan.patience:
            break
        began = time.perf_counter()
        calls.on_epoch_begin(number)
        metrics = _epoch(network, batches(number), watch, calls)
        if not np.isfinite(metrics["loss"]):
            raise TrainingError(
                f"the loss of epoch {number + 1} is {metrics['loss']}: the training diverged; "
                f"lower the rate ({plan.rate:g})"
            )
        found = judged() if judged else None
        epoch = Epoch(
            epoch=number + 1,
            rate=float(network.optimizer.learning_rate),
            loss=metrics["loss"],
            accuracy=metrics.get("accuracy"),
            val_loss=found.loss if found else None,
            val_accuracy=found.accuracy if found else None,
            seconds=time.perf_counter() - began,
        )
        history.append(epoch)
        better = epoch.better_than(best)
        if better:
            best = epoch
            kept = read_variables(network.variables) if keeps_best else []
        watch.finished(epoch, better)
        numbers = {name: value for name, value in asdict(epoch).items() if value is not None and name != "epoch"}
        if checkpoints:
            if better and keeps_best:
                checkpoints.save_best(kept)
            write_history(history, checkpoints.folder / "history.csv")
            checkpoints.save(history, read_variables(variables(network)))
            log_numbers(checkpoints.folder / "logs", epoch.epoch, numbers)
        calls.on_epoch_end(number, numbers)
        if network.stop_training:
            break
    calls.on_train_end()
    if keeps_best:
        write_variables(network.variables, kept)
    return tuple(history)


def _epoch(network: Any, batches: Batches, watch: Watch, calls: Any) -> dict[str, float]:  # noqa: ANN401
    """Runs the steps of an epoch; the means of loss and metrics over it.

    Not fit(): see docs/decisions/0070.
    """
    rows = []
    for step, (images, targets) in enumerate(batches):
        calls.on_train_batch_begin(step)
        # Some versions of Keras do this themselves, others accumulate; equal batches make the means exact.
        network.reset_metrics()
        rows.append(network.train_on_batch(images, targets, return_dict=True))
        watch.stepped()
        calls.on_train_batch_end(step, rows[-1])
    return {name: float(np.mean([each[name] for each in rows])) for name in rows[0]}


def _where_it_stood(
    network: Any,  # noqa: ANN401
    checkpoints: Checkpoints | None,
    keeps_best: bool,
) -> tuple[list[Epoch], Epoch | None, Arrays]:
    """The epochs that are done, the best of them, and its weights where they are kept."""
    stood = checkpoints.load() if checkpoints else None
    if checkpoints is None or stood is None:
        return [], None, []
    history, values = stood
    holders = variables(network)
    if [value.shape for value in values] != [tuple(holder.shape) for holder in holders]:
        raise TrainingError(f"{checkpoints.folder}: a checkpoint of another network: remove that folder to start over")
    write_variables(holders, values)
    return history, best_of(history), checkpoints.load_best() if keeps_best else []


def enough_disk(network: Any, folder: Path) -> None:  # noqa: ANN401
    """Raises DiskSpaceError if the checkpoints of a compiled network do not fit."""
    holders: Sequence[Any] = variables(network)
    # A checkpoint, the next one beside it, and the best weights; then the model twice.
    needed = 4 * sum(4 * int(np.prod(each.shape)) for each in holders)
    check_space(folder, needed, "checkpoints and the model")
