"""How surprising the truth is to a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def log_loss(chances: Floats, targets: Floats, *, several: bool) -> Floats:
    """The negative logarithm of what the truth was given: (n,), in nats.

    Args:
        chances: (n, K), probabilities.
        targets: (n, K), zeros and ones.
        several: whether the classes stand alone, so that the absent ones count too.
    """
    losses = -(targets * np.log(np.clip(chances, 1e-12, 1.0))).sum(axis=1)
    if several:
        losses -= ((1 - targets) * np.log(np.clip(1.0 - chances, 1e-12, 1.0))).sum(axis=1)
    return np.asarray(losses, np.float32)
