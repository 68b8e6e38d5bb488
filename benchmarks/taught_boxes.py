"""How right the boxes are that class maps teach, by the looks that must agree. python -m benchmarks.taught_boxes MODEL

MODEL is of `boxless fit` on `cards`, such as benchmarks.average_precision leaves. Every fourth training picture is
looked at; its true boxes serve to count only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks.detector import SETS, true_boxes
from benchmarks.facts import DATA, write_results
from boxless.boxes import iou
from boxless.model_file import ModelFile
from boxless.ordered import ordered_map
from boxless.training.detector.pseudo_boxes import taught_by
from boxless.training.detector.taught import Taught
from boxless.training.detector.teacher import labels_of, looks_of
from boxless.training.split import read_split

EVERY = 4
RIGHT = 0.5
"""A box is right if its intersection over union with a true one is at least so much."""

AGREE = {"its double and the coarsest": (0, 0, 2), "the coarsest": (0, 2), "half the size": (0, 1),
         "half the size and the coarsest": (0, 1, 2)}  # fmt: skip
"""Which looks are held against the finest (0): of half its size (1), the coarsest (2)."""


def main() -> None:
    """Measures and writes benchmarks/results/taught_boxes.json."""
    data = SETS["cards"]
    training, _ = read_split(DATA / data.labels, None)
    chosen = np.arange(0, len(training), EVERY)
    truth = [true_boxes(data, training)[i] for i in chosen]
    training = training.only(chosen)
    looks = looks_of(ModelFile(Path(sys.argv[1]), threads=1))

    def one(i: int) -> dict[str, Taught]:
        labels = labels_of(training, i)
        names = [training.classes[k] for k in labels]
        said = [look.locate(training.paths[i], classes=names, always_box=True) for look in looks]
        return {
            name: taught_by([said[k] for k in which], labels, len(training.classes)) for name, which in AGREE.items()
        }

    found = list(ordered_map(one, range(len(training)), 2))
    figures = {}
    for name in AGREE:
        taught = right = covered = 0
        for each, true in zip((row[name] for row in found), truth, strict=True):
            shared = iou(each.boxes[each.weights > 0], true.boxes) >= RIGHT
            taught += len(shared)
            right += int(shared.any(axis=1).sum())
            covered += int(shared.any(axis=0).sum())
        figures[name] = {"taught": taught, "right": right, "covered": covered}
        print(name, figures[name], flush=True)
    counts = {"pictures": len(training), "boxes": sum(map(len, truth)), "sizes": [look.preset.sides for look in looks]}
    write_results("taught_boxes", {**counts, "figures": figures})


if __name__ == "__main__":
    main()
