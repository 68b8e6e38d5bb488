"""Where a training stands, in one file, so that a killed one goes on as if nothing had been."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.errors import TrainingError
from boxless.learning.network.history import Epoch
from boxless.networks.framework import keras
from boxless.system.files import write_whole

Arrays = list[NDArray[Any]]

_CHECKPOINT, _BEST = "checkpoint.npz", "best.npz"

_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)
"""What reading such a file raises if it is not whole."""


def variables(network: Any) -> list[Any]:  # noqa: ANN401
    """All that changes while a compiled network trains: weights, random states, and the optimizer's."""
    return [*network.variables, *network.optimizer.variables]


def read_variables(holders: Sequence[Any]) -> Arrays:
    """Copies of their values."""
    # A copy: on the CPU the array may be the variable's own memory.
    return [np.array(keras.ops.convert_to_numpy(each), copy=True) for each in holders]


def write_variables(holders: Sequence[Any], values: Sequence[NDArray[Any]]) -> None:
    """Sets their values."""
    for holder, value in zip(holders, values, strict=True):
        holder.assign(value)


def epochs_in(folder: Path) -> int:
    """How many epochs the checkpoint in a folder has behind it; 0 where there is none that can be read."""
    try:
        with np.load(folder / _CHECKPOINT) as file:
            return len(json.loads(str(file["note"]))["history"])
    except _DAMAGED:
        return 0


class Checkpoints:
    """The checkpoints of a training in a folder; a training of other `facts` does not go on from here."""

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self.folder = folder
        self._facts: dict[str, Any] = json.loads(json.dumps(dict(facts)))
        folder.mkdir(parents=True, exist_ok=True)

    def save(self, history: Sequence[Epoch], values: Arrays) -> None:
        """Writes where the training stands, whole or not at all."""
        note = json.dumps({"facts": self._facts, "history": [asdict(each) for each in history]})
        self._write(_CHECKPOINT, values, note)

    def load(self) -> tuple[list[Epoch], Arrays] | None:
        """Where the training stood; None if it had not begun. TrainingError if it was another one, or is damaged."""
        if not (self.folder / _CHECKPOINT).exists():
            return None
        with self._whole(_CHECKPOINT) as file:
            note = json.loads(str(file["note"]))
            values = _values(file)
            history = [Epoch(**each) for each in note["history"]]
            begun = note["facts"]
        other = [
            f"{name} {begun.get(name)}, now {self._facts.get(name)}"
            for name in {**begun, **self._facts}
            if begun.get(name) != self._facts.get(name)
        ]
        if other:
            raise TrainingError(
                f"{self.folder}: a training that was begun otherwise ({'; '.join(other)}): "
                "remove that folder to start over, or resume with the same options"
            )
        return history, values

    def save_best(self, values: Arrays) -> None:
        """Writes the weights of the best epoch so far.

        Before `save`: a run that is killed between the two repeats the epoch, and writes the same.
        """
        self._write(_BEST, values, "")

    def load_best(self) -> Arrays:
        """What `save_best` wrote; TrainingError if the file is damaged, or gone."""
        with self._whole(_BEST) as file:
            return _values(file)

    def remove(self) -> None:
        """Removes the checkpoints; what else is in the folder stays."""
        for name in (_CHECKPOINT, _BEST):
            (self.folder / name).unlink(missing_ok=True)

    @contextmanager
    def _whole(self, name: str) -> Iterator[Mapping[str, NDArray[Any]]]:
        """One of the files, opened; what is wrong with it is a TrainingError."""
        path = self.folder / name
        try:
            with path.open("rb") as stream, np.load(stream) as file:  # NumPy leaves a cut one open
                yield file
        except _DAMAGED as error:
            raise TrainingError(f"{path}: a damaged checkpoint ({error}): remove {self.folder} to start over") from None

    def _write(self, name: str, values: Arrays, note: str) -> None:
        arrays: dict[str, Any] = {f"v{i}": value for i, value in enumerate(values)}

        def write(path: Path) -> None:
            np.savez(path, note=np.array(note), **arrays)

        write_whole(self.folder / name, write)


def _values(file: Mapping[str, NDArray[Any]]) -> Arrays:
    return [file[f"v{i}"] for i in range(len(file) - 1)]
