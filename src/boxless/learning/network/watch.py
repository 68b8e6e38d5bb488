"""Callbacks of a training."""

from __future__ import annotations

from boxless.learning.network.history import Epoch


class Watch:
    """Is called by a training while it runs, and does nothing; subclasses show what they are told."""

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """So much of a stage before or after the epochs is done."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Training starts: its number of epochs, steps per epoch, and epochs done earlier."""

    def stepped(self) -> None:
        """A step is finished."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """An epoch is finished; `best` if it is the best so far."""

    def warns(self, words: str) -> None:
        """A warning: what is likely to go wrong, and what to do about it."""
