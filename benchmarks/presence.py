"""Whether what is there gets a box and what is not gets none, and what is hard to box. python -m benchmarks.presence

On `ilsvrc-dev`: the class of each image is known, and all others are taken for absent (some are there all the same).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from benchmarks.facts import DATA, write_results
from boxless import Localizer
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.detection_thresholds import Surveys, blank_images, detection_thresholds
from boxless.maps.boxes import iou
from boxless.models.zoo import DEFAULT_MODEL

SIZES = (0.0, 0.05, 0.15, 0.3, 0.5, 1.0)
"""Borders between object sizes: the largest true box as a share of the image."""

_TOP = 5
_DRAWS = 8  # as in tools/zoo_thresholds.py
_OTHER_SEED = 1  # blank images that set no threshold


def presence(preset: str, images: Sequence[BoxedImage]) -> dict[str, float]:
    """Shares in percent of what passes, at the stored thresholds and at those that the other half sets."""
    localizer = Localizer(DEFAULT_MODEL, preset)
    seen = Surveys.of(localizer, [each.path for each in images])
    shown = np.zeros(seen.activation.shape, bool)
    shown[np.arange(len(images)), [each.class_index for each in images]] = True
    blank = Surveys.of(localizer, blank_images(draws=_DRAWS))
    unseen = Surveys.of(localizer, blank_images(_OTHER_SEED, _DRAWS))
    passing = seen.passing(localizer.preset.min_probability, localizer.preset.min_activation)
    across = np.zeros_like(passing)
    for half in (np.arange(len(images)) % 2 == 0, np.arange(len(images)) % 2 == 1):
        found = detection_thresholds(Surveys(seen.probabilities[half], seen.activation[half]), shown[half], blank)
        assert found is not None
        across[~half] = seen.passing(found.probability, found.activation)[~half]
    stored = (localizer.preset.min_probability, localizer.preset.min_activation)
    return {
        "min_probability": stored[0],
        "min_activation": stored[1],
        "present": _percent(passing[shown]),
        "absent": _percent(passing[~shown]),
        "present_across_halves": _percent(across[shown]),
        "absent_across_halves": _percent(across[~shown]),
        "blank_images": len(unseen.activation),
        "blank": _percent(unseen.passing(*stored).any(axis=1)),
    }


def ranking(localizer: Localizer, images: Sequence[BoxedImage]) -> dict[str, float]:
    """How often a right box has a higher score than a wrong one, in percent (the area under the ROC curve).

    The boxes of the five most probable classes of each image; right where class and place (IoU 0.5) are.
    """
    scores: list[float] = []
    shares: list[float] = []
    right: list[bool] = []
    for image in images:
        for prediction in localizer.locate(image.path, top=_TOP, include_absent=True, nms=1).predictions:
            for box in prediction.boxes:
                overlap = float(iou(np.array([box.xyxy], np.float32), image.boxes).max())
                right.append(prediction.class_index == image.class_index and overlap >= 0.5)
                scores.append(box.score)
                shares.append(box.score / prediction.probability)
    return {
        "boxes": len(right),
        "right": sum(right),
        "score": _auc(np.array(scores), np.array(right)),
        "share_alone": _auc(np.array(shares), np.array(right)),
    }


def by_size(localizer: Localizer, images: Sequence[BoxedImage]) -> list[dict[str, float]]:
    """The one box of the true class, right at IoU 0.5, in percent, by the size of the largest true box."""
    areas, right, ratios = [], [], []
    for image in images:
        (prediction,) = localizer.locate(image.path, classes=[image.class_index], include_absent=True).predictions
        sides = image.boxes[:, 2:] - image.boxes[:, :2]
        largest = float(sides.prod(axis=1).max())
        areas.append(largest / (image.size[0] * image.size[1]))
        found = np.array([prediction.box.xyxy if prediction.box else (0, 0, 0, 0)], np.float32)
        right.append(float(iou(found, image.boxes).max()) >= 0.5)
        ratios.append(float((found[0, 2:] - found[0, :2]).prod()) / largest)
    place = np.digitize(areas, SIZES[1:-1])
    return [
        {
            "from": SIZES[i],
            "to": SIZES[i + 1],
            "pictures": int((place == i).sum()),
            "right": _percent(np.array(right)[place == i]),
            "box_over_object": round(float(np.median(np.array(ratios)[place == i])), 2),
        }
        for i in range(len(SIZES) - 1)
    ]


def _percent(values: NDArray[np.bool_] | np.bool_) -> float:
    return round(100 * float(np.mean(values)), 2)


def _auc(values: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    pairs = float(right.sum() * (~right).sum())
    return round(100 * float(mannwhitneyu(values[right], values[~right]).statistic) / pairs, 1)


def main() -> None:
    """Measures the default model, prints, and writes benchmarks/results/presence.json."""
    folder = DATA / "ilsvrc-dev"
    if not folder.is_dir():
        sys.exit(f"no images to measure on: {folder} is missing (set BOXLESS_DATA)")
    localizer = Localizer(DEFAULT_MODEL)
    images = read_dataset(folder / "annotations.json", localizer.card, images=folder / "images").images
    figures = {
        "pictures": len(images),
        "presence": {name: presence(name, images) for name in localizer.card.presets},
        "ranking": ranking(localizer, images),
        "by_size": by_size(localizer, images),
    }
    print(figures)
    write_results("presence", {"figures": figures})


if __name__ == "__main__":
    main()
