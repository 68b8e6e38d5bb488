"""How often 95 % intervals of average precision hold the truth. python -m benchmarks.ap_intervals

From a population of 20,000 made images (0 to 3 objects of one class, 0 to 4 boxes each, of which those with higher
scores are right more often), samples are drawn, and of each the interval as the percentiles of its bootstrap, and as
those moved by the bias of the bootstrap, which `boxless evaluate --ap` gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import write_results
from boxless.evaluation.average_precision import IOUS, ClassMatches, precision_at_recalls
from boxless.evaluation.bootstrap import Bootstrap

POPULATION = 20_000
SAMPLES = 200
DRAWS = 300
SIZES = (20, 67)
QUALITIES = (0.5, 0.9)
"""How often a box of score 1 is right where there is an object."""

Rows = list[tuple[int, NDArray[np.float64], NDArray[np.bool_]]]


def population(random: np.random.Generator, quality: float) -> Rows:
    """Of each image: how many objects, and its boxes' scores (falling) and whether they are right."""
    rows = []
    for _ in range(POPULATION):
        true = int(random.integers(0, 4))
        scores = np.sort(random.random(random.integers(0, 5)))[::-1]
        hits = (random.random(len(scores)) < quality * scores) & (true > 0)
        rows.append((true, scores, hits & (np.cumsum(hits) <= true)))
    return rows


def matches_of(rows: Rows, picked: NDArray[np.int64]) -> ClassMatches:
    """What became of the boxes of some images; alike at every IoU."""
    scores = np.concatenate([rows[i][1] for i in picked])
    right = np.concatenate([rows[i][2] for i in picked])
    images = np.repeat(np.arange(len(picked)), [len(rows[i][1]) for i in picked])
    order = np.argsort(-scores, kind="stable")
    many = np.repeat(right[order][None], len(IOUS), axis=0)
    true = np.array([rows[i][0] for i in picked])
    return ClassMatches(scores[order], many, np.ones_like(many), images[order], true)


def main() -> None:
    """Measures and writes benchmarks/results/ap_intervals.json."""
    table: list[dict[str, Any]] = []
    for quality in QUALITIES:
        random = np.random.default_rng(1)
        rows = population(random, quality)
        truth = precision_at_recalls(matches_of(rows, np.arange(POPULATION)), np.ones((1, POPULATION)))[0, 0]
        for size in SIZES:
            values, held = [], {"percentiles": 0, "moved": 0}
            for sample in range(SAMPLES):
                matches = matches_of(rows, random.integers(0, POPULATION, size))
                value = precision_at_recalls(matches, np.ones((1, size)))[0, 0]
                draws = Bootstrap(np.arange(size), DRAWS, seed=sample).samples(
                    lambda weights, matches=matches: precision_at_recalls(matches, weights)[:, 0]  # type: ignore[misc]
                )
                low, high = np.nanpercentile(draws, [2.5, 97.5])
                bias = np.nanmean(draws) - value
                held["percentiles"] += bool(low <= truth <= high)
                held["moved"] += bool(low - bias <= truth <= high - bias)
                values.append(value)
            table.append(
                {
                    "quality": quality,
                    "pictures": size,
                    "truth": round(100 * float(truth), 2),
                    "mean_of_samples": round(100 * float(np.mean(values)), 2),
                    **{f"{name}_hold_percent": round(100 * count / SAMPLES, 1) for name, count in held.items()},
                }
            )
            print(table[-1], flush=True)
    write_results("ap_intervals", {"samples": SAMPLES, "draws": DRAWS, "figures": table})


if __name__ == "__main__":
    main()
