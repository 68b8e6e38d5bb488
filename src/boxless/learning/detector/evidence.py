"""How well a detector classifies held-out images by its highest-scoring boxes: all that labels can measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """The accuracy of a detector on held-out labels.

    Attributes:
        precision: the mean over classes of the average precision, in percent, when images are ranked by the score of
            their best box of the class.
        f1: over all labels of all images, in percent, at the best threshold.
        threshold: that threshold, a score; classes with a higher score count as detected.
    """

    precision: float
    f1: float
    threshold: float


def evidence_of(scores: Floats, targets: Floats, background: tuple[int, ...] = ()) -> Evidence:
    """Compares scores (n, K), of the best box of each class in n images, with the labels (n, K).

    At least one image must show a class other than background.
    """
    shown = [k for k in range(targets.shape[1]) if k not in background and targets[:, k].any()]
    there = targets[:, shown] > 0
    scores = scores[:, shown]
    precisions = [average_precision(scores[:, k], there[:, k]) for k in range(len(shown))]
    order = np.argsort(-scores, axis=None, kind="stable")
    hits = there.ravel()[order]
    f1 = 2 * hits.cumsum() / (np.arange(1, len(hits) + 1) + max(1, int(there.sum())))
    best = int(f1.argmax())
    ranked = scores.ravel()[order]
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return Evidence(
        precision=100 * float(np.mean(precisions)),
        f1=100 * float(f1[best]),
        # Half-way to the next score, which must stay below.
        threshold=round(float(np.clip((ranked[best] + below) / 2, 0.02, 0.9)), 3),
    )


def average_precision(scores: NDArray[np.floating], there: NDArray[np.bool_]) -> float:
    """Average precision: the mean precision at the rank of each image that shows the class, in [0, 1]."""
    hits = there[np.argsort(-scores, kind="stable")]
    share = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float(share[hits].mean()) if hits.any() else 0.0
