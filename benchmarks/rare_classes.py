"""What balanced weights do for rare classes: five of ten classes cut down. python -m benchmarks.rare_classes

Logistic regression as `boxless fit` has it, on the embedded backbone's features, with and without balanced weights; at
one regularisation, so that nothing else differs. Measured on 50 held-out images of each class.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.facts import DATA, write_results
from boxless.datasets.split import read_split
from boxless.export.backbone import Backbone
from boxless.learning.head.features import pooled_features
from boxless.learning.report.held_out import log_loss
from boxless.models.zoo import DEFAULT_MODEL

FEW = (15, 5)
WEIGHTS = {"none": None, "balanced": "balanced"}
STRENGTH = 0.1
SIDE = 224


def main() -> None:
    """Measures and writes benchmarks/results/rare_classes.json."""
    training, validation = read_split(DATA / "tiny10/train", str(DATA / "tiny10/val"))
    backbone = Backbone(DEFAULT_MODEL)
    seen, unseen = (pooled_features(backbone, part.paths, SIDE).pooled for part in (training, validation))
    classes, truth = training.targets.argmax(axis=1), validation.targets
    rare = np.arange(len(training.classes)) < len(training.classes) // 2
    rows = []
    for few in FEW:
        random = np.random.default_rng(0)
        kept = np.concatenate(
            [
                random.permutation(np.flatnonzero(classes == k))[: few if is_rare else None]
                for k, is_rare in enumerate(rare)
            ]
        )
        mean, deviation = seen[kept].mean(axis=0), seen[kept].std(axis=0) + 1e-6
        learned, shown = (seen[kept] - mean) / deviation, (unseen - mean) / deviation
        for name, weights in WEIGHTS.items():
            row = {
                "rare_pictures": few,
                "weights": name,
                **measured(learned, classes[kept], shown, truth, rare, weights),
            }
            print(row, flush=True)
            rows.append(row)
    write_results("rare_classes", {"common_pictures": int(training.counts.max()), "figures": rows})


def measured(
    learned: NDArray[np.float32],
    classes: NDArray[np.int64],
    shown: NDArray[np.float32],
    truth: NDArray[np.float32],
    rare: NDArray[np.bool_],
    weights: str | None,
) -> dict[str, Any]:
    """Recall with one label an image, and F1 with a classifier for each class, of rare and of common classes."""
    with threadpool_limits(1, "blas"):
        one = LogisticRegression(C=STRENGTH, class_weight=weights, max_iter=300).fit(learned, classes)
        each = [
            LogisticRegression(C=STRENGTH, class_weight=weights, max_iter=300).fit(learned, classes == k).predict(shown)
            for k in range(len(rare))
        ]
    chances = one.predict_proba(shown)
    true = truth > 0
    said = np.arange(len(rare)) == chances.argmax(axis=1)[:, None]
    recall = 100 * (said & true).sum(axis=0) / true.sum(axis=0)
    alone = np.stack(each, axis=1)
    f1 = 100 * 2 * (alone & true).sum(axis=0) / (alone.sum(axis=0) + true.sum(axis=0))
    return {
        "recall_rare": round(float(recall[rare].mean()), 1),
        "recall_common": round(float(recall[~rare].mean()), 1),
        "log_loss": round(float(log_loss(chances, truth, several=False).mean()), 3),
        "f1_rare": round(float(f1[rare].mean()), 1),
        "f1_common": round(float(f1[~rare].mean()), 1),
    }


if __name__ == "__main__":
    main()
