"""Which localization head, and which threshold, a few boxed images of each class choose.

Labels choose one scale and one share for all classes; a few boxes choose class by class, among the heads that labels
have taught and, from a few boxed images of the class on, those that boxes have taught too. Alone they would choose
badly, so what they say of a class is mixed with what they say of all classes, and starts from the choice of the labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.box_accuracy import THRESHOLDS, overlaps
from boxless.evaluation.class_thresholds import PULL, right_at
from boxless.export.backbone import Backbone
from boxless.learning.head.box_training import MIXES, boxed_cells, learn_from_boxes
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.scale import MARGIN, HeadsAtScale
from boxless.learning.head.self_training import SHARES, LinearCells, marked_cells
from boxless.maps.refine import resize_maps
from boxless.system.progress import Progress

Array = NDArray[np.float64]

_SHARED = 2.0
"""What all classes say of a head counts as much as so many boxed images of the class."""

_SMOOTH = 3
"""Thresholds to either side that count too: the very highest point of a curve is an accident."""

_GRID = 256
"""Cells of the longer side of the map that boxes are cut from, as in results."""

FOLDS = 5

BOXED = 150
"""Boxed images that choose among heads, at most."""

TAUGHT = 4
"""Boxed images of a class that it takes to teach heads: they are judged on images that have not taught them."""

HEAD_THRESHOLD = 0.35
"""Boxes of a localization head surround cells with at least this probability, as a fraction of the largest one, which
is nearly 1; see docs/decisions/0083-boxes-at-a-third.md."""


@dataclass(frozen=True)
class Caution:
    """What it takes to overrule the labels' choice.

    Attributes:
        prior: by so many points, over the root of the number of boxed images, it is ahead of all others.
        pull: how strongly a class with few boxed images keeps its threshold; see `PULL`.
        errors: what is chosen has to be better on images left out by so many standard errors.
    """

    prior: float = 60.0
    pull: float = PULL
    errors: float = 0.0


@dataclass(frozen=True, eq=False)
class HeadChoice:
    """How a class is localized: by a head at a scale, and the threshold of its boxes in (0, 1)."""

    scale: int
    head: LinearCells
    threshold: float = HEAD_THRESHOLD


@dataclass(frozen=True)
class ChosenByBoxes:
    """What boxed images chose.

    Attributes:
        choices: the row and the threshold of each class.
        images: how many pairs of an image and a class chose.
        before, after: one box right, in percent, mean over IoU 0.3, 0.5 and 0.7, on boxed images that did not choose:
            with the labels' choice, and with the boxes'. The same where the labels' choice stays.
    """

    choices: Mapping[int, tuple[int, float]]
    images: int
    before: float
    after: float

    @property
    def better(self) -> bool:
        """Whether boxes chose something better than labels did."""
        return self.after > self.before

    def __str__(self) -> str:
        if not self.better:
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
    right: Mapping[int, Array],
    rows: Mapping[int, NDArray[np.bool_]],
    start: int,
    thresholds: Array,
    caution: Caution = Caution(),
) -> ChosenByBoxes:
    """Chooses the head and threshold of each class; all keep the labels' choice where others do not win.

    Args:
        right: (n, rows, thresholds) for each class with n boxed images, see `box_curves`.
        rows: (rows,), which heads a class has, for each that is localized; one without a boxed image follows the
            others.
        start: the row that labels have chosen, which all classes have.
        thresholds: (rows,), what each row is cut at without boxes, in (0, 1).
        caution: what it takes to overrule the labels' choice.
    """
    images = sum(len(each) for each in right.values())
    at_start = int(np.abs(THRESHOLDS - thresholds[start]).argmin())
    starts = np.cumsum([0, *(len(each) for each in right.values())])  # folds go on from class to class
    of_fold = {
        k: (first + np.arange(len(each))) % FOLDS for first, (k, each) in zip(starts, right.items(), strict=False)
    }
    before, after = [], []
    for fold in range(min(FOLDS, images) if images > 1 else 0):
        rest = {k: each[of_fold[k] != fold] for k, each in right.items()}
        chosen = _choose(rest, rows, start, thresholds, caution)
        for k, each in right.items():
            row, at = chosen[k]
            unseen = each[of_fold[k] == fold]
            before += unseen[:, start, at_start].tolist()
            after += unseen[:, row, at].tolist()
    gains = np.array(after) - np.array(before)
    wins = bool(after) and gains.mean() > caution.errors * gains.std() / len(gains) ** 0.5
    kept = [float(right[k][:, start, at_start].mean()) for k in right]
    found = _choose(right, rows, start, thresholds, caution) if wins else dict.fromkeys(rows, (start, at_start))
    return ChosenByBoxes(
        {k: (row, round(float(THRESHOLDS[at]), 2)) for k, (row, at) in found.items()},
        images,
        float(np.mean(before or kept)),
        float(np.mean(after if wins else before or kept)),
    )


def _choose(
    right: Mapping[int, Array],
    rows: Mapping[int, NDArray[np.bool_]],
    start: int,
    thresholds: Array,
    caution: Caution,
) -> dict[int, tuple[int, int]]:
    """Row and threshold, by index, of each class."""
    boxed = {k: each for k, each in right.items() if len(each)}
    images = sum(map(len, boxed.values()))
    means = np.ma.masked_array(
        [each.mean(axis=0) for each in boxed.values()],
        mask=[np.broadcast_to(~rows[k][:, None], each.shape[1:]) for k, each in boxed.items()],
    )
    shared = means.mean(axis=0).filled(0)
    ahead = np.full((len(shared), 1), caution.prior / max(1, images) ** 0.5)
    ahead[start] = 0
    found = {}
    for k, there in rows.items():
        own = boxed.get(k, np.zeros((0, *shared.shape)))
        mean = (own.sum(axis=0) + _SHARED * shared) / (len(own) + _SHARED)
        padded = np.pad(mean, ((0, 0), (_SMOOTH, _SMOOTH)), mode="edge")
        smooth = np.lib.stride_tricks.sliding_window_view(padded, 2 * _SMOOTH + 1, axis=1).mean(axis=2)
        away = (THRESHOLDS - thresholds[:, None]) ** 2
        score = smooth - caution.pull * away / max(1, len(own)) - ahead
        row, at = np.unravel_index(np.where(there[:, None], score, -np.inf).argmax(), score.shape)
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
) -> tuple[dict[int, HeadChoice], ChosenByBoxes] | None:
    """What boxed images choose among the heads of some scales, and among those that they teach themselves.

    Args:
        trunk: the backbone.
        scales: the heads.
        chosen: the one of them that labels have chosen.
        learned: the images that the heads were learned from.
        boxed: images with boxes; some of them, by lot, where there are many.
        seed: of the lots.
        progress: called with the stage, how many images are done, and of how many.

    Returns:
        The head of each class, and how it was chosen; None where no image that can be read has a box of a class that
        has heads.
    """
    from threadpoolctl import threadpool_limits

    classes = sorted(set.intersection(*(set(each.classes) for each in scales)) & set(chosen.classes))
    useful = [each for each in boxed if len(each.boxes) and each.class_index in classes]
    paths = list(dict.fromkeys(each.path for each in useful))
    some = [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))[:BOXED]]
    cells = {at.scale: _cells_of(trunk, at, learned, some) for at in scales}
    readable = set.intersection(*(set(each) for each in cells.values()))
    of_class = {k: [each for each in useful if each.class_index == k and each.path in readable] for k in classes}
    heads: dict[int, list[HeadChoice | None]] = {k: [] for k in classes}
    curves: dict[int, list[Array]] = {k: [] for k in classes}
    with threadpool_limits(1, "blas"):  # as in `learn_at`
        for at, (n, k) in product(scales, enumerate(classes, 1)):
            images = [(cells[at.scale][each.path], each) for each in of_class[k]]
            taught, found = _judged(at, k, images, learned, np.random.default_rng((seed, k)))
            heads[k] += [HeadChoice(at.scale, each) if each else None for each in taught]
            curves[k].append(found)
            progress(f"boxes at {at.scale}", n, len(classes))
    right = {k: np.concatenate(each, axis=1) for k, each in curves.items() if of_class[k]}
    if not right:
        return None
    start = len(heads[classes[0]]) // len(scales) * scales.index(chosen) + SHARES.index(chosen.share)
    rows = {k: np.array([each is not None for each in heads[k]]) for k in classes}
    by_boxes = choose_by_boxes(right, rows, start, np.full(len(heads[classes[0]]), HEAD_THRESHOLD))
    choices = {}
    for k, (row, threshold) in by_boxes.choices.items():
        head = heads[k][row]
        assert head is not None
        choices[k] = replace(head, threshold=threshold)
    return choices, by_boxes


def _cells_of(
    trunk: Backbone, at: HeadsAtScale, learned: LabelledImages, paths: Sequence[Path]
) -> dict[Path, ImageCells]:
    """The cells of those of some images that can be read."""
    known = {learned.paths[i]: cells for i, cells in zip(at.indices, at.images, strict=True)}
    unknown = [path for path in paths if path not in known]
    no_maps = np.zeros((1, trunk.width), np.float32)
    read = read_cells(trunk, no_maps, unknown, [[]] * len(unknown), at.scale, 1, MARGIN)
    found = known | {path: cells for path, cells in zip(unknown, read, strict=True) if cells is not None}
    return {path: found[path] for path in paths if path in found}


def _judged(
    at: HeadsAtScale,
    k: int,
    images: Sequence[tuple[ImageCells, BoxedImage]],
    learned: LabelledImages,
    random: np.random.Generator,
) -> tuple[list[LinearCells | None], Array]:
    """The heads of a class at a scale, taught by labels and by boxes, with their curves (n, heads, thresholds).

    Heads that boxes teach are judged on boxed images that have not taught them; too few teach none.
    """
    by_labels = [at.classes[k].heads[share] for share in SHARES]
    curves = np.zeros((len(images), len(SHARES) + len(MIXES), len(THRESHOLDS)))
    for n, (cells, image) in enumerate(images):
        curves[n, : len(SHARES)] = box_curves(cells, by_labels, image)
    marked = marked_cells(at.images, learned.targets[list(at.indices)], k, random)
    if len(images) < TAUGHT or marked is None:
        return [*by_labels, *[None] * len(MIXES)], curves
    drawn = [boxed_cells(cells, image.boxes, image.size, random) for cells, image in images]

    def taught(which: Sequence[int]) -> list[LinearCells]:
        return [learn_from_boxes(at.share, mix, marked, [drawn[n] for n in which], random) for mix in MIXES]

    everyone = range(len(images))
    for fold in range(min(FOLDS, len(images))):
        heads = taught([n for n in everyone if n % FOLDS != fold])
        for n in everyone[fold::FOLDS]:
            cells, image = images[n]
            curves[n, len(SHARES) :] = box_curves(cells, heads, image)
    return [*by_labels, *taught(everyone)], curves
