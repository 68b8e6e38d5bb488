"""Average precision of models that learned from labels alone. python -m benchmarks.average_precision FOLDER

`boxless fit` on the labels of `cards` and `magnetic-tile`, as its defaults have it, then all boxes of the presets fast
and balanced on the held-out pictures, with classes known and unknown. No box was used before the measuring. The models
are kept in FOLDER, and not fitted again where they are there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.facts import DATA, write_results
from boxless.datasets.split import read_split
from boxless.evaluation.side_by_side import compare_models
from boxless.learning.head.fit import fit

SETS = {
    "cards": (DATA / "cards/labels.csv", None, DATA / "cards/val.json"),
    "magnetic-tile": (DATA / "magnetic-tile/train", str(DATA / "magnetic-tile/val"), DATA / "magnetic-tile/val.json"),
}
"""Where labels, held-out labels, and held-out boxes are."""

PRESETS = ("fast", "balanced")


def main() -> None:
    """Measures and writes benchmarks/results/average_precision.json."""
    rows: dict[str, Any] = {}
    for name, (labels, held_out, boxes) in SETS.items():
        model = Path(sys.argv[1], f"{name}.onnx")
        if not model.is_file():
            fit(*read_split(labels, held_out), model)
        rows[name] = {preset: compare_models(boxes, [str(model)], preset).as_dict() for preset in PRESETS}
        for preset, row in rows[name].items():
            for mode, some in row["modes"].items():
                (figures,) = some["models"].values()
                print(name, preset, mode, {key: figures[key] for key in ("ap_30", "ap_50", "ap_50_95")}, flush=True)
    write_results("average_precision", {"figures": rows})


if __name__ == "__main__":
    main()
