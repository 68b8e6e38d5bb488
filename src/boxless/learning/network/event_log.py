"""Numbers of each epoch for TensorBoard, without TensorFlow: `tensorboard --logdir FOLDER`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path


def log_numbers(folder: Path, step: int, numbers: Mapping[str, float]) -> None:
    """Adds the numbers of a step to the folder's event files; does nothing where TensorBoard is not installed."""
    try:
        writer = import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter
        events = import_module("tensorboard.compat.proto.event_pb2")
        summaries = import_module("tensorboard.compat.proto.summary_pb2")
    except ImportError:
        return
    import time

    values = [summaries.Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
    folder.mkdir(parents=True, exist_ok=True)
    # One file an epoch: a killed run leaves whole ones, and TensorBoard reads them all as one run.
    log = writer(str(folder), filename_suffix=f".epoch{step:04d}")
    log.add_event(events.Event(wall_time=time.time(), step=step, summary=summaries.Summary(value=values)))
    log.close()
