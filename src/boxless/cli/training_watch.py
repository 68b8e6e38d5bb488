"""Shows the progress of a training, on a terminal or in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from boxless.cli.progress import Lines
from boxless.cli.verbosity import is_quiet
from boxless.learning.network.history import Epoch
from boxless.learning.network.watch import Watch


class OnScreen(Watch):
    """A line an epoch on standard error; below them a bar with the time left, or lines in a log."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(elapsed_when_finished=True))
        at_terminal = sys.stderr.isatty()
        self._bar = Progress(*columns, console=self._console, disable=not at_terminal, transient=True)
        self._lines = None if at_terminal else Lines(sys.stderr)
        self._tasks: dict[str, TaskID] = {}
        self._epochs = 0

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Updates a stage; its bar disappears when the stage is done."""
        if self._lines:
            self._lines.on_progress(stage, done, total)
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total)
            self._bar.start()
        self._bar.update(self._tasks[stage], completed=done, total=total, visible=done < total)

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Shows the bar."""
        self._epochs = epochs
        self._step, self._steps = done * steps, epochs * steps
        if self._lines:
            self._lines = Lines(sys.stderr)  # a detector is trained in rounds: each has a rate of its own
        if done:
            self._console.print(f"resuming after epoch {done} of {epochs}")
        self._task = self._bar.add_task(f"epoch {done + 1}", total=self._steps, completed=self._step)
        self._bar.start()

    def stepped(self) -> None:
        """Moves the bar."""
        self._step += 1
        self._bar.update(self._task, completed=self._step)
        if self._lines:
            self._lines.on_progress("steps", self._step, self._steps)

    def finished(self, epoch: Epoch, best: bool) -> None:
        """Prints the line of an epoch."""
        self._bar.update(self._task, description=f"epoch {min(epoch.epoch + 1, self._epochs)}")
        accuracy = "" if epoch.accuracy is None else f", right {epoch.accuracy:6.1%}"
        line = f"epoch {epoch.epoch:3d}/{self._epochs}  loss {epoch.loss:.4f}{accuracy}"
        if epoch.val_accuracy is not None and epoch.val_loss is not None:
            line += f"   validation: loss {epoch.val_loss:.4f}, right {epoch.val_accuracy:6.1%}{' *' if best else '  '}"
        self._console.print(f"{line}   rate {epoch.rate:.2g}, {epoch.seconds:.1f} s")

    def warns(self, words: str) -> None:
        """Prints a warning above the bars."""
        self._console.print(f"warning: {words}", markup=False)

    def ends(self) -> None:
        """Removes the bars."""
        for task in self._bar.task_ids:
            self._bar.update(task, visible=False)
        self._bar.stop()


@contextmanager
def watched(out: Path) -> Iterator[Watch]:
    """Shows a training of the model file `out`; after Ctrl-C it says how to resume."""
    screen = Watch() if is_quiet() else OnScreen()
    try:
        yield screen
    except KeyboardInterrupt:
        sys.stderr.write(
            f"boxless: stopped; the same command resumes after the last complete epoch, see {out.stem}.training\n"
        )
        raise
    finally:
        screen.ends()
