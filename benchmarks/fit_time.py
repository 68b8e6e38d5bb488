"""How long the command `boxless fit` takes, from the first line to the report. python -m benchmarks.fit_time

Three sets of pictures, each twice: first with nothing kept from before, then again with what the network saw on disk.
The load of the machine is written beside: on a busy one everything takes longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.facts import DATA, write_results
from boxless.image import read_picture
from boxless.training.split import read_split

SETS = {
    "ten classes of Tiny ImageNet": ("tiny10/train", "tiny10/val", None),
    "defects of magnetic tiles": ("magnetic-tile/train", "magnetic-tile/val", None),
    "the same, boxes given": ("magnetic-tile/train", "magnetic-tile/val", "magnetic-tile/val.json"),
    "playing cards": ("cards/labels.csv", "val", None),
}
"""By name: what is learned from, what is held out, and boxes."""


def main() -> None:
    """Measures and writes benchmarks/results/fit_time.json."""
    rows = []
    for name, (pictures, val, boxes) in SETS.items():
        held_out = val if pictures.endswith(".csv") else str(DATA / val)
        training, validation = read_split(DATA / pictures, held_out)
        paths = [*training.paths, *validation.paths]
        command = [str(DATA / pictures), "--val", held_out, *(["--boxes", str(DATA / boxes)] if boxes else [])]
        with tempfile.TemporaryDirectory() as folder:
            load = os.getloadavg()[0]
            first, again = (seconds(command, Path(folder)) for _ in range(2))
        row = {
            "set": name,
            "pictures": len(paths),
            "classes": len(training.classes),
            "pixels": median_pixels(paths),
            "first_s": first,
            "again_s": again,
            "load_before": round(load, 2),
        }
        print(row, flush=True)
        rows.append(row)
    write_results("fit_time", {"figures": rows})


def seconds(arguments: Sequence[str], folder: Path) -> float:
    """Of one run of the command, in a process of its own, wall clock."""
    code = "from boxless.cli import main; main()"
    command = [sys.executable, "-c", code, "fit", *arguments, "--out", str(folder / "own.onnx"), "--force"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BOXLESS_CACHE": str(folder / "kept")})
    return time.perf_counter() - start


def median_pixels(paths: Sequence[Path]) -> list[int]:
    """The median height and width of some of the pictures."""
    shapes = [(each.height, each.width) for each in map(read_picture, paths[:: max(1, len(paths) // 50)])]
    return [int(each) for each in np.median(shapes, axis=0)]


if __name__ == "__main__":
    main()
