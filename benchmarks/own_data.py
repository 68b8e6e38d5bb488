"""Own classes from labels alone, on every kind of data: python -m benchmarks.own_data [SET ...]

`boxless fit` with its defaults on the training images of each set, measured on all of `val`: classification, one box,
all boxes, and what counts as detected. Boxes are read to measure, never to learn or to choose. Writes
benchmarks/results/own_data.json and the table of docs/own-data.md; sets that are not named stay as they were.

--models DIR: models are kept there, and taken as they are where they are there already.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, SupportsFloat

import numpy as np

from benchmarks.facts import DATA, read, write_results
from benchmarks.provenance import RESULTS
from boxless import Localizer
from boxless.datasets.boxed import BoxedSet, read_dataset
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.split import read_split
from boxless.evaluation.box_accuracy import IOUS, max_box_acc_v2
from boxless.evaluation.class_thresholds import right_at
from boxless.evaluation.detections import MODES, measure_boxes
from boxless.evaluation.predict import measure_model
from boxless.evaluation.score import Score
from boxless.learning.head.fit import fit
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

PRESETS = ("fast", "balanced", "best")

SETS = {
    "critters": "whole animals, 2 classes and background",
    "steel": "defects of steel, 6 kinds, several an image",
    "cards": "playing cards, 6 ranks, several labels",
    "figures": "toys in film frames, 2 classes, several labels",
    "tiny10": "10 classes of Tiny ImageNet, 64 x 64",
    "magnetic-tile": "defects of magnetic tiles, 5 kinds and background",
}
"""What each is, in words."""

SIZES = (0.0, 0.01, 0.05, 0.15, 0.4, 1.01)
"""Bounds of the area of the largest true box, as a share of the image."""


def split(name: str) -> tuple[LabelledImages, LabelledImages]:
    """The images that are learned from, and those that are held out."""
    root = DATA / name
    if (root / "labels.csv").exists():
        return read_split(root / "labels.csv", "val")
    return read_split(root / "train", str(root / "val"))


def truth(name: str, card: Card) -> BoxedSet:
    """The boxes of the held-out images."""
    boxes = next(path for path in (DATA / name / "val.json", DATA / name / "val/annotations.json") if path.exists())
    found: BoxedSet = read_dataset(boxes, card, None, DATA / name / "val")
    return found


def measured(name: str, model: Path, backbone: str | Path = DEFAULT_MODEL) -> dict[str, Any]:
    """All figures of a set, in percent unless they say otherwise; the model is made where it is not there."""
    training, validation = split(name)
    row: dict[str, Any] = {}
    if not model.exists():
        start = time.perf_counter()
        made = fit(training, validation, model, backbone=backbone)
        row["seconds"] = round(time.perf_counter() - start)
        row["classification"] = {key: round(each.value, 1) for key, each in made.report.figures.items()}
        row["localizes"] = dict(made.report.facts)["localizes"]
    network = ModelFile(model, threads=1)
    boxed = truth(name, network.card)
    row["presets"] = {}
    for preset in (each for each in PRESETS if each in network.card.presets):
        scores = list(measure_model(network, preset, boxed.images, boxed.notes))
        row["presets"][preset] = figures_of([each for each in scores if each.boxed])
    for mode in ("known", "unknown"):
        found = measure_boxes(Localizer(network), truth(name, network.card), MODES[mode], draws=2)
        row[f"ap50_{mode}"] = round(found.interval("ap_50").value, 1)
    row["detected"] = detection(network, validation)
    return row


def figures_of(scores: Sequence[Score]) -> dict[str, Any]:
    """One box and its oracles, in percent; and the box's area over that of the true box it meets best."""
    curves = [each.overlaps for each in scores if each.overlaps is not None]
    right = right_at(curves)
    classes = np.array([each.class_index for each in scores])
    stored = [np.mean([each.box_iou >= least for least in IOUS]) for each in scores]
    by_class = sum(right[classes == k].mean(axis=0).max() * (classes == k).sum() for k in np.unique(classes))
    return {
        "one_box": _rounded(100 * np.mean(stored)),
        "max_box_acc_v2": _rounded(max_box_acc_v2(curves)),
        "oracle_all": _rounded(right.mean(axis=0).max()),
        "oracle_class": _rounded(by_class / len(right)),
        "oracle_image": _rounded(right.max(axis=1).mean()),
        "pointing": _rounded(100 * np.mean([each.pointed for each in scores])),
        "area_over_truth": round(float(np.median([_area_over_truth(each) for each in scores])), 2),
        "boxes": len(scores),
        "by_size": by_size(scores),
    }


def by_size(scores: Sequence[Score]) -> list[list[float]]:
    """Of each bin of `SIZES`: how many classes in images have such an object, and how many boxes are right, in %."""
    areas = np.array([each.area for each in scores])
    right = np.array([np.mean([each.box_iou >= least for least in IOUS]) for each in scores])
    rows = []
    for low, high in pairwise(SIZES):
        within = (areas >= low) & (areas < high)
        rows.append([int(within.sum()), _rounded(100 * right[within].mean()) if within.any() else 0.0])
    return rows


def _area_over_truth(score: Score) -> float:
    if score.prediction.box is None:
        return 0.0
    x0, y0, x1, y1 = score.prediction.box
    return float((x1 - x0) * (y1 - y0) / (score.area * score.size[0] * score.size[1]))


def detection(network: ModelFile, held_out: LabelledImages) -> dict[str, float]:
    """How many classes that images show, and do not show, are detected; and how many background images have none."""
    localizer = Localizer(network)
    things = [k for k in range(len(network.card.labels)) if k not in network.card.background]
    shown, said = [], []
    for result, targets in zip(localizer.locate_many(held_out.paths, classes=things), held_out.targets, strict=True):
        if result.error is None:
            shown.append(targets[things] > 0)
            said.append([each.detected for each in result.predictions])
    there, detected = np.array(shown), np.array(said)
    empty = ~there.any(axis=1)
    found = {"present": _rounded(100 * detected[there].mean())}
    if (~there).any():
        found["absent"] = _rounded(100 * detected[~there].mean())
    if empty.any():
        found["background_without"] = _rounded(100 * (~detected[empty].any(axis=1)).mean())
    return found


def _rounded(value: SupportsFloat) -> float:
    return round(float(value), 1)


def table() -> str:
    """All sets, for the page."""
    rows = read("own_data")["sets"]
    lines = [
        "| set | classified | one box: `fast` | `balanced` | `best` | MaxBoxAccV2 | best threshold: for all | "
        "a class | an image | pointing | box area / truth | AP50 known / unknown | detected: present / absent / "
        "nothing on background | seconds of `fit` |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, words in SETS.items():
        if name not in rows:
            continue
        row = rows[name]
        each = row["presets"]["balanced"]
        one = " | ".join(f"{row['presets'].get(preset, {}).get('one_box', '')}" for preset in PRESETS)
        seen = row["detected"]
        lines.append(
            f"| {name}: {words} | {next(iter(row.get('classification', {}).values()), '')} | {one} | "
            f"{each['max_box_acc_v2']} | {each['oracle_all']} | {each['oracle_class']} | {each['oracle_image']} | "
            f"{each['pointing']} | {each['area_over_truth']} | {row['ap50_known']} / {row['ap50_unknown']} | "
            f"{seen['present']} / {seen.get('absent', '')} / {seen.get('background_without', '')} | "
            f"{row.get('seconds', '')} |"
        )
    chosen = [f"- {name}: {row['localizes']}" for name, row in rows.items() if "localizes" in row]
    return "\n".join([*lines, "", *chosen]) + "\n"


def main() -> None:
    """Measures, and writes the results after each set."""
    ask = argparse.ArgumentParser()
    ask.add_argument("sets", nargs="*", choices=[*SETS, []], default=[])
    ask.add_argument("--models", type=Path)
    given = ask.parse_args()
    known = RESULTS / "own_data.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")).get("sets", {}) if known.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.sets or SETS:
            if not (DATA / name).is_dir():
                print(f"{name}: no images at {DATA / name} (set BOXLESS_DATA)")
                continue
            models = given.models or Path(folder)
            models.mkdir(parents=True, exist_ok=True)
            rows[name] = {**rows.get(name, {}), **measured(name, models / f"{name}.onnx")}
            print(name, json.dumps(rows[name]), flush=True)
            sets = {each: rows[each] for each in SETS if each in rows}
            write_results("own_data", {"sets": sets}, part=name, parts=sets)


if __name__ == "__main__":
    main()
