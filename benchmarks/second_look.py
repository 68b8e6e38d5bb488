"""How small, or how coarse in numbers, a second look may be. python -m benchmarks.second_look [IMAGES]

Looks at 224 or a little more (which names) and at a second size, in float32 and in eight bits, on `ilsvrc-dev` with the
true class given: MaxBoxAccV2, its halves, and the processor time over that of one float32 look at 224 on one thread.
Eight bits gain most where the processor has VNNI; the result says whether this one has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import DATA, write_results
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps, walk
from boxless.models.model_file import ModelFile, Output
from boxless.system.machine import has_vnni

Floats = NDArray[np.float32]
Look: TypeAlias = tuple[str, int]
"""A model's name, and the side of the square that it looks at, in pixels."""

FLOAT, EIGHT = "efficientnet-lite0", "efficientnet-lite0-int8"
LOOKS: list[tuple[Look, ...]] = [
    *(((FLOAT, side),) for side in (224, 256, 288)),
    *(((FLOAT, 224), (FLOAT, side)) for side in (320, 352, 384, 448)),
    *(((FLOAT, 256), (FLOAT, side)) for side in (384, 448)),
    ((EIGHT, 224),),
    *(((EIGHT, 224), (EIGHT, side)) for side in (352, 384, 448)),
    ((EIGHT, 256), (EIGHT, 448)),
    ((FLOAT, 224), (EIGHT, 448)),
]
STEPS = 4
TIMED = 12
"""Pictures whose looks are timed; what a look costs hardly depends on the picture."""


def refined(outputs: list[Output]) -> Floats:
    """The class map (u, v) of all looks together, as `Localizer` makes it."""
    grid = outputs[-1].class_maps.shape[1:]
    maps = np.mean([resize_maps(each.class_maps, *grid) for each in outputs], axis=0)
    affinity = outputs[-1].affinity
    assert affinity is not None
    return walk(np.maximum(maps, 0.0), affinity, STEPS)


def passes(
    networks: Mapping[str, ModelFile], images: Sequence[BoxedImage], rows: Sequence[tuple[Look, ...]]
) -> dict[str, float]:
    """The processor time of each look over that of a float32 look at 224: medians over pictures, which take turns."""
    seconds: dict[Look, list[float]] = {look: [] for looks in [((FLOAT, 224),), *rows] for look in looks}
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
    networks: Mapping[str, ModelFile], images: Sequence[BoxedImage], rows: Sequence[tuple[Look, ...]]
) -> list[dict[str, Any]]:
    """How well boxes fit, and how many pictures the first look names rightly: a row for each combination of looks."""
    found: dict[tuple[Look, ...], list[Overlaps]] = {looks: [] for looks in rows}
    right = dict.fromkeys({looks[0] for looks in rows}, 0)
    for image in images:
        pixels = read_image(image.path).pixels
        outputs = {
            (name, side): networks[name].run(
                resize_pixels(pixels, side, side), size=(side, side), classes=[image.class_index], top=0
            )
            for name, side in {look for looks in rows for look in looks}
        }
        for look in right:
            right[look] += int(outputs[look].logits.argmax()) == image.class_index
        for looks, overlapping in found.items():
            scores = normalise(resize_maps(refined([outputs[look] for look in looks]), *pixels.shape[:2]))[0]
            overlapping.append(overlaps(scores, image.boxes))
    return [
        {
            "looks": [f"{name} {side}" for name, side in looks],
            "max_box_acc_v2": round(max_box_acc_v2(each), 2),
            "halves": [round(max_box_acc_v2(each[i::2]), 2) for i in (0, 1)],
            "one_box": round(float(one_box_accuracy(each).max()), 2),
            "top1": round(100 * right[looks[0]] / len(images), 2),
        }
        for looks, each in found.items()
    ]


def main() -> None:
    """Measures and writes benchmarks/results/second_look.json."""
    networks = {name: ModelFile(name, threads=1) for name in (FLOAT, EIGHT)}
    folder = DATA / "ilsvrc-dev"
    images = read_dataset(folder / "annotations.json", networks[FLOAT].card, images=folder / "images").images
    wanted = min(int(sys.argv[1]) if len(sys.argv) > 1 else len(images), len(images))
    costs = passes(networks, images[:TIMED], LOOKS)
    print(costs, flush=True)
    some = [images[i] for i in np.linspace(0, len(images) - 1, wanted).round().astype(int)]
    rows = accuracy(networks, some, LOOKS) if some else []
    print(*rows, sep="\n")
    write_results("second_look", {"passes": costs, "vnni": has_vnni(), "pictures": len(some), "rows": rows})


if __name__ == "__main__":
    main()
