"""Loss and accuracy of a network on images, and whether it has learned anything: its loss against that of guessing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.learning.network.batches import Batches
from boxless.learning.network.examples import Examples, Store
from boxless.learning.network.history import Epoch

Floats = NDArray[np.float32]

_NOTHING_LEARNED = 0.98
"""The share of the loss of guessing that a loss has to fall below."""


@dataclass(frozen=True)
class Score:
    """Loss and accuracy on some images.

    Attributes:
        loss: the mean cross-entropy per image.
        accuracy: the share classified correctly; for multi-label networks the F1 over all labels, at probability 0.5.
    """

    loss: float
    accuracy: float


def logits_of(network: Any, store: Store, side: int, batch: int = 64) -> Floats:  # noqa: ANN401
    """The logits (n, K) of stored images, in their order."""
    nothing = np.zeros((len(store), 1), np.float32)
    # Not predict(): its TensorFlow pipeline doubles the time of small networks.
    rows = [network.predict_on_batch(shown) for shown, _ in Batches(store, nothing, side, batch).ahead()]
    return np.concatenate([np.asarray(each, np.float32) for each in rows])[: len(store)]


def score_logits(logits: Floats, examples: Examples) -> Score:
    """Compares logits (n, K) with the true labels."""
    wide, targets = logits.astype(np.float64), examples.targets
    if examples.several:
        losses = np.logaddexp(0, wide) - targets * wide
        predicted, true = wide > 0, targets > 0.5
        hits = int((predicted & true).sum())
        accuracy = 2 * hits / max(1, int(predicted.sum() + true.sum()))
        return Score(float(losses.sum(axis=1).mean()), accuracy)
    largest = wide.max(axis=1)
    total = largest + np.log(np.exp(wide - largest[:, None]).sum(axis=1))
    loss = total - (targets * wide).sum(axis=1)
    return Score(float(loss.mean()), float((wide.argmax(axis=1) == targets.argmax(axis=1)).mean()))


def chance_loss(targets: Floats, several: bool, smoothing: float = 0.0) -> float:
    """The cross-entropy, in nats an image, of always answering how frequent each class is.

    No network that sees images is worse. Of multi-label `targets` (n, K) it is the mean over classes, as Keras counts
    it. `smoothing` is the share of the truth that is spread over all classes.

    Example:
        >>> import numpy as np
        >>> round(chance_loss(np.eye(3, dtype=np.float32), several=False), 3)
        1.099
    """
    classes = targets.shape[1]
    spread = 0.5 if several else 1 / classes
    mean = (targets.mean(axis=0, dtype=np.float64) * (1 - smoothing) + smoothing * spread).clip(1e-12, 1)
    if several:
        rest = (1 - mean).clip(1e-12, 1)
        return float(-(mean * np.log(mean) + rest * np.log(rest)).mean())
    return float(-(mean * np.log(mean)).sum())


def nothing_learned(history: Sequence[Epoch], chance: float) -> str | None:
    """What to try, in words, if the loss never left that of guessing (`chance_loss`); None if it did."""
    lowest = min(epoch.loss for epoch in history)
    if chance < 1e-6 or lowest < _NOTHING_LEARNED * chance:
        return None
    return (
        f"the network has learned nothing: its loss of {lowest:.3f} is that of guessing ({chance:.3f}), and it gives "
        "every image the same classes. Try a lower rate (--rate), more epochs, or a network with batch normalization "
        "such as nin_bn"
    )
