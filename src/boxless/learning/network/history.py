"""What the epochs of a training brought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What one epoch brought.

    Attributes:
        epoch: from 1.
        rate: the learning rate at its end.
        loss, accuracy: on the pictures learned from, as they were shown; accuracy is None for several labels.
        val_loss, val_accuracy: on the validation pictures; None without any. Of several labels the accuracy is F1,
            counted over all answers, at probability 0.5.
        seconds: it took.
    """

    epoch: int
    rate: float
    loss: float
    accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    seconds: float

    def better_than(self, other: Epoch | None) -> bool:
        """Whether validation went better: more accurate, or as accurate at a smaller loss; the later one without."""
        if other is None or self.val_accuracy is None or self.val_loss is None:
            return True
        assert other.val_accuracy is not None
        assert other.val_loss is not None
        return (self.val_accuracy, -self.val_loss) > (other.val_accuracy, -other.val_loss)
