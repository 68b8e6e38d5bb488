"""Those who watch a training."""

from __future__ import annotations

from typing import Protocol

from boxless.learning.network.history import Epoch


class Watch(Protocol):
    """What a training tells while it runs."""

    def begins(self, epochs: int, steps: int, done: int) -> None:
        """It will take so many epochs of so many steps, of which so many epochs were done before."""

    def stepped(self) -> None:
        """A step is done."""

    def finished(self, epoch: Epoch, best: bool) -> None:
        """An epoch is done; whether it was the best so far."""

    def warns(self, words: str) -> None:
        """Something is likely to go wrong, and what to do about it."""

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

    def warns(self, words: str) -> None:
        """Nothing."""

    def ends(self) -> None:
        """Nothing."""
