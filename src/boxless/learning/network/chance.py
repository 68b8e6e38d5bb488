"""Whether a training has learned anything: its loss against that of guessing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxless.learning.network.history import Epoch

_NOTHING_LEARNED = 0.98
"""The share of the loss of guessing that a loss has to fall below."""


def chance_loss(targets: NDArray[np.float32], several: bool, smoothing: float = 0.0) -> float:
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
