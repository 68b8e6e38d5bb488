"""What refines class maps: a study of ideas, as rows of data. python -m benchmarks.refinement

Every idea locates the true class in the same images, from the same features. Writes a table for docs/accuracy.md
and benchmarks/results/refinement.json.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from rich.progress import track

from benchmarks.facts import DATA, read, write_results
from benchmarks.localization import interval
from boxless import Localizer
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import class_maps
from boxless.maps.refine import affinity, resize_maps, walk
from boxless.models import zoo

Floats: TypeAlias = NDArray[np.float32]

ONE = ("stage5",)
TWO = ("stage4", "stage5")
THREE = ("stage3", "stage4", "stage5")
FOUR = ("stage3", "stage4", "stage5", "stage6")
SCALES = (224, 448, 576)


@dataclass(frozen=True)
class Pass:
    """The outputs of one pass: the class map (1, h, w), the layers (c, h', w'), the most probable class."""

    class_map: Floats
    layers: dict[str, Floats]
    top1: int


Passes: TypeAlias = dict[tuple[int, bool], Pass]  # by side, and whether mirrored


@dataclass(frozen=True)
class Idea:
    """A way from passes to a refined map.

    Attributes:
        words: what it is.
        scales: of the passes whose class maps are averaged; the largest gives the affinity.
        layers: of the affinity; none leaves the map as it is.
        exponent: of the affinity.
        steps: of the random walk.
        square: the affinity is from the fine grid to itself, not from the class map's grid.
        mirrored: whether mirrored passes are averaged too.
        each: the map of each pass is refined by itself, and the refined maps are averaged.
        gamma: the map's exponent before the refinement.
        kept: whether boxless does it.
    """

    words: str
    scales: tuple[int, ...] = (224, 448)
    layers: tuple[str, ...] = FOUR
    exponent: float = 3.0
    steps: int = 4
    square: bool = False
    mirrored: bool = False
    each: bool = False
    gamma: float = 1.0
    kept: bool = False

    def refined(self, passes: Passes) -> Floats:
        """The refined map (u, v), not negative."""
        if self.each:
            parts = [self._refined(passes[side, False], passes[side, False].class_map) for side in self.scales]
            finest = parts[-1].shape[1:]
            return np.asarray(np.mean([resize_maps(part, *finest) for part in parts], axis=0)[0], np.float32)
        last = passes[self.scales[-1], False]
        grid = last.class_map.shape[1:]
        chosen = [passes[side, flip].class_map for side in self.scales for flip in {False, self.mirrored}]
        together: Floats = np.asarray(np.mean([resize_maps(each, *grid) for each in chosen], axis=0), np.float32)
        return np.asarray(self._refined(last, together)[0], np.float32)

    def _refined(self, one: Pass, class_map: Floats) -> Floats:
        positive: Floats = np.maximum(class_map, 0.0) ** np.float32(self.gamma)
        if not self.layers:
            return positive
        u, v = one.layers["stage5"].shape[1:]
        coarse = (u, v) if self.square else (class_map.shape[1], class_map.shape[2])
        rows = affinity([one.layers[name] for name in self.layers], (u, v), coarse, self.exponent)
        return walk(resize_maps(positive, *coarse), rows, self.steps)


IDEAS = [
    Idea("class map alone, 224", (224,), ()),
    Idea("class map alone, 448", (448,), ()),
    Idea("class maps alone, 224 and 448 averaged", layers=()),
    Idea("refined over one layer, 224", (224,), ONE, 3, 2, square=True),
    Idea("refined over one layer", layers=ONE, steps=2, square=True),
    Idea("each pass refined over one layer, then averaged", layers=ONE, steps=2, square=True, each=True),
    Idea("one layer, exponent 2", layers=ONE, exponent=2, steps=2, square=True),
    Idea("one layer, exponent 5", layers=ONE, exponent=5, steps=2, square=True),
    Idea("one layer, 1 step", layers=ONE, steps=1, square=True),
    Idea("one layer, 4 steps", layers=ONE, steps=4, square=True),
    Idea("one layer, map to the power 0.5 before", layers=ONE, steps=2, square=True, gamma=0.5),
    Idea("one layer, map to the power 2 before", layers=ONE, steps=2, square=True, gamma=2),
    Idea("one layer, mirrored passes added", layers=ONE, steps=2, square=True, mirrored=True),
    Idea("two layers, exponent 2", layers=TWO, exponent=2, steps=2, square=True),
    Idea("three layers, exponent 2", layers=THREE, exponent=2, steps=2, square=True),
    Idea("four layers, exponent 2", layers=FOUR, exponent=2, steps=2, square=True),
    Idea("four layers, exponent 2, 224", (224,), FOUR, 2, 3, square=True),
    Idea("four layers, coarse columns, exponent 2, 2 steps", exponent=2, steps=2),
    Idea("four layers, coarse columns, exponent 2.5, 3 steps", exponent=2.5, steps=3),
    Idea("four layers, coarse columns, exponent 3, 4 steps, 224 (`fast`)", (224,), kept=True),
    Idea("four layers, coarse columns, exponent 3, 4 steps (`balanced`)", kept=True),
    Idea("the same, mirrored passes added", mirrored=True),
    Idea("the same of 448 alone", (448,)),
    Idea("576 added (`best`)", SCALES, kept=True),
]


class Study:
    """The embedded model with its layers as outputs."""

    def __init__(self) -> None:
        model = onnx.load(zoo.models()[zoo.DEFAULT_MODEL])
        tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._weight = numpy_helper.to_array(tensors["head_weight"])
        features = next(node.input[0] for node in model.graph.node if "head_pooled" in node.output)
        self._names = ["logits", features, *(f"network/{name}" for name in FOUR)]
        for name in self._names[1:]:
            model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        options = ort.SessionOptions()
        options.log_severity_level = 3
        self._session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def passes(self, image: Path, class_index: int) -> Passes:
        """All passes over an image for a class; the maps and layers of mirrored ones are turned back."""
        pixels = read_image(image).pixels
        return {
            (side, flip): self.one_pass(pixels, class_index, side, flip)
            for side in SCALES
            for flip in ((False, True) if side < 576 else (False,))
        }

    def one_pass(self, pixels: NDArray[np.uint8], class_index: int, side: int, flip: bool) -> Pass:
        """One pass over an image, squeezed to a square of that side, for a class."""
        square = resize_pixels(pixels, side, side)
        feed = {
            "image": np.asarray(cv2.flip(square, 1) if flip else square)[None],
            "size": np.array([side, side]),
            "classes": np.array([], np.int64),
            "top": np.array([1]),
        }
        logits, *maps = self._session.run(self._names, feed)
        features, *layers = (each[0, :, :, :: -1 if flip else 1] for each in maps)
        class_map = class_maps(features, self._weight[class_index : class_index + 1])
        return Pass(class_map, dict(zip(FOUR, layers, strict=True)), int(logits[0].argmax()))


def accuracy(study: Study, images: Sequence[BoxedImage]) -> dict[str, Any]:
    """How well every idea locates on every image, and top-1 by side."""
    found: dict[str, list[Overlaps]] = {idea.words: [] for idea in IDEAS}
    right = dict.fromkeys(SCALES, 0)
    for image in track(images, "images"):
        passes = study.passes(image.path, image.class_index)
        for side in SCALES:
            right[side] += passes[side, False].top1 == image.class_index
        for idea in IDEAS:
            scores = resize_maps(idea.refined(passes)[None], 227, 227)[0]
            found[idea.words].append(overlaps(scores, image.boxes))
    figures = {}
    for words, each in found.items():
        figures[words] = {
            "max_box_acc_v2": max_box_acc_v2(each),
            "interval": interval(each, draws=200),
            "halves": [max_box_acc_v2(half) for half in (each[::2], each[1::2])],
            "one_box": float(one_box_accuracy(each).max()),
        }
    top1 = {str(side): 100 * count / len(images) for side, count in right.items()}
    return {"pictures": len(images), "top1": top1, "figures": figures}


def costs(study: Study, images: Sequence[BoxedImage]) -> dict[str, float]:
    """The median ms an image of every idea: its passes, and its refinement in NumPy."""
    times: dict[str, list[float]] = {idea.words: [] for idea in IDEAS}
    for image in track(images, "costs"):
        pixels = read_image(image.path).pixels
        passes, cost = {}, {}
        for side, flip in [(side, flip) for side in SCALES for flip in (False, True)]:
            start = time.perf_counter()
            passes[side, flip] = study.one_pass(pixels, image.class_index, side, flip)
            cost[side, flip] = time.perf_counter() - start
        for idea in IDEAS:
            start = time.perf_counter()
            idea.refined(passes)
            refinement = time.perf_counter() - start
            looked = sum(cost[side, flip] for side in idea.scales for flip in {False, idea.mirrored})
            times[idea.words].append(1e3 * (looked + refinement))
    return {words: float(np.median(each)) for words, each in times.items()}


def table() -> str:
    """The ideas, what each adds and costs."""
    data = read("refinement")
    lines = [
        "| idea | MaxBoxAccV2 % | 95 % interval | halves | one box % | ms | kept |",
        "|---|---|---|---|---|---|---|",
    ]
    for idea in IDEAS:
        row, ms = data["figures"][idea.words], data["ms"][idea.words]
        (low, high), halves = row["interval"], ", ".join(f"{half:.1f}" for half in row["halves"])
        boxes = f"{row['max_box_acc_v2']:.1f} | {low:.1f} to {high:.1f} | {halves} | {row['one_box']:.1f}"
        lines.append(f"| {idea.words} | {boxes} | {ms:.0f} | {'yes' if idea.kept else ''} |")
    top1 = ", ".join(f"{value:.1f} at {side}" for side, value in data["top1"].items())
    return "\n".join([*lines, "", f"Top-1 in percent by side: {top1}."]) + "\n"


def main() -> None:
    """Measures every idea on every image; takes a quarter of an hour on two cores."""
    folder = DATA / "ilsvrc-dev"
    if not folder.is_dir():
        sys.exit(f"no images to measure on: {folder} is missing (set BOXLESS_DATA)")
    images = read_dataset(folder / "annotations.json", Localizer().card, images=folder / "images").images
    study = Study()
    data = accuracy(study, images) | {"ms": costs(study, images[:30])}
    write_results("refinement", data)


if __name__ == "__main__":
    main()
