"""What passes at some scales cost, and how well their averaged class maps localize: shared by benchmark programs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.evaluation.box_accuracy import Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps, walk
from boxless.models.model_file import ModelFile, Output

Floats: TypeAlias = NDArray[np.float32]
Pass: TypeAlias = tuple[str, int]
"""A model's name, and the side of the square that it gets, in pixels."""

FLOAT = "efficientnet-lite0"
STEPS = 4
TIMED = 12
"""Images whose passes are timed; the cost of a pass hardly depends on the image."""


def refined(outputs: list[Output]) -> Floats:
    """The class map (u, v) of all passes together, as `Localizer` makes it."""
    grid = outputs[-1].class_maps.shape[1:]
    maps = np.mean([resize_maps(each.class_maps, *grid) for each in outputs], axis=0)
    affinity = outputs[-1].affinity
    assert affinity is not None
    return walk(np.maximum(maps, 0.0), affinity, STEPS)


def costs(
    networks: Mapping[str, ModelFile], images: Sequence[BoxedImage], rows: Sequence[tuple[Pass, ...]]
) -> dict[str, float]:
    """The CPU time of each pass over that of a float32 pass at 224: medians over images, which take turns."""
    seconds: dict[Pass, list[float]] = {each: [] for passes in [((FLOAT, 224),), *rows] for each in passes}
    for image in images:
        pixels = read_image(image.path).pixels
        for (name, side), times in seconds.items():
            view = resize_pixels(pixels, side, side)
            start = time.process_time()
            networks[name].run(view, size=(side, side), classes=[image.class_index], top=0)
            times.append(time.process_time() - start)
    unit = float(np.median(seconds[FLOAT, 224]))
    return {f"{name} {side}": round(float(np.median(times)) / unit, 2) for (name, side), times in seconds.items()}


def accuracy(
    networks: Mapping[str, ModelFile], images: Sequence[BoxedImage], rows: Sequence[tuple[Pass, ...]]
) -> list[dict[str, Any]]:
    """How well boxes fit, and how many images the first pass classifies correctly: a row for each tuple of passes."""
    found: dict[tuple[Pass, ...], list[Overlaps]] = {passes: [] for passes in rows}
    right = dict.fromkeys({passes[0] for passes in rows}, 0)
    for image in images:
        pixels = read_image(image.path).pixels
        outputs = {
            (name, side): networks[name].run(
                resize_pixels(pixels, side, side), size=(side, side), classes=[image.class_index], top=0
            )
            for name, side in {each for passes in rows for each in passes}
        }
        for first in right:
            right[first] += int(outputs[first].logits.argmax()) == image.class_index
        for passes, overlapping in found.items():
            scores = normalise(resize_maps(refined([outputs[each] for each in passes]), *pixels.shape[:2]))[0]
            overlapping.append(overlaps(scores, image.boxes))
    return [
        {
            "looks": [f"{name} {side}" for name, side in passes],
            "max_box_acc_v2": round(max_box_acc_v2(each), 2),
            "halves": [round(max_box_acc_v2(each[i::2]), 2) for i in (0, 1)],
            "one_box": round(float(one_box_accuracy(each).max()), 2),
            "top1": round(100 * right[passes[0]] / len(images), 2),
        }
        for passes, each in found.items()
    ]
