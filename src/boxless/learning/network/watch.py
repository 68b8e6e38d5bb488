"""Callbacks of a training."""

from __future__ import annotations

from typing import Protocol

from boxless.learning.network.history import Epoch


class Watch(Protocol):
    """Callbacks that a training calls while it runs."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Training starts: its number of epochs, steps per epoch, and epochs done earlier."""

    def stepped(self) -> None:
        """A step is finished."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """An epoch is finished; `best` if it is the best so far."""

    def warns(self, words: str) -> None:
        """A warning: what is likely to go wrong, and what to do about it."""

    def ends(self) -> None:
        """Training ended, or failed."""


class Quiet:
    """Callbacks that do nothing."""

    def on_progress(self, stage: str, done: int, total: int) -> None:
        """Does nothing."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """Does nothing."""

    def stepped(self) -> None:
        """Does nothing."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """Does nothing."""

    def warns(self, words: str) -> None:
        """Does nothing."""

    def ends(self) -> None:
        """Does nothing."""
