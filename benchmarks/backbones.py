"""What a larger backbone gives and costs. python -m benchmarks.backbones IMAGES FILES...

Model files that name the classes of ImageNet, such as those that `tools.build_zoo` makes of EfficientNet-Lite2, beside
the EfficientNet-Lite0 that comes with boxless: boxes, with the true class given, and top-1 by the sides of
the looks, on that many pictures of `ilsvrc-dev`; top-1 on `photos`, which have their full size; processor time over one
look of Lite0 at 224; bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.progress import track

from benchmarks.facts import DATA, write_results
from benchmarks.full_size import Named, in_shape, photos
from benchmarks.second_look import FLOAT, TIMED, Look, accuracy, passes
from boxless.datasets.boxed import read_dataset
from boxless.imaging.read import read_image
from boxless.models.model_file import ModelFile
from boxless.system.machine import has_vnni

NAMING = (224, 256, 288)
"""Sides of the look that names."""

FINDING: tuple[tuple[int, ...], ...] = (
    (224,),
    (256,),
    (224, 448),
    (256, 512),
)
"""Sides of looks whose class maps are averaged."""


def named(networks: Mapping[str, ModelFile], images: Sequence[Named]) -> dict[str, dict[str, float]]:
    """Top-1 in percent, by model and side."""
    right = {name: dict.fromkeys(map(str, NAMING), 0) for name in networks}
    for image in track(images, "naming"):
        pixels = read_image(image.path).pixels
        for side in NAMING:
            seen = in_shape(pixels, side)
            for name, network in networks.items():
                said = network.run(seen, size=(seen.shape[0], seen.shape[1]), classes=[], top=1).chosen[0]
                right[name][str(side)] += int(said) == image.class_index
    return {name: {side: 100 * count / len(images) for side, count in row.items()} for name, row in right.items()}


def main() -> None:
    """Measures and writes benchmarks/results/backbones.json."""
    opened = [ModelFile(file, threads=1) for file in (FLOAT, *sys.argv[2:])]
    networks = {network.card.name: network for network in opened}
    folder = DATA / "ilsvrc-dev"
    images = read_dataset(folder / "annotations.json", networks[FLOAT].card, images=folder / "images").images
    some = [images[i] for i in np.linspace(0, len(images) - 1, int(sys.argv[1])).round().astype(int)]
    rows: list[tuple[Look, ...]] = [
        tuple((name, side) for side in sides)
        for name in networks
        for sides in FINDING
        if len(sides) == 2 or not name.endswith("-int8")
    ]
    costs = passes(networks, images[:TIMED], rows)
    print(costs, flush=True)
    results: dict[str, Any] = {
        "vnni": has_vnni(),
        "bytes": {name: network.path.stat().st_size for name, network in networks.items()},
        "passes": costs,
        "pictures": len(some),
        "rows": accuracy(networks, some, rows),
        "photos": named(networks, photos(networks[FLOAT])),
    }
    print(*results["rows"], results["photos"], sep="\n")
    write_results("backbones", results)


if __name__ == "__main__":
    main()
