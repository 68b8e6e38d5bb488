"""Whether small objects can be told without boxes: ideas, as rows of data. python -m benchmarks.small_objects

`ilsvrc-dev`, the true class given, looks at 224 and 448. A box is as good as its threshold fits the object's size. Here
rules choose the threshold of each picture by what its maps show; each rule learns on one half of the pictures, with
their boxes, and is measured on the other: what a rule cannot learn so, none that sees no boxes can do. And maps of
a second look at a crop around the box that was found are blended in. Writes a table for docs/accuracy.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from sklearn.ensemble import RandomForestRegressor

from benchmarks.facts import DATA, write_results
from benchmarks.second_look import refined
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import IOUS, THRESHOLDS, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.boxes import boxes_in_map
from boxless.maps.refine import resize_maps
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]

GRID = 128
SMALL = 0.15
"""Objects below this share of the picture are small."""

CUTS = np.arange(0.1, 0.96, 0.05)
CROPPED = 0.55
"""Around boxes that take less than this share of the picture, a crop is looked at."""

AROUND = 1.5
"""The sides of a crop over those of the box; at least 0.3 of the picture's."""

CROPS = {"224": (224,), "224 and 384": (224, 384)}
"""Sides of the looks at a crop."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of one picture.

    Attributes:
        truth: its boxes.
        size: its height and width.
        scores: the refined map of both looks, on a grid in the picture's shape.
        crop: where the crop is on that grid, (x0, y0, x1, y1); None where there is none.
        closer: the refined maps of the crop, by the name of its looks.
        gain: how much larger the logit is in the crop than in the picture.
        finer: how much larger the logit is at 448 than at 224.
    """

    truth: Floats
    size: tuple[int, int]
    scores: Floats
    crop: tuple[int, int, int, int] | None
    closer: dict[str, Floats]
    gain: float
    finer: float

    @property
    def share(self) -> float:
        """Of the picture, that the largest object takes."""
        return float((self.truth[:, 2:] - self.truth[:, :2]).prod(axis=1).max()) / (self.size[0] * self.size[1])


def seen(network: ModelFile, image: BoxedImage) -> Seen:
    """Looks at a picture, and at a crop around what was found."""
    pixels = read_image(image.path).pixels
    height, width = size = (pixels.shape[0], pixels.shape[1])

    def looks(view: NDArray[np.uint8], sides: Sequence[int]) -> tuple[Floats, list[float]]:
        outputs = [
            network.run(resize_pixels(view, side, side), size=(side, side), classes=[image.class_index], top=0)
            for side in sides
        ]
        return refined(outputs)[0], [float(each.logits[image.class_index]) for each in outputs]

    whole, logits = looks(pixels, (224, 448))
    scores = resize_maps(whole[None], GRID, GRID)[0]
    boxes = boxes_in_map(scores, network.card.preset("balanced").threshold, GRID, GRID)
    finer = logits[1] - logits[0]
    if not boxes or (boxes[0].x1 - boxes[0].x0) * (boxes[0].y1 - boxes[0].y0) >= CROPPED * GRID**2:
        return Seen(image.boxes, size, scores, None, {}, 0.0, finer)
    x0, x1 = _around(boxes[0].x0, boxes[0].x1)
    y0, y1 = _around(boxes[0].y0, boxes[0].y1)
    rows = slice(y0 * height // GRID, max(y1 * height // GRID, y0 * height // GRID + 1))
    columns = slice(x0 * width // GRID, max(x1 * width // GRID, x0 * width // GRID + 1))
    closer = {name: looks(np.ascontiguousarray(pixels[rows, columns]), sides) for name, sides in CROPS.items()}
    gain = closer["224"][1][0] - logits[0]
    maps = {name: resize_maps(found[None], y1 - y0, x1 - x0)[0] for name, (found, _) in closer.items()}
    return Seen(image.boxes, size, scores, (x0, y0, x1, y1), maps, gain, finer)


def _around(low: float, high: float) -> tuple[int, int]:
    """The two ends of a crop, on the grid."""
    middle, reach = (low + high) / 2, max(AROUND * (high - low), 0.3 * GRID) / 2
    return max(0, int(middle - reach)), min(GRID, round(middle + reach))


def hot(images: Sequence[Seen]) -> Doubles:
    """The logarithm of the share of each picture where its map reaches half its maximum: (n, 1)."""
    return np.log([[(each.scores >= each.scores.max() / 2).mean()] for each in images])


def shapes(images: Sequence[Seen]) -> Doubles:
    """CAM area fractions and box areas at many thresholds, the mean, how many components: (n, m)."""
    rows = []
    for each in images:
        unit = each.scores / max(float(each.scores.max()), 1e-6)
        boxes = [boxes_in_map(unit, float(cut), 1, 1) for cut in CUTS]
        areas = [(some[0].x1 - some[0].x0) * (some[0].y1 - some[0].y0) if some else 1.0 for some in boxes]
        shares = [max((unit >= cut).mean(), 1e-4) for cut in CUTS]
        rows.append([*np.log(areas), *np.log(shares), np.log(max(unit.mean(), 1e-4)), len(boxes[len(CUTS) // 2])])
    return np.array(rows)


def with_looks(images: Sequence[Seen]) -> Doubles:
    """The same, and what further looks say: logits at 448 and of the crop, the crop's own CAM area fraction: (n, m)."""
    rows = []
    for each in images:
        closer = each.closer.get("224")
        share = float((closer >= closer.max() / 2).mean()) if closer is not None else 1.0
        rows.append([each.gain, each.finer, share, float(closer is not None)])
    return np.hstack([shapes(images), np.array(rows)])


def true_size(images: Sequence[Seen]) -> Doubles:
    """The logarithm of the object's share of the picture: (n, 1). Nobody knows it; it says what there is to gain."""
    return np.log([[each.share] for each in images])


RULES: dict[str, Callable[[Sequence[Seen]], Doubles] | None] = {
    "one threshold for all": None,
    "by the CAM area fraction of the map (half its maximum)": hot,
    "by all shapes of the map: areas at 18 thresholds, mean, pieces": shapes,
    "the same, and by the logits at 448 and of a crop, and the crop's map": with_looks,
    "by the true size, which nobody knows": true_size,
}
"""What the threshold of a picture is chosen by."""


def by_rule(right: Doubles, features: Doubles | None) -> NDArray[np.int64]:
    """The index of each picture's threshold, learned on the other half of the pictures: a forest of 300 trees.

    Args:
        right: (n, thresholds), the share of the three IoUs at which the box is right.
        features: (n, m); one threshold for all where None.
    """
    half = np.arange(len(right)) % 2
    chosen = np.zeros(len(right), np.int64)
    for learned in (half == 0, half == 1):
        if features is None:
            chosen[~learned] = right[learned].mean(axis=0).argmax()
            continue
        some = np.arange(8, len(THRESHOLDS) - 4, 3)
        forest = RandomForestRegressor(300, min_samples_leaf=10, random_state=0)
        forest.fit(features[learned], right[learned][:, some])
        chosen[~learned] = some[forest.predict(features[~learned]).argmax(axis=1)]
    return chosen


def blended(each: Seen, looks: str, largest: float) -> Floats:
    """The mean of the map and of that of the crop, inside the crop; as it was where the crop takes more than that."""
    if each.crop is None:
        return each.scores
    x0, y0, x1, y1 = each.crop
    closer = each.closer[looks]
    if (x1 - x0) * (y1 - y0) > largest * GRID**2 or closer.max() <= 0:
        return each.scores
    made = each.scores.copy()
    inside = made[y0:y1, x0:x1]
    made[y0:y1, x0:x1] = (inside + closer / closer.max() * inside.max()) / 2
    return made


BLENDS = {
    "a crop at 224 blended in, where it takes 30 % of the picture or less": ("224", 0.3),
    "a crop at 224 blended in, wherever there is one": ("224", 1.0),
    "a crop at 224 and 384 blended in, where it takes 30 % of the picture or less": ("224 and 384", 0.3),
    "a crop at 224 and 384 blended in, wherever there is one": ("224 and 384", 1.0),
}


def row(best: Doubles, chosen: NDArray[np.int64], small: NDArray[np.bool_]) -> dict[str, Any]:
    """How many boxes are right, in percent: the mean over three IoUs, its halves, and of small objects at IoU 0.5.

    Args:
        best: (n, thresholds), the IoU of each picture's one box.
        chosen: (n,), the threshold of each, by index.
        small: (n,), which are.
    """
    found = best[np.arange(len(best)), chosen]
    right = np.mean([found >= enough for enough in IOUS], axis=0)
    return {
        "one_box": round(100 * float(right.mean()), 2),
        "halves": [round(100 * float(right[i::2].mean()), 2) for i in (0, 1)],
        "small": round(100 * float((found[small] >= 0.5).mean()), 1),
    }


def main() -> None:
    """Measures and writes benchmarks/results/small_objects.json; python -m benchmarks.readme writes the table."""
    folder = DATA / "ilsvrc-dev"
    if not Path(folder).is_dir():
        sys.exit(f"no pictures to measure on: {folder} is missing (set BOXLESS_DATA)")
    network = ModelFile(DEFAULT_MODEL, threads=1)
    listed = read_dataset(folder / "annotations.json", network.card, images=folder / "images").images
    images = [seen(network, each) for each in track(listed, "looks")]
    small = np.array([each.share < SMALL for each in images])

    def boxes(maps: Sequence[Floats]) -> Doubles:
        found = [overlaps(some, each.truth, each.size).best_box for some, each in zip(maps, images, strict=True)]
        return np.stack(found).astype(np.float64)

    best = boxes([each.scores for each in images])
    right = np.asarray(np.mean([best >= enough for enough in IOUS], axis=0))
    rows = {
        words: row(best, by_rule(right, features(images) if features else None), small)
        for words, features in RULES.items()
    }
    rows["at the best threshold of each picture, which nobody knows"] = row(best, right.argmax(axis=1), small)
    for words, (looks, largest) in BLENDS.items():
        found = boxes([blended(each, looks, largest) for each in images])
        rows[words] = row(found, by_rule(np.mean([found >= enough for enough in IOUS], axis=0), None), small)
    logs = np.log([each.share for each in images])
    ratio = np.array([each.finer for each in images])
    told = {"CAM area fraction": hot(images)[:, 0], "logit at 448 over that at 224": ratio}
    print(*rows.items(), sep="\n")
    results = {
        "pictures": len(images),
        "small": int(small.sum()),
        "correlation": {name: round(float(np.corrcoef(each, logs)[0, 1]), 2) for name, each in told.items()},
        "rows": rows,
    }
    write_results("small_objects", results)


if __name__ == "__main__":
    main()
