"""Shows the progress of a training, on a terminal or in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from boxless.cli.progress import OnProgress, stages
from boxless.cli.verbosity import is_quiet
from boxless.learning.network.history import Epoch
from boxless.learning.network.watch import Watch


class _OnScreen(Watch):
    """A line an epoch on a console, and the progress of the steps, as of the stages before and after."""

    def __init__(self, console: Console, show: OnProgress) -> None:
        self._console = console
        self._show = show
        self._epochs = self._step = self._steps = 0

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Shows how far a stage is."""
        self._show(stage, done, total)

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Says where the training resumes."""
        self._epochs, self._step, self._steps = epochs, done * steps, epochs * steps
        if done:
            self._console.print(f"resuming after epoch {done} of {epochs}")

    def stepped(self) -> None:
        """Shows how far the epochs are."""
        self._step += 1
        self._show("steps", self._step, self._steps)

    def finished(self, epoch: Epoch, best: bool) -> None:
        """Prints the line of an epoch."""
        accuracy = "" if epoch.accuracy is None else f", right {epoch.accuracy:6.1%}"
        line = f"epoch {epoch.epoch:3d}/{self._epochs}  loss {epoch.loss:.4f}{accuracy}"
        if epoch.val_accuracy is not None and epoch.val_loss is not None:
            line += f"   validation: loss {epoch.val_loss:.4f}, right {epoch.val_accuracy:6.1%}{' *' if best else '  '}"
        self._console.print(f"{line}   rate {epoch.rate:.2g}, {epoch.seconds:.1f} s")

    def warns(self, words: str) -> None:
        """Prints a warning above the bars."""
        self._console.print(f"warning: {words}", markup=False)


@contextmanager
def watched(out: Path) -> Iterator[Watch]:
    """Shows a training of the model file `out`; after Ctrl-C it says how to resume."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with stages(console) as show:
            yield Watch() if is_quiet() else _OnScreen(console, show)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"boxless: stopped; the same command resumes after the last complete epoch, see {out.stem}.training\n"
        )
        raise
