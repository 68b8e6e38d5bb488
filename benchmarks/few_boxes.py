"""What a few boxes of each class are worth: python -m benchmarks.few_boxes [SET ...]

For each set of `benchmarks.own_data` that is localized by heads, heads are learned from labels as `boxless fit` learns
them. Then the boxes of K training images of each class, drawn by lot, choose among them, as with `boxless fit --boxes`,
and one box is measured on at most 150 images of `val`. Writes benchmarks/results/few_boxes.json and the table of
docs/own-data.md; sets that are not named stay as they were.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.facts import DATA, RESULTS, write_results
from benchmarks.own_data import PAGE, split, truth
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.export.backbone import Backbone
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.features import here
from boxless.learning.head.few_boxes import HeadChoice, box_curves, heads_by_boxes
from boxless.learning.head.scale import MARGIN, Heads, learn_at
from boxless.models.zoo import DEFAULT_MODEL
from boxless.system.files import write_whole

SETS = ("steel", "critters", "cards")
"""Those with boxes of their training images that heads localize."""

IMAGES = (0, 1, 2, 5, 10, 20)
_DRAWS = 5
_VAL = 150
_WORTH_IT = 1.02
"""As in `boxless.learning.head.localization`."""


def measured(name: str) -> dict[str, list[float]]:
    """One box right, in percent, mean over IoU 0.3, 0.5 and 0.7: for each number of boxed images, of each draw."""
    learned, _ = split(name)
    trunk = Backbone(DEFAULT_MODEL)
    heads = Heads(trunk, learned, here, 0, lambda *_: None, {})
    steps = trunk.card.preset("balanced").refinement_steps
    scales = [learn_at(trunk, heads.at(448), learned, scale, steps) for scale in (448, 896)]
    first, second = scales
    chosen = second if second.score > _WORTH_IT * first.score else first
    card = replace(trunk.card, labels=learned.classes, class_ids=(), background=learned.background)
    training = read_dataset(DATA / name / "train.json", card, None, DATA / name / "train")
    boxed = [each for each in training.images if len(each.boxes)]
    images = [each for each in truth(name, card).images if len(each.boxes) and each.class_index in chosen.classes]
    paths = sorted({each.path for each in images})
    some = sorted(np.random.default_rng(0).permutation(np.array(paths))[:_VAL].tolist())
    cells: dict[int, dict[Path, ImageCells]] = {}
    for at in scales:
        read = read_cells(trunk, heads.at(448), some, [[]] * len(some), at.scale, 1, MARGIN)
        cells[at.scale] = {path: each for path, each in zip(some, read, strict=True) if each is not None}
    images = [each for each in images if each.path in set(some)]
    by_labels = {k: HeadChoice(chosen.scale, chosen.classes[k].heads[chosen.share]) for k in chosen.classes}
    found: dict[str, list[float]] = {"0": [_right(by_labels, cells, images)]}
    for count in IMAGES[1:]:
        found[str(count)] = []
        for draw in range(_DRAWS):
            few = [each for k in chosen.classes for each in _drawn(boxed, k, count, draw)]
            made = heads_by_boxes(trunk, scales, chosen, learned, few, 0, lambda *_: None)
            found[str(count)].append(_right(by_labels | made[0] if made else by_labels, cells, images))
        print(name, count, found[str(count)], flush=True)
    return found


def _drawn(boxed: list[BoxedImage], k: int, count: int, draw: int) -> list[BoxedImage]:
    mine = [each for each in boxed if each.class_index == k]
    return [mine[i] for i in np.random.default_rng((draw, k)).permutation(len(mine))[:count]]


def _right(
    choices: Mapping[int, HeadChoice],
    cells: Mapping[int, Mapping[Path, ImageCells]],
    images: list[BoxedImage],
) -> float:
    right = []
    for image in images:
        choice = choices[image.class_index]
        curve = box_curves(cells[choice.scale][image.path], [choice.head], image)[0]
        right.append(curve[np.abs(THRESHOLDS - choice.threshold).argmin()])
    return round(float(np.mean(right)), 1)


def table(rows: Mapping[str, Mapping[str, list[float]]]) -> str:
    """Means over draws, and their standard deviation."""
    lines = [
        "| boxed images a class | " + " | ".join(rows) + " |",
        "|---|" + "---|" * len(rows),
    ]
    for count in map(str, IMAGES):
        cells = [f"{np.mean(row[count]):.1f} ± {np.std(row[count]):.1f}" for row in rows.values()]
        lines.append(f"| {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measures, and writes the results and the page after each set."""
    ask = argparse.ArgumentParser()
    ask.add_argument("sets", nargs="*", choices=[*SETS, []], default=[])
    known = RESULTS / "few_boxes.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")).get("sets", {}) if known.exists() else {}
    for name in ask.parse_args().sets or SETS:
        rows[name] = measured(name)
        write_results("few_boxes", {"sets": {each: rows[each] for each in SETS if each in rows}})
        page = PAGE.read_text(encoding="utf-8")
        begin, end = "<!-- few boxes: written by benchmarks/few_boxes.py -->\n", "<!-- end of few boxes -->\n"
        before, rest = page.split(begin)
        write_whole(PAGE, partial(_write, f"{before}{begin}\n{table(rows)}\n\n{end}{rest.split(end)[1]}"))


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
