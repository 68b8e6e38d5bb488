"""Sets the detection thresholds, in the model files that come with boxless.

    python -m tools.zoo_thresholds

The pictures: `ilsvrc-dev` under BOXLESS_DATA, whose classes are known, and blank ones. `tools/build_zoo.py` does the
same for files that it builds anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from benchmarks.facts import DATA
from tools.plain_inputs import ZOO, write_checksums

from boxless import ModelFile
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.detection_thresholds import set_detection_thresholds
from boxless.export.assemble import write_card
from boxless.models import zoo

_DRAWS = 8


def write_thresholds(file: Path, images: Sequence[BoxedImage], named: str) -> None:
    """Writes a model file's card anew, with thresholds for each of its presets."""
    network = ModelFile(file, threads=1)
    shown = np.zeros((len(images), len(network.card.labels)), bool)
    shown[np.arange(len(images)), [each.class_index for each in images]] = True
    presets = {}
    for name in network.card.presets:
        presets[name], found = set_detection_thresholds(
            network, name, [each.path for each in images], shown, named, _DRAWS
        )
        print(file.stem, name, found, flush=True)
    write_card(file, replace(network.card, presets=presets))


def main() -> None:
    """Does so for every model of the zoo, and writes the checksums."""
    truth = DATA / "ilsvrc-dev"
    if not truth.is_dir():
        sys.exit(f"no images to set thresholds on: {truth} is missing (set BOXLESS_DATA)")
    for file in zoo.models().values():
        images = read_dataset(truth / "annotations.json", ModelFile(file).card, images=truth / "images").images
        write_thresholds(file, images, f"ilsvrc-dev ({len(images)} pictures)")
    write_checksums(ZOO)


if __name__ == "__main__":
    main()
