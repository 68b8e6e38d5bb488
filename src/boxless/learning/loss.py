"""The log loss of predicted probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def log_loss(probabilities: Floats, targets: Floats, *, several: bool) -> Floats:
    """The negative log-likelihood of the true labels: (n,), in nats.

    Args:
        probabilities: (n, K), predicted, in [0, 1].
        targets: (n, K), zeros and ones.
        several: whether the model is multi-label, so that absent classes count too.
    """
    losses = -(targets * np.log(np.clip(probabilities, 1e-12, 1.0))).sum(axis=1)
    if several:
        losses -= ((1 - targets) * np.log(np.clip(1.0 - probabilities, 1e-12, 1.0))).sum(axis=1)
    return np.asarray(losses, np.float32)
