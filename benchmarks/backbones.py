"""What a larger backbone gives and costs. python -m benchmarks.backbones IMAGES FILES...

FILES are models of the classes of ImageNet, such as those that `tools.build_zoo` makes of EfficientNet-Lite2. They are
measured beside the EfficientNet-Lite0 that comes with boxless: boxes, with the true class given, and top-1, by scale,
on that many images of `ilsvrc-dev`; top-1 on `photos`, which have their full size; CPU time over one pass of Lite0 at
224; bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.facts import DATA, write_results
from benchmarks.full_size import Photo, in_shape, photos
from benchmarks.passes import FLOAT, TIMED, Pass, accuracy, costs
from boxless.datasets.boxed import read_dataset
from boxless.imaging.read import read_image
from boxless.models.model_file import ModelFile
from boxless.system.machine import has_vnni

SIDES = (224, 256, 288)
"""Sides of the pass that classifies."""

SCALES: tuple[tuple[int, ...], ...] = (
    (224,),
    (256,),
    (224, 448),
    (256, 512),
)
"""Sides of passes whose class maps are averaged."""


def top1(networks: Mapping[str, ModelFile], images: Sequence[Photo]) -> dict[str, dict[str, float]]:
    """Top-1 in percent, by model and side."""
    right = {name: dict.fromkeys(map(str, SIDES), 0) for name in networks}
    for image in track(images, "classifying"):
        pixels = read_image(image.path).pixels
        for side in SIDES:
            view = in_shape(pixels, side)
            for name, network in networks.items():
                first = network.run(view, size=(view.shape[0], view.shape[1]), classes=[], top=1).chosen[0]
                right[name][str(side)] += int(first) == image.class_index
    return {name: {side: 100 * count / len(images) for side, count in row.items()} for name, row in right.items()}


def main() -> None:
    """Measures and writes benchmarks/results/backbones.json."""
    opened = [ModelFile(file, threads=1) for file in (FLOAT, *sys.argv[2:])]
    networks = {network.card.name: network for network in opened}
    folder = DATA / "ilsvrc-dev"
    images = read_dataset(folder / "annotations.json", networks[FLOAT].card, images=folder / "images").images
    some = [images[i] for i in np.linspace(0, len(images) - 1, int(sys.argv[1])).round().astype(int)]
    rows: list[tuple[Pass, ...]] = [
        tuple((name, side) for side in sides)
        for name in networks
        for sides in SCALES
        if len(sides) == 2 or not name.endswith("-int8")
    ]
    measured = costs(networks, images[:TIMED], rows)
    print(measured, flush=True)
    results: dict[str, Any] = {
        "vnni": has_vnni(),
        "bytes": {name: network.path.stat().st_size for name, network in networks.items()},
        "passes": measured,
        "pictures": len(some),
        "rows": accuracy(networks, some, rows),
        "photos": top1(networks, photos(networks[FLOAT])),
    }
    print(*results["rows"], results["photos"], sep="\n")
    write_results("backbones", results)


if __name__ == "__main__":
    main()
