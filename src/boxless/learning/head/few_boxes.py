"""Which localization head, and which threshold, a few boxed images of each class choose among those labels have taught.

Labels choose one scale and one share for all classes; a few boxes choose class by class. Alone they would choose badly,
so what they say of a class is mixed with what they say of all classes, and starts from the choice of the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.box_accuracy import THRESHOLDS, overlaps
from boxless.evaluation.class_thresholds import PULL, right_at
from boxless.export.backbone import Backbone
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.scale import MARGIN, HeadsAtScale
from boxless.learning.head.self_training import SHARES, LinearCells
from boxless.maps.refine import resize_maps
from boxless.system.progress import Progress

Array = NDArray[np.float64]

_SHARED = 2.0
"""What all classes say of a head counts as much as so many boxed images of the class."""

_PRIOR = 60.0
"""By so many points, over the root of the number of boxed images, the labels' choice is ahead of all others."""

_SMOOTH = 3
"""Thresholds to either side that count too: the very highest point of a curve is an accident."""

_GRID = 256
"""Cells of the longer side of the map that boxes are cut from, as in results."""

_FOLDS = 5

_BOXED = 150
"""Boxed images that choose among heads, at most."""

HEAD_THRESHOLD = 0.5
"""Boxes of a localization head surround the cells that are more probably of an object than not."""


@dataclass(frozen=True)
class HeadChoice:
    """How a class is localized: a row of scale and share, and the threshold of its boxes in (0, 1)."""

    scale: int
    share: float
    threshold: float


@dataclass(frozen=True)
class ChosenByBoxes:
    """What boxed images chose.

    Attributes:
        choices: by class.
        images: how many pairs of an image and a class chose.
        before, after: one box right, in percent, mean over IoU 0.3, 0.5 and 0.7, on boxed images that did not choose:
            with the labels' choice, and with the boxes'. The same where the labels' choice stays.
    """

    choices: Mapping[int, HeadChoice]
    images: int
    before: float
    after: float

    def __str__(self) -> str:
        if self.after <= self.before:
            return f"{boxed_images(self.images)} chose nothing better"
        return (
            f"then class by class by {boxed_images(self.images)}, one box right on those that did not choose: "
            f"{self.after:.0f} %, {self.before:.0f} % as labels chose"
        )


def boxed_images(count: int) -> str:
    """How many there are, in words."""
    return f"{count} boxed image{'' if count == 1 else 's'}"


def box_curves(cells: ImageCells, heads: Sequence[LinearCells], image: BoxedImage) -> Array:
    """Whether the one box of each head is right, in percent, mean over three IoUs: (heads, thresholds).

    Args:
        cells: of the image.
        heads: of the image's class.
        image: with its boxes.
    """
    height, width = image.size
    scale = min(1.0, _GRID / max(height, width))
    maps = cells.probabilities(
        np.stack([each.weight for each in heads]), np.array([each.bias for each in heads], np.float32)
    )
    fine = resize_maps(maps, max(1, round(height * scale)), max(1, round(width * scale)))
    return right_at([overlaps(each, image.boxes, image.size) for each in fine])


def choose_by_boxes(
    right: Mapping[int, Array], rows: Sequence[tuple[int, float]], start: int, threshold: float, classes: Sequence[int]
) -> ChosenByBoxes:
    """Chooses the head and threshold of each class; all keep the labels' choice where others do not win.

    Args:
        right: (n, rows, thresholds) for each class with n boxed images, see `box_curves`.
        rows: scale and share of each row.
        start: the row that labels have chosen.
        threshold: that they go with, in (0, 1).
        classes: that are localized; those without a boxed image follow the others.
    """
    images = sum(len(each) for each in right.values())
    at_start = int(np.abs(THRESHOLDS - threshold).argmin())
    starts = np.cumsum([0, *(len(each) for each in right.values())])  # folds go on from class to class
    of_fold = {
        k: (first + np.arange(len(each))) % _FOLDS for first, (k, each) in zip(starts, right.items(), strict=False)
    }
    before, after = [], []
    for fold in range(min(_FOLDS, images) if images > 1 else 0):
        rest = {k: each[of_fold[k] != fold] for k, each in right.items()}
        chosen = _choose(rest, start, threshold, list(right))
        for k, each in right.items():
            row, at = chosen[k]
            unseen = each[of_fold[k] == fold]
            before += unseen[:, start, at_start].tolist()
            after += unseen[:, row, at].tolist()
    wins = bool(after) and np.mean(after) > np.mean(before)
    kept = [float(right[k][:, start, at_start].mean()) for k in right]
    found = _choose(right, start, threshold, classes) if wins else dict.fromkeys(classes, (start, at_start))
    return ChosenByBoxes(
        {k: HeadChoice(*rows[row], round(float(THRESHOLDS[at]), 2)) for k, (row, at) in found.items()},
        images,
        float(np.mean(before or kept)),
        float(np.mean(after if wins else before or kept)),
    )


def _choose(
    right: Mapping[int, Array], start: int, threshold: float, classes: Sequence[int]
) -> dict[int, tuple[int, int]]:
    """Row and threshold, by index, of each class."""
    images = sum(len(each) for each in right.values())
    shared = np.mean([each.mean(axis=0) for each in right.values() if len(each)], axis=0)
    ahead = np.full((len(shared), 1), _PRIOR / max(1, images) ** 0.5)
    ahead[start] = 0
    found = {}
    for k in classes:
        own = right.get(k, np.zeros((0, *shared.shape)))
        mean = (own.sum(axis=0) + _SHARED * shared) / (len(own) + _SHARED)
        padded = np.pad(mean, ((0, 0), (_SMOOTH, _SMOOTH)), mode="edge")
        smooth = np.lib.stride_tricks.sliding_window_view(padded, 2 * _SMOOTH + 1, axis=1).mean(axis=2)
        score = smooth - PULL * (THRESHOLDS - threshold) ** 2 / max(1, len(own)) - ahead
        row, at = np.unravel_index(score.argmax(), score.shape)
        found[k] = int(row), int(at)
    return found


def heads_by_boxes(
    trunk: Backbone,
    scales: Sequence[HeadsAtScale],
    chosen: HeadsAtScale,
    learned: LabelledImages,
    boxed: Sequence[BoxedImage],
    seed: int,
    progress: Progress,
) -> ChosenByBoxes | None:
    """What boxed images choose among the heads of some scales.

    Args:
        trunk: the backbone.
        scales: the heads.
        chosen: the one of them that labels have chosen.
        learned: the images that the heads were learned from.
        boxed: images with boxes; some of them, by lot, where there are many.
        seed: of the lots.
        progress: called with the stage, how many images are done, and of how many.

    Returns:
        None where no image that can be read has a box of a class that has heads.
    """
    classes = sorted(set.intersection(*(set(each.classes) for each in scales)) & set(chosen.classes))
    useful = [each for each in boxed if len(each.boxes) and each.class_index in classes]
    paths = list(dict.fromkeys(each.path for each in useful))
    some = {paths[i] for i in np.random.default_rng(seed).permutation(len(paths))[:_BOXED]}
    useful = [each for each in useful if each.path in some]
    of_path: dict[Path, list[BoxedImage]] = {}
    for each in useful:
        of_path.setdefault(each.path, []).append(each)
    curves: dict[tuple[Path, int], list[NDArray[np.float64]]] = {}
    for at in scales:
        known = {learned.paths[i]: cells for i, cells in zip(at.indices, at.images, strict=True)}
        unknown = [path for path in of_path if path not in known]
        read = read_cells(
            trunk, np.zeros((1, trunk.width), np.float32), unknown, [[]] * len(unknown), at.scale, 1, MARGIN
        )
        known |= {path: cells for path, cells in zip(unknown, read, strict=True) if cells is not None}
        for n, (path, images) in enumerate(of_path.items(), 1):
            for image in images if path in known else ():
                heads = [at.classes[image.class_index].heads[share] for share in SHARES]
                curves.setdefault((path, image.class_index), []).append(box_curves(known[path], heads, image))
            progress(f"boxes at {at.scale}", n, len(of_path))
    right: dict[int, list[NDArray[np.float64]]] = {}
    for (_, k), found in curves.items():
        if len(found) == len(scales):
            right.setdefault(k, []).append(np.concatenate(found))
    if not right:
        return None
    rows = [(each.scale, share) for each in scales for share in SHARES]
    start = rows.index((chosen.scale, chosen.share))
    return choose_by_boxes({k: np.array(each) for k, each in right.items()}, rows, start, HEAD_THRESHOLD, classes)
