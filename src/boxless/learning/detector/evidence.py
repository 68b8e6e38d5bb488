"""How well a detector does by labels alone: whether its surest boxes name pictures that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """What held-out labels say of a detector.

    Attributes:
        precision: the mean over classes of the average precision, in percent, of naming the pictures that show the
            class by its surest box.
        f1: at the best level, in percent: of all labels of all pictures.
        level: the score at which it is; what is surer counts as present.
    """

    precision: float
    f1: float
    level: float


def evidence_of(scores: Floats, targets: Floats, background: tuple[int, ...] = ()) -> Evidence:
    """The evidence of scores (n, K), of each class's surest box in n pictures, against their labels (n, K).

    One of the pictures at least shows a class that is no background.
    """
    shown = [k for k in range(targets.shape[1]) if k not in background and targets[:, k].any()]
    there = targets[:, shown] > 0
    said = scores[:, shown]
    precisions = [average_precision(said[:, k], there[:, k]) for k in range(len(shown))]
    order = np.argsort(-said, axis=None, kind="stable")
    hits = there.ravel()[order]
    f1 = 2 * hits.cumsum() / (np.arange(1, len(hits) + 1) + max(1, int(there.sum())))
    best = int(f1.argmax())
    ranked = said.ravel()[order]
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return Evidence(
        precision=100 * float(np.mean(precisions)),
        f1=100 * float(f1[best]),
        # Half-way to the next one, which is left out.
        level=round(float(np.clip((ranked[best] + below) / 2, 0.02, 0.9)), 3),
    )


def average_precision(scores: NDArray[np.floating], there: NDArray[np.bool_]) -> float:
    """The mean, over the pictures that show a class, of the share of such pictures among those said as surely."""
    hits = there[np.argsort(-scores, kind="stable")]
    share = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float(share[hits].mean()) if hits.any() else 0.0
