"""How right the boxes are that class maps teach, by whose they are and who must agree.

    python -m benchmarks.taught_boxes FOLDER

FOLDER holds cards.onnx and magnetic-tile.onnx of `boxless fit`, as benchmarks.average_precision leaves them. Every
fourth training picture is looked at; its true boxes serve to count only.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.detector import SETS, true_boxes
from benchmarks.facts import DATA, write_results
from boxless.datasets.split import read_split
from boxless.learning.detector.pseudo_boxes import pseudo_labels_of
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.teacher import labels_of, passes_of
from boxless.localizer import Localizer
from boxless.maps.boxes import iou
from boxless.models.model_file import ModelFile
from boxless.system.ordered import ordered_map

EVERY = 4
RIGHT = 0.5
"""A box is right if its intersection over union with a true one is at least so much."""

AGREE = {
    "naming look, nobody": ("naming",),
    "naming look, naming looks of other sizes": ("naming", "naming, 448", "naming, 224"),
    "naming look, search": ("naming", "search"),
    "**naming look, search and search at half the size**": ("naming", "search", "search, half"),
    "search, search at half the size": ("search", "search, half"),
    "search, search at half the size and the naming look of 224": ("search", "search, half", "naming, 224"),
}
"""By name, whose boxes are taught, and by whom they must be found again."""


def main() -> None:
    """Measures and writes benchmarks/results/taught_boxes.json."""
    folder = Path(sys.argv[1])
    write_results("taught_boxes", {"data": {name: measured(folder, name) for name in ("cards", "magnetic-tile")}})


def measured(folder: Path, name: str) -> dict[str, object]:
    """How many boxes each way teaches, how many are right, and how many true ones they cover."""
    data = SETS[name]
    training, _ = read_split(DATA / data.labels, str(DATA / data.val) if data.val else None)
    chosen = np.array([i for i in range(0, len(training), EVERY) if labels_of(training, i)])
    truth = [true_boxes(data, training)[i] for i in chosen]
    training = training.only(chosen)
    looks = looks_by_name(ModelFile(folder / f"{name}.onnx", threads=1))

    def one(i: int) -> dict[str, PseudoLabels]:
        labels = labels_of(training, i)
        names = [training.classes[k] for k in labels]
        said = {by: look.locate(training.paths[i], classes=names, include_absent=True) for by, look in looks.items()}
        return {
            way: pseudo_labels_of([said[by] for by in who], labels, len(training.classes)) for way, who in AGREE.items()
        }

    found = list(ordered_map(one, range(len(training)), 2))
    figures = {}
    for way in AGREE:
        taught = right = covered = 0
        for each, true in zip((row[way] for row in found), truth, strict=True):
            shared = iou(each.boxes[each.weights > 0], true.boxes) >= RIGHT
            taught += len(shared)
            right += int(shared.any(axis=1).sum())
            covered += int(shared.any(axis=0).sum())
        figures[way] = {"taught": taught, "right": right, "covered": covered}
        print(name, way, figures[way], flush=True)
    return {"pictures": len(training), "boxes": sum(map(len, truth)), "figures": figures}


def looks_by_name(network: ModelFile) -> dict[str, Localizer]:
    """Localizers of a model with localization passes, and without."""
    naming, search, half = passes_of(network)
    looks = {"naming": naming, "search": search, "search, half": half}
    for preset, side in (("balanced", 448), ("fast", 224)):
        plain = Localizer(network, preset)
        plain.preset = replace(plain.preset, localization=(), thresholds=())
        looks[f"naming, {side}"] = plain
    return looks


if __name__ == "__main__":
    main()
