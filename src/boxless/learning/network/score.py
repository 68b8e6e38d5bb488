"""Loss and accuracy of a network on images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.learning.network.batches import Batches
from boxless.learning.network.examples import Examples, Store

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Score:
    """Loss and accuracy on some images.

    Attributes:
        loss: the mean cross-entropy per image.
        accuracy: the share classified correctly; for multi-label networks the F1 over all labels, at probability 0.5.
    """

    loss: float
    accuracy: float


def score(network: Any, examples: Examples, side: int, batch: int = 64) -> Score:  # noqa: ANN401
    """Measures a network on images without augmentation, squeezed to (side, side)."""
    return score_logits(logits_of(network, Store(examples.images, side), side, batch), examples)


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
