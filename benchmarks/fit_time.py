"""How long the command `boxless fit` takes, from the first line to the report. python -m benchmarks.fit_time

Five sets of images, each twice: first with nothing kept from before, then again with what the network saw on disk.
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
from PIL import Image

from benchmarks.facts import DATA, write_results
from benchmarks.meter import processor_seconds
from boxless.datasets.split import read_split
from boxless.imaging.read import read_image, resize_pixels

SETS = {
    "ten classes of Tiny ImageNet": ("tiny10/train", "tiny10/val", None),
    "defects of magnetic tiles": ("magnetic-tile/train", "magnetic-tile/val", None),
    "the same, boxes given": ("magnetic-tile/train", "magnetic-tile/val", "magnetic-tile/val.json"),
    "playing cards": ("cards/labels.csv", "val", None),
}
"""By name: what is learned from, what is held out, and boxes."""


MANY, SIDE = 3000, 224


def main() -> None:
    """Measures and writes benchmarks/results/fit_time.json."""
    rows = []
    for name, (images, val, boxes) in SETS.items():
        held_out = val if images.endswith(".csv") else str(DATA / val)
        rows.append(measured(name, DATA / images, held_out, DATA / boxes if boxes else None))
    with tempfile.TemporaryDirectory() as folder:
        many = turned(Path(folder) / "tiles")
        rows.append(measured(f"{MANY:,} images made of the tiles, turned and cropped", many, "0.2", None))
    write_results("fit_time", {"figures": rows})


def measured(name: str, images: Path, held_out: str, boxes: Path | None) -> dict[str, object]:
    """A row of the table."""
    training, validation = read_split(images, held_out)
    paths = [*training.paths, *validation.paths]
    command = [str(images), "--val", held_out, *(["--boxes", str(boxes)] if boxes else [])]
    with tempfile.TemporaryDirectory() as folder:
        load = os.getloadavg()[0]
        (first, first_cpu), (again, again_cpu) = (seconds(command, Path(folder)) for _ in range(2))
    row: dict[str, object] = {
        "set": name,
        "pictures": len(paths),
        "classes": len(training.classes),
        "pixels": median_pixels(paths),
        "first_s": first,
        "first_cpu_s": first_cpu,
        "again_s": again,
        "again_cpu_s": again_cpu,
        "load_before": round(load, 2),
    }
    print(row, flush=True)
    return row


def turned(folder: Path) -> Path:
    """`MANY` images of `SIDE` pixels a side, a folder a class: tiles of both splits, turned, cropped."""
    tiles = sorted((DATA / "magnetic-tile").glob("*/*/*.jpg"))
    random = np.random.default_rng(0)
    for i in range(MANY):
        tile = tiles[i % len(tiles)]
        pixels = np.rot90(read_image(tile).pixels, i // len(tiles))
        height, width = (round(side * random.uniform(0.8, 1)) for side in pixels.shape[:2])
        y = int(random.integers(0, pixels.shape[0] - height + 1))
        x = int(random.integers(0, pixels.shape[1] - width + 1))
        part = np.ascontiguousarray(pixels[y : y + height, x : x + width])
        out = folder / tile.parent.name / f"{i}.jpg"
        out.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(resize_pixels(part, SIDE, SIDE)).save(out, quality=90)
    return folder


def seconds(arguments: Sequence[str], folder: Path) -> tuple[float, float]:
    """Of one run of the command, in a process of its own: wall clock and CPU time."""
    code = "from boxless.cli import main; main()"
    command = [sys.executable, "-c", code, "fit", *arguments, "--out", str(folder / "own.onnx"), "--force"]
    start, before = time.perf_counter(), processor_seconds()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BOXLESS_CACHE": str(folder / "kept")})
    return time.perf_counter() - start, processor_seconds() - before


def median_pixels(paths: Sequence[Path]) -> list[int]:
    """The median height and width of some of the images."""
    shapes = [(each.height, each.width) for each in map(read_image, paths[:: max(1, len(paths) // 50)])]
    return [int(each) for each in np.median(shapes, axis=0)]


if __name__ == "__main__":
    main()
