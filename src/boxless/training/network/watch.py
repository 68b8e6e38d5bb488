"""Those who watch a training: nobody, or someone at a terminal or a log."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from boxless.training.network.history import Epoch


class Watch(Protocol):
    """What a training tells while it runs."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """It will take so many epochs of so many steps, of which so many epochs were done before."""

    def stepped(self) -> None:
        """A step is done."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """An epoch is done; whether it was the best so far."""

    def ends(self) -> None:
        """It is over, or has failed."""


class Quiet:
    """Nobody watches."""

    def tell(self, stage: str, done: int, total: int) -> None:
        """Nothing."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Nothing."""

    def stepped(self) -> None:
        """Nothing."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """Nothing."""

    def ends(self) -> None:
        """Nothing."""


class OnScreen:
    """A line an epoch on standard error; at a terminal a bar with the time left below them.

    Also for the stages before and after: `tell` is a `boxless.training.finish.Progress`.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(elapsed_when_finished=True))
        self._bar = Progress(*columns, console=self._console, disable=not sys.stderr.isatty(), transient=True)
        self._tasks: dict[str, Any] = {}
        self._epochs = 0

    def tell(self, stage: str, done: int, total: int) -> None:
        """Moves the bar of a stage of which so much is done; it goes when all is."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=total)
            self._bar.start()
        self._bar.update(self._tasks[stage], completed=done, total=total, visible=done < total)

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Shows the bar."""
        self._epochs = epochs
        if done:
            self._console.print(f"goes on after epoch {done} of {epochs}")
        self._task = self._bar.add_task(f"epoch {done + 1}", total=epochs * steps, completed=done * steps)
        self._bar.start()

    def stepped(self) -> None:
        """Moves the bar."""
        self._bar.advance(self._task)

    def finished(self, epoch: Epoch, best: bool) -> None:
        """Prints the line of an epoch."""
        self._bar.update(self._task, description=f"epoch {min(epoch.epoch + 1, self._epochs)}")
        accuracy = "" if epoch.accuracy is None else f", right {epoch.accuracy:6.1%}"
        line = f"epoch {epoch.epoch:3d}/{self._epochs}  loss {epoch.loss:.4f}{accuracy}"
        if epoch.val_accuracy is not None and epoch.val_loss is not None:
            line += f"   validation: loss {epoch.val_loss:.4f}, right {epoch.val_accuracy:6.1%}{' *' if best else '  '}"
        self._console.print(f"{line}   rate {epoch.rate:.2g}, {epoch.seconds:.1f} s")

    def ends(self) -> None:
        """Takes the bars away."""
        for task in self._bar.task_ids:
            self._bar.update(task, visible=False)
        self._bar.stop()
