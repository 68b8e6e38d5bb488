"""What a few boxes of each class are worth: python -m benchmarks.few_boxes [SET ...] --models DIR

For each set of `benchmarks.own_data` that is localized by heads, heads are learned from labels as `boxless fit` learns
them. Then the boxes of K training images of each class choose among them, and teach more, as `boxless fit --boxes`
does. The images are drawn by lot, or picked as by `boxless annotate --pick`. For small objects labels have taught no
such heads: the models that `benchmarks.own_data --models DIR` kept are the start, and from four boxed images of a class
on, boxes teach heads beside. One box is measured on at most 150 images of `val`. Writes
benchmarks/results/few_boxes.json and the table of docs/own-data.md; sets that are not named stay as they were.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import DATA, read, write_results
from benchmarks.own_data import split, truth
from benchmarks.provenance import RESULTS
from boxless.annotation.pick import farthest_points
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.evaluation.plot import COLOURS, Plot
from boxless.export.backbone import Backbone
from boxless.learning.head.box_heads import ABSENT, choose_box_heads, label_curves
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.features import here, pooled_features
from boxless.learning.head.few_boxes import HeadChoice, box_curves, heads_by_boxes
from boxless.learning.head.sampling import evenly
from boxless.learning.head.scale import MARGIN, Heads, learn_at
from boxless.learning.head.self_training import LinearCells
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

HEADS = ("steel", "critters", "cards")
"""Sets that heads localize."""

SMALL = ("figures", "magnetic-tile")
"""Sets of small objects."""

IMAGES = (0, 1, 2, 5, 10, 20)
_DRAWS = 5
_VAL = 150
_SOME = 60
"""Boxed images of a class that draws are made from, for small objects."""

_WORTH_IT = 1.02
"""As in `boxless.learning.head.localization`."""

Rows: TypeAlias = dict[str, list[float]]
"""One box right, in percent, mean over IoU 0.3, 0.5 and 0.7, of each draw: for each number of boxed images, such as
"5", and for those that are picked, such as "picked 5"."""

Few: TypeAlias = Callable[[int, int | None], list[BoxedImage]]
"""So many boxed images of each class: of a draw, or picked."""


def by_heads(name: str) -> Rows:
    """Measures a set that heads localize."""
    learned, _ = split(name)
    trunk = Backbone(DEFAULT_MODEL)
    heads = Heads(trunk, learned, here, 0, lambda *_: None, {})
    steps = trunk.card.preset("balanced").refinement_steps
    scales = [learn_at(trunk, heads.at(448), learned, scale, steps) for scale in (448, 896)]
    first, second = scales
    chosen = second if second.score > _WORTH_IT * first.score else first
    card = replace(trunk.card, labels=learned.classes, class_ids=(), background=learned.background)
    images, some = _held_out(name, card, sorted(chosen.classes))
    cells: dict[int, dict[Path, ImageCells]] = {}
    for at in scales:
        read = read_cells(trunk, heads.at(448), some, [[]] * len(some), at.scale, 1, MARGIN)
        cells[at.scale] = {path: each for path, each in zip(some, read, strict=True) if each is not None}
    by_labels = {k: HeadChoice(chosen.scale, chosen.classes[k].heads[chosen.share]) for k in chosen.classes}

    @cache
    def curve(n: int, scale: int, head: LinearCells) -> NDArray[np.float64]:
        return np.asarray(box_curves(cells[scale][images[n].path], [head], images[n])[0])

    def right(few: list[BoxedImage]) -> float:
        made = heads_by_boxes(trunk, scales, chosen, learned, few, 0, lambda *_: None) if few else None
        choices = by_labels | made[0] if made else by_labels
        found = []
        for n, image in enumerate(images):
            choice = choices[image.class_index]
            found.append(curve(n, choice.scale, choice.head)[np.abs(THRESHOLDS - choice.threshold).argmin()])
        return round(float(np.mean(found)), 1)

    return _rows(name, right, _few(name, trunk, card, sorted(chosen.classes)))


def by_box_heads(name: str, model: Path) -> Rows:
    """Measures a set of small objects."""
    network = ModelFile(model, threads=1)
    trunk = Backbone(DEFAULT_MODEL)
    learned, _ = split(name)
    classes = [k for k in range(len(network.card.labels)) if k not in network.card.background]
    few = _few(name, trunk, network.card, classes, _SOME)
    threshold = network.card.preset("balanced").threshold
    images, some = _held_out(name, network.card, classes)
    taught = sorted({(each.path, each.class_index): each for each in few(_SOME, 0) + few(max(IMAGES), None)}.items())
    curves = label_curves(network, sorted(images, key=lambda each: each.path))
    curves |= label_curves(network, [each for _, each in taught])
    lacking = learned.only(evenly(learned, ABSENT, 0))
    paths = list(dict.fromkeys([*some, *(path for (path, _), _ in taught), *lacking.paths]))
    cells: dict[int, dict[Path, ImageCells]] = {}
    for scale in (448, 896):
        read = read_cells(trunk, np.zeros((1, trunk.width), np.float32), paths, [[]] * len(paths), scale, 1, MARGIN)
        cells[scale] = {path: each for path, each in zip(paths, read, strict=True) if each is not None}
    shown = list(zip(lacking.paths, lacking.targets, strict=True))
    without = {k: [path for path, row in shown if not row[k]] for k in classes}

    def right(some: list[BoxedImage]) -> float:
        of_class = {k: [each for each in some if each.class_index == k] for k in classes}
        by_labels = {k: np.array([curves[each.path, k] for each in mine]) for k, mine in of_class.items()}
        made = choose_box_heads(of_class, by_labels, cells, without, threshold, 0) if some else None
        found = []
        for image in images:
            head = made.heads.get(image.class_index) if made else None
            curve = curves[image.path, image.class_index]
            if head:
                curve = box_curves(cells[head.scale][image.path], [head.head], image)[0]
            at = made.thresholds[image.class_index] if made else threshold
            found.append(curve[np.abs(THRESHOLDS - at).argmin()])
        return round(float(np.mean(found)), 1)

    return _rows(name, right, few)


def _rows(name: str, right: Callable[[list[BoxedImage]], float], few: Few) -> Rows:
    found: Rows = {"0": [right([])]}
    for count in IMAGES[1:]:
        found[str(count)] = [right(few(count, draw)) for draw in range(_DRAWS)]
        found[f"picked {count}"] = [right(few(count, None))]
        print(name, count, found[str(count)], found[f"picked {count}"], flush=True)
    return found


def _held_out(name: str, card: Card, classes: list[int]) -> tuple[list[BoxedImage], list[Path]]:
    """The boxed images of `val` that are measured, and their paths."""
    images = [each for each in truth(name, card).images if len(each.boxes) and each.class_index in classes]
    paths = sorted({each.path for each in images})
    some = sorted(np.random.default_rng(0).permutation(np.array(paths))[:_VAL].tolist())
    return [each for each in images if each.path in set(some)], some


def _few(name: str, trunk: Backbone, card: Card, classes: list[int], most: int | None = None) -> Few:
    """What draws some of the boxed training images, or of the first `most` of each class by lot."""
    training = read_dataset(DATA / name / "train.json", card, None, DATA / name / "train")
    of_class = {k: [each for each in training.images if len(each.boxes) and each.class_index == k] for k in classes}
    if most is not None:
        of_class = {k: _drawn(each, k, most, 0) for k, each in of_class.items()}
    scale = trunk.card.preset("fast").scales[0]
    features = {k: pooled_features(trunk, [each.path for each in mine], scale).pooled for k, mine in of_class.items()}

    def few(count: int, draw: int | None) -> list[BoxedImage]:
        if draw is None:
            return [of_class[k][i] for k in classes for i in farthest_points(features[k], count)]
        return [each for k in classes for each in _drawn(of_class[k], k, count, draw)]

    return few


def _drawn(images: list[BoxedImage], k: int, count: int, draw: int) -> list[BoxedImage]:
    return [images[i] for i in np.random.default_rng((draw, k)).permutation(len(images))[:count]]


def table() -> str:
    """Means over draws, and their standard deviation; in brackets with images that are picked."""
    rows = read("few_boxes")["sets"]
    lines = [
        "| boxed images a class | " + " | ".join(rows) + " |",
        "|---|" + "---|" * len(rows),
    ]
    for count in map(str, IMAGES):
        cells = [
            f"{np.mean(row[count]):.1f} ± {np.std(row[count]):.1f}"
            + (f" ({row[f'picked {count}'][0]:.1f})" if f"picked {count}" in row else "")
            for row in rows.values()
        ]
        lines.append(f"| {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def figure() -> str:
    """The means of the table as SVG, with the least and the most of the draws."""
    rows = read("few_boxes")["sets"]
    places = dict(zip(map(str, IMAGES), range(len(IMAGES)), strict=True))
    plot = Plot(
        "What a few boxes add",
        "boxed images of each class",
        "one box right, %",
        (-0.3, len(IMAGES) - 0.7),
        (0.0, 100.0),
        [(float(x), count) for count, x in places.items()],
        20,
    )
    for (name, row), colour in zip(rows.items(), COLOURS, strict=False):
        plot.line(name, places.values(), [float(np.mean(row[count])) for count in places], colour)
        for count, x in places.items():
            plot.span(x, min(row[count]), max(row[count]), colour)
    return plot.svg() + "\n"


def main() -> None:
    """Measures, and writes the results after each set."""
    ask = argparse.ArgumentParser()
    ask.add_argument("sets", nargs="*", choices=[*HEADS, *SMALL, []], default=[])
    ask.add_argument("--models", type=Path, default=Path("models"))
    known = RESULTS / "few_boxes.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")).get("sets", {}) if known.exists() else {}
    given = ask.parse_args()
    for name in given.sets or (*HEADS, *SMALL):
        rows[name] = by_heads(name) if name in HEADS else by_box_heads(name, given.models / f"{name}.onnx")
        rows = {each: rows[each] for each in (*HEADS, *SMALL) if each in rows}
        write_results("few_boxes", {"sets": rows}, part=name, parts=rows)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
