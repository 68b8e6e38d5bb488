"""All boxes that a model finds, on images whose boxes somebody drew: what average precision is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedSet
from boxless.errors import DatasetError, ImageError
from boxless.evaluation.average_precision import NOTHING, AveragePrecision, ClassMatches, Matches, TrueBoxes, match
from boxless.localizer import Localizer
from boxless.results import Prediction
from boxless.system.ordered import ordered_map
from boxless.system.progress import Progress

_ASKED = 20
"""Classes located when the classes are unknown: the most probable ones, or all if the model has no more."""


@dataclass(frozen=True)
class Mode:
    """What is known about an image before it is located.

    Attributes:
        title: a description.
        locate: locates an image, given the classes that it shows and `nms` of `LocateOptions`.
    """

    title: str
    locate: Callable[[Localizer, Path, list[int], float], tuple[Prediction, ...]]


def _known(localizer: Localizer, path: Path, classes: list[int], nms: float) -> tuple[Prediction, ...]:
    return localizer.locate(path, classes=classes, include_absent=True).predictions if classes else ()


def _unknown(localizer: Localizer, path: Path, classes: list[int], nms: float) -> tuple[Prediction, ...]:
    return localizer.locate(path, top=_ASKED, nms=nms).predictions


MODES = {
    "known": Mode("classes known: boxes of each image's true labels only (GT-known)", _known),
    "unknown": Mode("classes unknown: boxes of the classes that the model predicts", _unknown),
}
"""By their names for machines."""


def _truth_of(boxed: BoxedSet) -> dict[Path, dict[int, TrueBoxes]]:
    """The true boxes of every image, by class.

    Where a class is known to be in an image and its boxes are not, no box of that class is right or wrong there.
    """
    parts: dict[tuple[Path, int], list[tuple[tuple[float, ...], bool, bool]]] = {}
    for each in boxed.images:
        height, width = each.size
        rows = [(tuple(box), False, False) for box in each.boxes.tolist()]
        parts[each.path, each.class_index] = rows or [((0.0, 0.0, width, height), True, True)]
    for other in boxed.ignored:
        parts.setdefault((other.path, other.class_index), []).append((other.box, True, other.crowd))
    truth: dict[Path, dict[int, TrueBoxes]] = {path: {} for path in boxed.listed}
    for (path, index), rows in parts.items():
        boxes, ignored, crowd = zip(*rows, strict=True)
        truth[path][index] = TrueBoxes(np.array(boxes, np.float64), np.array(ignored), np.array(crowd))
    return truth


def measure_boxes(
    localizer: Localizer,
    boxed: BoxedSet,
    mode: Mode,
    draws: int = 1000,
    progress: Progress = lambda stage, done, total: None,
    nms: float = 1.0,
) -> AveragePrecision:
    """Average precision of a model.

    Args:
        localizer: uses one thread per image; one image per core is processed at a time.
        boxed: the true boxes, read for this model. Its notes collect the images that cannot be read, which do not
            count.
        mode: one of `MODES`.
        draws: number of bootstrap draws.
        progress: called with the model's name, the number of images done and the total.
        nms: see `LocateOptions`; 1 keeps all boxes, since average precision ranks them itself.

    Returns:
        Average precision of each class, with the bootstrap draws.

    Raises:
        DatasetError: if there is no true box.

    Example:
        >>> from boxless.evaluation import read_dataset
        >>> localizer = Localizer("mine.onnx")  # doctest: +SKIP
        >>> boxed = read_dataset(Path("boxes.json"), localizer.card)  # doctest: +SKIP
        >>> measure_boxes(localizer, boxed, MODES["unknown"]).interval("ap_50").value  # doctest: +SKIP
        61.2
    """
    truth = _truth_of(boxed)
    paths = list(truth)
    matches: dict[int, dict[int, Matches]] = {}

    def one(path: Path) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] | str:
        """Boxes and scores by class; where the image cannot be read, why."""
        try:
            predictions = mode.locate(localizer, path, list(truth[path]), nms)
        except ImageError as error:
            return str(error)
        return {
            each.class_index: (
                np.array([box.xyxy for box in each.boxes], np.float64),
                np.array([box.score for box in each.boxes], np.float64),
            )
            for each in predictions
            if each.boxes
        }

    for number, found in enumerate(ordered_map(one, paths)):
        progress(localizer.card.name, number + 1, len(paths))
        if isinstance(found, str):
            boxed.notes.add("damaged file", found)
            continue
        there = truth[paths[number]]
        for index in there.keys() | found.keys():
            boxes, scores = found.get(index, (np.zeros((0, 4)), np.zeros(0)))
            matches.setdefault(index, {})[number] = match(there.get(index, NOTHING), boxes, scores)
    classes = {
        localizer.card.unique_name(index): ClassMatches.of(matches[index], len(paths)) for index in sorted(matches)
    }
    if not any(each.true.sum() for each in classes.values()):
        raise DatasetError(f"{boxed.name}: no true boxes (expected some, to measure average precision)")
    return AveragePrecision.of(classes, len(paths), draws)
