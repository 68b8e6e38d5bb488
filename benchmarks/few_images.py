"""Own classes from few images. python -m benchmarks.few_images [SET ...]

For each set of `benchmarks.own_data`, N training images of each class are drawn by lot, `boxless fit` learns from them
with its defaults, and all of `val` is measured: classification, and one box by `balanced`. Writes
benchmarks/results/few_images.json and a table of docs/limits.md; what is measured already is kept: remove it to measure
anew.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.facts import read, write_results
from benchmarks.own_data import SETS, figures_of, split, truth
from benchmarks.provenance import RESULTS
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.predict import measure_model
from boxless.learning.head.fit import fit
from boxless.models.model_file import ModelFile

IMAGES = (10, 20, 50, 100, 300)


def drawn(images: LabelledImages, count: int) -> LabelledImages:
    """At least `count` images of each class; with several labels an image counts for each of its classes."""
    random = np.random.default_rng(0)
    chosen: set[int] = set()
    for k in np.argsort(images.counts):
        mine = random.permutation(np.flatnonzero(images.targets[:, k]))
        there = len(chosen.intersection(mine.tolist()))
        chosen.update([i for i in mine.tolist() if i not in chosen][: max(0, count - there)])
    return images.only(np.array(sorted(chosen)))


def measured(name: str, count: int, models: Path) -> dict[str, float]:
    """What so many images of each class give, in percent."""
    training, validation = split(name)
    some = drawn(training, count)
    made = fit(some, validation, models / f"{name}-{count}.onnx")
    network = ModelFile(made.path, threads=1)
    boxed = truth(name, network.card)
    scores = [each for each in measure_model(network, "balanced", boxed.images, boxed.notes) if each.boxed]
    classified = next(iter(made.report.figures.values())).value
    return {"images": len(some), "classified": round(classified, 1), "one_box": figures_of(scores)["one_box"]}


def table() -> str:
    """Classified right and one box right, by images of each class."""
    rows = read("few_images")["sets"]
    whole = read("own_data")["sets"]
    lines = ["| images of each class | " + " | ".join(rows) + " |", "|---" * (len(rows) + 1) + "|"]
    for count in map(str, IMAGES):
        cells = [
            f"{row[count]['classified']}, boxes {row[count]['one_box']}" if count in row else ""
            for row in rows.values()
        ]
        if any(cells):
            lines.append(f"| {count} | " + " | ".join(cells) + " |")
    cells = []
    for name in rows:
        classified = next(iter(whole[name]["classification"].values()))
        cells.append(f"{classified}, boxes {whole[name]['presets']['balanced']['one_box']}")
    lines.append("| all | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, and writes the results after each number of images."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("sets", nargs="*", choices=[*SETS, []], default=[])
    ask.add_argument("--models", type=Path, help="folder to keep models in")
    given = ask.parse_args()
    known = RESULTS / "few_images.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))["sets"] if known.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        models = given.models or Path(folder)
        models.mkdir(parents=True, exist_ok=True)
        for count in IMAGES:
            for name in given.sets or SETS:
                training, _ = split(name)
                if str(count) in rows.get(name, {}) or count >= training.counts.max():
                    continue
                rows.setdefault(name, {})[str(count)] = measured(name, count, models)
                print(name, count, rows[name][str(count)], flush=True)
                parts = [f"{each}, {number}" for each, of in rows.items() for number in of]
                write_results("few_images", {"sets": rows}, part=f"{name}, {count}", parts=parts)


if __name__ == "__main__":
    main()
