"""How well labels choose localization heads: python -m benchmarks.own_data_choice [SET ...]

For each set of `benchmarks.own_data`, heads are learned as `boxless fit` learns them, at 448 and 896 pixels, and
measured on at most 150 images of `val`. Then every variant of the score chooses on all sets but one, and is measured on
the one left out. Writes benchmarks/results/own_data_choice.json; sets that are not named stay as they were.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import write_results
from benchmarks.own_data import SETS, split, truth
from benchmarks.provenance import RESULTS
from boxless.datasets.boxed import BoxedImage
from boxless.evaluation.box_accuracy import IOUS
from boxless.export.backbone import Backbone
from boxless.learning.head import scale as scale_heads
from boxless.learning.head.cells import read_cells
from boxless.learning.head.features import here
from boxless.learning.head.few_boxes import HEAD_THRESHOLD
from boxless.learning.head.self_training import SHARES
from boxless.maps.boxes import boxes_in_map, iou
from boxless.maps.refine import resize_maps
from boxless.models.zoo import DEFAULT_MODEL

Floats = NDArray[np.float32]

SCALES = (448, 896)
_IMAGES = 150
"""Of `val`, at most."""

_BOX_GRID = 320
"""Pixels of the longer side of the map that boxes are cut from, as in results."""

VARIANTS = {
    "contrast x agreement x separation": ("contrast", "agreement", "separation"),
    "contrast x agreement": ("contrast", "agreement"),
    "agreement x separation": ("agreement", "separation"),
    "contrast x separation": ("contrast", "separation"),
    "agreement": ("agreement",),
}
"""Scores to choose by, as products of the figures of `Evidence`."""

BOUNDS = (1.0, 1.02, 1.1)
"""How many times the score of the smaller scale the larger one has to have."""

Rows = Mapping[str, Mapping[str, list[dict[str, float]]]]


def measured(name: str) -> dict[str, list[dict[str, float]]]:
    """For each scale a row per share: the scores by labels, mean over classes, and what one box gives, in percent."""
    learned, _ = split(name)
    trunk = Backbone(DEFAULT_MODEL)
    teacher = scale_heads.Heads(trunk, learned, here, 0, lambda *_: None, {}).at(SCALES[0])
    boxed = truth(name, replace(trunk.card, labels=learned.classes, class_ids=(), background=learned.background))
    images = [each for each in boxed.images if len(each.boxes)]
    paths = sorted({each.path for each in images})
    some = set(np.random.default_rng(0).permutation(np.array(paths))[:_IMAGES].tolist())
    images = [each for each in images if each.path in some]
    found = {}
    for scale in SCALES:
        at = scale_heads.learn_at(trunk, teacher, learned, scale, trunk.card.preset("balanced").refinement_steps)
        if not at.classes:
            continue
        right: dict[float, list[float]] = {share: [] for share in SHARES}
        files = sorted(some)
        read = read_cells(trunk, teacher, files, [[]] * len(files), scale, 1, scale_heads.MARGIN)
        cells = {path: each for path, each in zip(files, read, strict=True) if each is not None}
        for image in images:
            candidates = at.classes.get(image.class_index)
            if candidates is None or image.path not in cells:
                continue
            linear = [candidates.heads[share] for share in SHARES]
            maps = cells[image.path].probabilities(
                np.stack([each.weight for each in linear]), np.array([each.bias for each in linear], np.float32)
            )
            for share, each in zip(SHARES, maps, strict=True):
                right[share].append(_right(each, image))
        found[str(scale)] = [
            {
                "share": share,
                **{
                    key: round(float(np.mean([getattr(c.evidence[share], key) for c in at.classes.values()])), 4)
                    for key in ("contrast", "agreement", "separation", "area")
                },
                "cells": round(float(np.mean([c.cells[share] for c in at.classes.values()]))),
                "allowed": share in at.shares,
                "score": round(float(np.mean([c.evidence[share].score for c in at.classes.values()])), 4),
                "one_box": round(100 * float(np.mean(right[share])), 1),
            }
            for share in SHARES
        ]
    return found


def _right(probability: Floats, image: BoxedImage) -> float:
    """The share of IoU 0.3, 0.5 and 0.7 that the best component's box passes."""
    height, width = image.size
    grid = _BOX_GRID / max(height, width)
    fine = resize_maps(probability[None], max(1, round(height * min(1, grid))), max(1, round(width * min(1, grid))))[0]
    boxes = boxes_in_map(fine, HEAD_THRESHOLD, height, width)
    if not boxes:
        return 0.0
    best = float(iou(np.array([boxes[0].xyxy], np.float32), image.boxes).max())
    return float(np.mean([best >= least for least in IOUS]))


def choice(
    scales: Mapping[str, list[dict[str, float]]], variant: str, smooth: bool, bound: float
) -> tuple[str, dict[str, float]]:
    """The scale and the row that a variant chooses on a set."""
    best: dict[str, tuple[float, dict[str, float]]] = {}
    for scale, each in scales.items():
        rows = [row for row in each if row.get("allowed", True)]
        scores = np.array([np.prod([row[key] for key in VARIANTS[variant]]) for row in rows])
        if smooth:
            padded = np.pad(scores, 1, mode="edge")
            scores = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        best[scale] = float(scores.max()), rows[int(scores.argmax())]
    first, *rest = best
    chosen = next((scale for scale in rest if best[scale][0] > bound * best[first][0]), first)
    return chosen, best[chosen][1]


def left_out(rows: Rows) -> dict[str, dict[str, Any]]:
    """For each set: the variant with the best mean on the others, and what it gives on this one."""
    ways = [(variant, smooth, bound) for variant in VARIANTS for smooth in (False, True) for bound in BOUNDS]
    found = {}
    for name in rows:
        others = [each for each in rows if each != name]
        means = {way: np.mean([choice(rows[each], *way)[1]["one_box"] for each in others]) for way in ways}
        way = max(ways, key=lambda each: means[each])
        scale, row = choice(rows[name], *way)
        ours_scale, ours = choice(rows[name], *ways[0][:1], True, 1.02)
        found[name] = {
            "variant": way[0] + (", smoothed" if way[1] else ""), "bound": way[2],
            "scale": scale, "share": row["share"], "one_box": row["one_box"],
            "default_scale": ours_scale, "default_share": ours["share"], "default_one_box": ours["one_box"],
            "best": max(each["one_box"] for scale_rows in rows[name].values() for each in scale_rows),
        }  # fmt: skip
    return found


def main() -> None:
    """Measures the sets that are asked for, and writes results and the choices."""
    ask = argparse.ArgumentParser()
    ask.add_argument("sets", nargs="*", choices=[*SETS, []], default=[])
    known = RESULTS / "own_data_choice.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8")).get("sets", {}) if known.exists() else {}
    for name in ask.parse_args().sets or SETS:
        rows[name] = measured(name)
        print(name, json.dumps(rows[name]), flush=True)
        write_results("own_data_choice", {"sets": rows, "left_out": left_out(rows) if len(rows) > 1 else {}})


if __name__ == "__main__":
    main()
