"""Whether a class survives without what was found, and how holes are best filled. python -m benchmarks.surroundings

Four sets: the tutorial's trap, in which each class always stands on the same ground; the same with mixed grounds;
`magnetic-tile` and a part of `tiny10`. The models are those of `boxless fit`, and so are the figures.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from examples.backgrounds import write_folder
from numpy.typing import NDArray

from benchmarks.facts import DATA, write_results
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.split import read_split
from boxless.learning.head.fit import fit
from boxless.learning.report.held_out import HeldOut, measure
from boxless.learning.report.surroundings import OcclusionResult, filled, occlusion_test
from boxless.models.model_file import ModelFile

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LEARNED, HELD = 20, 10
"""Images of each class of tiny10."""


def by_mean(pixels: Pixels, hole: Mask) -> Pixels:
    """The hole in the mean colour of the rest."""
    colour = pixels[~hole].mean(axis=0) if not hole.all() else np.full(3, 127.0)
    return np.asarray(np.where(hole[..., None], colour, pixels), np.uint8)


def by_inpainting(pixels: Pixels, hole: Mask) -> Pixels:
    """The hole painted from its border inwards (Telea, 2004)."""
    return np.asarray(cv2.inpaint(pixels, hole.view(np.uint8), 5, cv2.INPAINT_TELEA), np.uint8)


FILLS: dict[str, Callable[[Pixels, Mask], Pixels]] = {
    "mean": by_mean,
    "inpainted": by_inpainting,
    "blurred ground": filled,
}
SHIPPED = "blurred ground"

FILLED_ALL_WAYS = ("trap", "mixed")
"""The sets on which the ways are compared: there it is known what distinguishes the classes."""


def learned(training: LabelledImages, validation: LabelledImages, out: Path) -> tuple[ModelFile, HeldOut]:
    """The model of `boxless fit`, and what it reports of the held-out images."""
    fit(training, validation, out)
    network = ModelFile(out)
    return network, measure(network, network.card.default_preset, validation)


def some_of_each(images: LabelledImages, count: int) -> LabelledImages:
    """The first images of each class."""
    return images.only(np.sort(np.concatenate([np.flatnonzero(each > 0)[:count] for each in images.targets.T])))


def sets(folder: Path) -> Iterator[tuple[str, LabelledImages, LabelledImages]]:
    """Name, images to learn from, images to measure on."""
    for name, swapped in (("trap", 0), ("mixed", 12)):
        yield name, *read_split(write_folder(folder / name, swapped=swapped, count=24), "0.34")
    yield "magnetic-tile", *read_split(DATA / "magnetic-tile/train", str(DATA / "magnetic-tile/val"))
    training, validation = read_split(DATA / "tiny10/train", str(DATA / "tiny10/val"))
    yield "tiny10", some_of_each(training, LEARNED), some_of_each(validation, HELD)


def main() -> None:
    """Measures and writes benchmarks/results/surroundings.json."""
    rows: list[dict[str, object]] = []
    classes: dict[str, list[dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as work:
        for name, training, validation in sets(Path(work)):
            network, held_out = learned(training, validation, Path(work) / f"{name}.onnx")
            for fill, how in FILLS.items():
                if fill != SHIPPED and name not in FILLED_ALL_WAYS:
                    continue
                found = occlusion_test(network, network.card.default_preset, held_out, fill=how)
                rows.append({"set": name, "fill": fill, **_means(found)})
                print(rows[-1], flush=True)
            classes[name] = [each.as_dict(training.classes) for each in found]
            print(*classes[name], sep="\n", flush=True)
            write_results("surroundings", {"rows": rows, "classes": classes})  # each set as it comes


def _means(found: tuple[OcclusionResult, ...]) -> dict[str, object]:
    images = sum(each.images for each in found)
    names = ("region", "without", "control", "only")
    means = {n: round(sum(getattr(each, n) * each.images for each in found) / images, 3) for n in names}
    return {"pictures": images, "suspicious": sum(each.suspicious for each in found), "classes": len(found), **means}


if __name__ == "__main__":
    main()
