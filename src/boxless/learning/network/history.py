"""The metrics of the epochs of a training, as CSV and for TensorBoard."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from boxless.system.files import write_whole


@dataclass(frozen=True)
class Epoch:
    """The metrics of one epoch.

    Attributes:
        epoch: its number, from 1.
        rate: the learning rate at its end.
        loss, accuracy: on the augmented training images; accuracy is None for multi-label training.
        val_loss, val_accuracy: on the validation images; None if there are none. For multi-label training the
            accuracy is the F1 over all labels, at probability 0.5.
        seconds: its duration.
    """

    epoch: int
    rate: float
    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float

    def better_than(self, other: Epoch | None) -> bool:
        """Whether validation accuracy is higher, or equal with a lower loss; without validation, later is better."""
        if other is None or self.val_accuracy is None or self.val_loss is None:
            return True
        assert other.val_accuracy is not None
        assert other.val_loss is not None
        return (self.val_accuracy, -self.val_loss) > (other.val_accuracy, -other.val_loss)


def best_of(history: Sequence[Epoch]) -> Epoch | None:
    """The best epoch, of equal ones the first; None if there is none."""
    best: Epoch | None = None
    for epoch in history:
        best = epoch if epoch.better_than(best) else best
    return best


def write_history(history: Sequence[Epoch], path: Path) -> None:
    """Writes the metrics as CSV, a row for each epoch."""

    def write(beside: Path) -> None:
        with beside.open("w", newline="", encoding="utf-8") as file:
            rows = csv.DictWriter(file, [*asdict(history[0])])
            rows.writeheader()
            rows.writerows(asdict(epoch) for epoch in history)

    write_whole(path, write)


def log_numbers(folder: Path, step: int, numbers: Mapping[str, float]) -> None:
    """Adds the numbers of a step to a folder of TensorBoard's event files, without TensorFlow.

    Does nothing where TensorBoard is not installed.
    """
    try:
        writer = import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter
        events = import_module("tensorboard.compat.proto.event_pb2")
        summaries = import_module("tensorboard.compat.proto.summary_pb2")
    except ImportError:
        return
    values = [summaries.Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
    folder.mkdir(parents=True, exist_ok=True)
    # One file an epoch: a killed run leaves whole ones, and TensorBoard reads them all as one run.
    log = writer(str(folder), filename_suffix=f".epoch{step:04d}")
    log.add_event(events.Event(wall_time=time.time(), step=step, summary=summaries.Summary(value=values)))
    log.close()
