"""Images in their own size: the best shape and scales of passes. python -m benchmarks.full_size PART FOLDER

`photos`, 50 ImageNet images of full size whose class is known: top-1 of one pass, and how far the boxes of other
passes agree with those of three passes. `cards`, photographs of at most 640 pixels with boxes: a model of
`boxless fit`, localized by refined class maps at all scales. `as_fitted`: the same, localized as `boxless fit` decides.
PART is one of the three; models are kept in FOLDER.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.facts import DATA, read, write_results
from benchmarks.localization import interval
from benchmarks.passes import refined
from benchmarks.provenance import RESULTS
from boxless import Localizer
from boxless.datasets.boxed import BoxedImage
from boxless.datasets.split import read_split
from boxless.evaluation import read_dataset
from boxless.evaluation.box_accuracy import Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.export.assemble import write_card
from boxless.imaging.read import images_in, read_image, resize_pixels
from boxless.learning.head.fit import fit
from boxless.maps.boxes import boxes_in_map, iou
from boxless.maps.refine import resize_maps
from boxless.models.model_file import ModelFile
from boxless.models.presets import view_size
from boxless.models.zoo import DEFAULT_MODEL

Floats: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]

STRIDE = 32
SMALL = 227
"""Pixels of a side of the images of `ilsvrc-dev`, which are squeezed."""

SIDES = (192, 224, 256, 288, 320)
"""Sides of a single pass that classifies."""

SCALES: tuple[tuple[int, ...], ...] = (
    (224,),
    (256,),
    (448,),
    (224, 448),
    (224, 448, 576),
)
"""Sides of passes whose class maps are averaged."""

TOGETHER = (224, 448, 576)
"""The passes, in the image's own shape, whose boxes those of the others are compared with."""

_GRID = 128


def in_shape(pixels: Pixels, side: int) -> Pixels:
    """As boxless does it: about side * side pixels in the image's own shape."""
    return resize_pixels(pixels, *view_size(side, pixels.shape[0], pixels.shape[1], STRIDE))


def squeezed(pixels: Pixels, side: int) -> Pixels:
    """Squeezed into a square."""
    return resize_pixels(pixels, side, side)


def small_first(pixels: Pixels, side: int) -> Pixels:
    """As in `ilsvrc-dev`: squeezed to 227 x 227 pixels before anything is done."""
    return resize_pixels(resize_pixels(pixels, SMALL, SMALL), side, side)


def middle(pixels: Pixels, side: int) -> Pixels:
    """The middle square that the network was validated on, 7/8 of the shorter side."""
    height, width = pixels.shape[:2]
    edge = max(1, round(7 / 8 * min(height, width)))
    y, x = (height - edge) // 2, (width - edge) // 2
    return resize_pixels(np.ascontiguousarray(pixels[y : y + edge, x : x + edge]), side, side)


View: TypeAlias = Callable[[Pixels, int], Pixels]
WHOLE: dict[str, View] = {"in shape": in_shape, "squeezed": squeezed, "227 x 227 first": small_first}
"""Ways to scale a whole image."""


@dataclass(frozen=True)
class Photo:
    """An image whose class is known.

    Attributes:
        path: of it.
        class_index: in the model.
    """

    path: Path
    class_index: int


def photos(network: ModelFile) -> list[Photo]:
    """Those of `photos`: their names begin with their class's id."""
    return [Photo(path, network.card.class_index(path.name.split("_")[0])) for path in images_in(DATA / "photos")]


def top1(network: ModelFile, images: Sequence[Photo], sides: Sequence[int] = SIDES) -> dict[str, dict[str, float]]:
    """The share that one pass classifies correctly, in percent, by the way of scaling and the side."""
    ways: Mapping[str, View] = {**WHOLE, "the middle": middle}
    right = {way: dict.fromkeys(map(str, sides), 0) for way in ways}
    for image in track(images, "classifying"):
        pixels = read_image(image.path).pixels
        for way, view in ways.items():
            for side in sides:
                scaled = view(pixels, side)
                size = (scaled.shape[0], scaled.shape[1])
                first = network.run(scaled, size=size, classes=[], top=1).chosen[0]
                right[way][str(side)] += int(first) == image.class_index
    return {way: {side: 100 * count / len(images) for side, count in row.items()} for way, row in right.items()}


def maps(network: ModelFile, pixels: Pixels, class_index: int, view: View) -> dict[tuple[int, ...], Floats]:
    """The refined map of a class by the passes over an image, on a grid in its shape."""
    outputs = {}
    for side in {side for sides in SCALES for side in sides}:
        scaled = view(pixels, side)
        outputs[side] = network.run(scaled, size=(scaled.shape[0], scaled.shape[1]), classes=[class_index], top=0)
    grid = _grid(pixels.shape[0], pixels.shape[1])
    return {sides: resize_maps(refined([outputs[side] for side in sides]), *grid)[0] for sides in SCALES}


def _grid(height: int, width: int) -> tuple[int, int]:
    """Height and width of the grid on which boxes are found, in an image's shape."""
    scale = min(1.0, _GRID / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def agreement(network: ModelFile, images: Sequence[Photo]) -> list[dict[str, Any]]:
    """How far the one box of each way of scaling agrees with that of `TOGETHER`: the share at IoU 0.5 and 0.7, %."""
    threshold = network.card.preset("best").threshold
    found: dict[tuple[str, tuple[int, ...]], list[float]] = {(way, sides): [] for way in WHOLE for sides in SCALES}
    for image in track(images, "agreement"):
        pixels = read_image(image.path).pixels
        size = (pixels.shape[0], pixels.shape[1])
        boxes = {
            (way, sides): np.array([each.xyxy for each in boxes_in_map(scores, threshold, *size)[:1]], np.float32)
            for way, view in WHOLE.items()
            for sides, scores in maps(network, pixels, image.class_index, view).items()
        }
        reference = boxes["in shape", TOGETHER]
        for key, box in boxes.items():
            both = len(box) and len(reference)
            found[key].append(float(iou(box, reference)[0, 0]) if both else float(len(box) == len(reference)))
    return [
        {
            "way": way,
            "scales": sides,
            "median_iou": round(float(np.median(each)), 3),
            **{f"iou_{enough}": round(100 * float(np.mean(np.array(each) >= enough)), 1) for enough in (0.5, 0.7)},
        }
        for (way, sides), each in found.items()
    ]


def located(network: ModelFile, images: Sequence[BoxedImage]) -> list[dict[str, Any]]:
    """How well the boxes of each way of scaling fit, the classes given."""
    found: dict[tuple[str, tuple[int, ...]], list[Overlaps]] = {(way, sides): [] for way in WHOLE for sides in SCALES}
    for image in track(images, "localizing"):
        pixels = read_image(image.path).pixels
        for way, view in WHOLE.items():
            for sides, scores in maps(network, pixels, image.class_index, view).items():
                found[way, sides].append(overlaps(scores, image.boxes, image.size))
    return [{"way": way, "scales": sides, **_figures(each)} for (way, sides), each in found.items()]


def _figures(found: list[Overlaps]) -> dict[str, Any]:
    """MaxBoxAccV2 with its interval and halves, and the one box at the best threshold, in percent."""
    return {
        "max_box_acc_v2": round(max_box_acc_v2(found), 2),
        "interval": [round(each, 2) for each in interval(found)],
        "halves": [round(max_box_acc_v2(found[i::2]), 2) for i in (0, 1)],
        "one_box": round(float(one_box_accuracy(found).max()), 2),
    }


def fitted(file: Path, plain: bool = False) -> ModelFile:
    """A model of `cards`, learned from labels, not again where it is there; `plain` without localization passes."""
    if not file.is_file():
        made = fit(*read_split(DATA / "cards/labels.csv", None), file, side=224)
        if plain:
            before = ModelFile(DEFAULT_MODEL).card.presets
            presets = {
                name: replace(each, localization=(), thresholds=(), threshold=before[name].threshold)
                for name, each in made.card.presets.items()
            }
            write_card(file, replace(made.card, presets=presets))
    return ModelFile(file, threads=1)


def of_photos(folder: Path) -> dict[str, Any]:
    """The results on `photos`."""
    network = ModelFile(DEFAULT_MODEL, threads=1)
    images = photos(network)
    sizes = [read_image(image.path).pixels.shape[:2] for image in images]
    return {
        "pictures": len(images),
        "median_size": [int(np.median([size[i] for size in sizes])) for i in (0, 1)],
        "top1": top1(network, images),
        "agreement": agreement(network, images),
    }


def of_cards(folder: Path) -> dict[str, Any]:
    """The results on `cards`, localized by refined class maps."""
    network = fitted(folder / "cards-plain.onnx", plain=True)
    boxed = read_dataset(DATA / "cards/val.json", network.card).images
    areas = [float((each.boxes[:, 2:] - each.boxes[:, :2]).prod(axis=1).max()) / np.prod(each.size) for each in boxed]
    return {
        "pictures": len({each.path for each in boxed}),
        "classes_in_images": len(boxed),
        "median_size": [int(np.median([each.size[i] for each in boxed])) for i in (0, 1)],
        "median_share": round(float(np.median(areas)), 4),
        "localized": located(network, boxed),
    }


def of_cards_as_fitted(folder: Path) -> dict[str, Any]:
    """The results on `cards`, localized as `boxless fit` decides; once for presets with the same scales."""
    network = fitted(folder / "cards.onnx")
    boxed = read_dataset(DATA / "cards/val.json", network.card).images
    rows = {}
    for name in {preset.scales: name for name, preset in reversed(list(network.card.presets.items()))}.values():
        localizer = Localizer(network, name)
        found = []
        for image in track(boxed, name):
            (prediction,) = localizer.locate(image.path, classes=[image.class_index]).predictions
            found.append(overlaps(prediction.scores_on(*_grid(*image.size)), image.boxes, image.size))
        rows[name] = {"scales": localizer.preset.scales, **_figures(found)}
    return rows


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "photos": of_photos,
    "cards": of_cards,
    "as_fitted": of_cards_as_fitted,
}


def main() -> None:
    """Measures a part and writes it to benchmarks/results/full_size.json."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    found = PARTS[part](folder)
    before = read("full_size") if (RESULTS / "full_size.json").is_file() else {}
    figures = {**{name: before[name] for name in PARTS if name in before}, part: found}
    write_results("full_size", figures, part=part, parts=figures)


if __name__ == "__main__":
    main()
