"""How long own classes take, and how good they become: ten classes of Tiny ImageNet. python -m benchmarks.fit

The head is fitted at 224 and at 448 pixels on 300 images a class of 64 x 64 pixels, and measured on 50 others a
class, which have boxes. Thresholds are those that `boxless fit` stores without boxes.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.facts import DATA, write_results
from benchmarks.meter import processor_seconds
from boxless.datasets.split import read_split
from boxless.evaluation import Evaluation, measure_model, read_dataset
from boxless.export.backbone import Backbone
from boxless.learning.head.features import pooled_features
from boxless.learning.head.fit import fit
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

SIDES = (224, 448)
PRESETS = ("fast", "balanced")


@contextmanager
def empty_cache() -> Iterator[Path]:
    """A folder in which nothing is known yet."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BOXLESS_CACHE"] = folder
        yield Path(folder)


def main() -> None:
    """Measures and writes benchmarks/results/fit.json."""
    training, validation = read_split(DATA / "tiny10/train", str(DATA / "tiny10/val"))
    rows: dict[str, Any] = {}
    for side in SIDES:
        with empty_cache() as folder:
            start = processor_seconds()
            pooled_features(Backbone(DEFAULT_MODEL), [*training.paths, *validation.paths], side)
            features = processor_seconds() - start
            start = processor_seconds()
            made = fit(training, validation, folder / "tiny10.onnx", side=side)
            rest = processor_seconds() - start
            accuracy = made.report.figures["accuracy"]
            row = {
                "features_cpu_s": features,
                "rest_cpu_s": rest,
                "pictures": len(training) + len(validation),
                "accuracy": accuracy.as_dict(),
                "strength": made.head.strength,
                "presets": {name: localization(made.path, name) for name in PRESETS},
            }
            rows[str(side)] = row
            print(side, row, flush=True)
    write_results("fit", {"figures": rows})


def localization(model: Path, preset: str) -> dict[str, Any]:
    """Figures of the boxed held-out images, the class given."""
    network = ModelFile(model, threads=1)
    boxed = read_dataset(DATA / "tiny10/val/annotations.json", network.card)
    start = time.perf_counter()
    scores = list(measure_model(network, preset, boxed.images, boxed.notes))
    seconds = time.perf_counter() - start
    figures = {each.key: each for each in Evaluation.of(boxed, preset, "as stored", scores, draws=300).figures}
    best = figures["max_box_acc_v2"]
    assert best.oracle is not None
    assert best.deployable is not None
    assert best.centre is not None
    return {
        "sides": network.card.preset(preset).scales,
        "max_box_acc_v2": best.oracle.as_dict(),
        "one_box": best.deployable.as_dict(),
        "centre_box": best.centre.as_dict(),
        "ms": 1e3 * seconds / len(scores),
    }


if __name__ == "__main__":
    main()
