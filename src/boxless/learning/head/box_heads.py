"""Localization heads that boxes alone teach, for small objects: there labels have taught none that are any good.

What labels have decided stays the start. A class takes a head only where it does better on boxed images that have not
taught it; see `boxless.learning.head.few_boxes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.notes import Notes
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.evaluation.class_thresholds import right_at
from boxless.evaluation.predict import measure_model
from boxless.export.backbone import Backbone
from boxless.learning.head.box_training import in_boxes
from boxless.learning.head.cells import Floats, ImageCells, read_cells
from boxless.learning.head.few_boxes import (
    BOXED,
    FOLDS,
    TAUGHT,
    Array,
    Caution,
    ChosenByBoxes,
    HeadChoice,
    box_curves,
    choose_by_boxes,
)
from boxless.learning.head.sampling import evenly
from boxless.learning.head.scale import MARGIN
from boxless.learning.head.self_training import LinearCells, discriminant
from boxless.models.model_file import Network
from boxless.system.progress import Progress

THRESHOLD = 0.5
"""Boxes of these heads surround cells with at least this probability: their classes are as rare as in images."""

ABSENT = 60
"""Images, some of which lack a class, that say what else there is."""

_CELLS = 96
"""Cells that an image gives, inside of boxes, and without the class."""

_OUTSIDE = 5
"""Cells outside of boxes for each one inside, at most."""

_POSITIVE = 960
"""Positive cells that a head is learned from, drawn with replacement."""

_NATURAL = 8
"""Negative cells for each positive one: with as many of both, regions become too large."""

_WITHOUT = 0.25
"""Share of images without the class among the negative cells."""

_CAUTION = Caution(prior=30.0, pull=1600.0, errors=1.0)
"""Boxed images are often so like each other, as frames of a film, that heads look better on them than they are."""

_RIDGE = 3.0
"""As in `boxless.learning.head.self_training`, where there are more cells to learn from."""


@dataclass(frozen=True)
class BoxHeads:
    """What boxed images chose.

    Attributes:
        heads: of the classes that take one.
        thresholds: of the boxes of all classes, in (0, 1).
        how: how it was chosen.
    """

    heads: Mapping[int, HeadChoice]
    thresholds: Mapping[int, float]
    how: ChosenByBoxes


def learn_box_heads(
    trunk: Backbone,
    network: Network,
    learned: LabelledImages,
    boxed: Sequence[BoxedImage],
    scales: Sequence[int],
    seed: int,
    progress: Progress,
) -> BoxHeads | None:
    """Learns heads from boxed images, and lets these images choose between them and what labels have decided.

    Args:
        trunk: the backbone.
        network: the model, as labels have decided it.
        learned: the images that it was learned from.
        boxed: images with boxes; some of them, by lot, where there are many.
        scales: that heads are learned at, in pixels.
        seed: of the lots.
        progress: called with the stage, how many are done, and of how many.

    Returns:
        None where no class has enough boxed images to teach a head.
    """
    card = network.card
    useful = [each for each in boxed if len(each.boxes) and each.class_index not in card.background]
    useful.sort(key=lambda each: each.path)
    if max(Counter(each.class_index for each in useful).values(), default=0) < TAUGHT:
        return None
    paths = list(dict.fromkeys(each.path for each in useful))
    some = [paths[i] for i in np.random.default_rng(seed).permutation(len(paths))[:BOXED]]
    absent = learned.only(evenly(learned, ABSENT, seed))
    cells: dict[int, dict[Path, ImageCells]] = {}
    every = list(dict.fromkeys([*some, *absent.paths]))
    no_maps = np.zeros((1, trunk.width), np.float32)
    for scale in scales:

        def done(count: int, scale: int = scale) -> None:
            progress(f"boxes at {scale}", count, len(every))

        found = read_cells(trunk, no_maps, every, [[]] * len(every), scale, 1, MARGIN, done)
        cells[scale] = {path: each for path, each in zip(every, found, strict=True) if each is not None}
    readable = set.intersection(*(set(each) for each in cells.values()))
    useful = [each for each in useful if each.path in readable and each.path in some]
    curves = label_curves(network, useful)
    classes = [k for k in range(len(card.labels)) if k not in card.background]
    of_class = {k: [each for each in useful if each.class_index == k and (each.path, k) in curves] for k in classes}
    by_labels = {k: np.array([curves[each.path, k] for each in mine]) for k, mine in of_class.items()}
    without = {
        k: [path for path, row in zip(absent.paths, absent.targets, strict=True) if not row[k] and path in readable]
        for k in classes
    }
    threshold = card.preset(card.default_preset).threshold
    return choose_box_heads(of_class, by_labels, cells, without, threshold, seed)


def label_curves(network: Network, images: Sequence[BoxedImage]) -> dict[tuple[Path, int], Array]:
    """How often a model's one box is right, (thresholds,), by image and class; see `box_curves`.

    Args:
        network: the model.
        images: with boxes, those of a file one after another.
    """
    scores = measure_model(network, network.card.default_preset, images, Notes())
    made = zip(images, scores, strict=True)
    return {(image.path, image.class_index): right_at([score.overlaps])[0] for image, score in made if score.overlaps}


def choose_box_heads(
    boxed: Mapping[int, Sequence[BoxedImage]],
    by_labels: Mapping[int, Array],
    cells: Mapping[int, Mapping[Path, ImageCells]],
    without: Mapping[int, Sequence[Path]],
    threshold: float,
    seed: int,
) -> BoxHeads | None:
    """The same, of images that have been read.

    Args:
        boxed: n images of each class, by class.
        by_labels: (n, thresholds) of each class: how often the box is right without heads, see `box_curves`.
        cells: of all these images, by scale.
        without: images that do not show each class.
        threshold: of boxes without heads, in (0, 1).
        seed: of the lots.
    """
    if max(map(len, boxed.values())) < TAUGHT:
        return None
    heads: dict[int, list[HeadChoice | None]] = {}
    right: dict[int, Array] = {}
    for k, images in boxed.items():
        heads[k], found = [None], [by_labels[k][:, None]]
        for scale, at in cells.items():
            head, curves = _judged([(at[each.path], each) for each in images], [at[path] for path in without[k]], seed)
            heads[k].append(HeadChoice(scale, head, THRESHOLD) if head else None)
            found.append(curves[:, None])
        if images:
            right[k] = np.concatenate(found, axis=1)
    rows = {k: np.array([n == 0 or each is not None for n, each in enumerate(mine)]) for k, mine in heads.items()}
    how = choose_by_boxes(right, rows, 0, np.array([threshold, *[THRESHOLD] * len(cells)]), _CAUTION)
    chosen = {k: heads[k][row] for k, (row, _) in how.choices.items()}
    return BoxHeads(
        {k: HeadChoice(each.scale, each.head, how.choices[k][1]) for k, each in chosen.items() if each},
        {k: at for k, (_, at) in how.choices.items()},
        how,
    )


def _judged(
    images: Sequence[tuple[ImageCells, BoxedImage]], without: Sequence[ImageCells], seed: int
) -> tuple[LinearCells | None, Array]:
    """A head of some boxed images, and its curves (n, thresholds), each of images that have not taught it.

    None where there are too few of them, or nothing outside of boxes.
    """
    random = np.random.default_rng(seed)
    drawn = [_drawn(cells, image, random) for cells, image in images]
    absent = [cells.at(random.integers(0, np.prod(cells.grid), _CELLS)) for cells in without]
    curves = np.zeros((len(images), len(THRESHOLDS)))
    everyone = range(len(images))
    whole = _learn(drawn, absent, random) if len(images) >= TAUGHT else None
    if whole is None:
        return None, curves
    for fold in range(min(FOLDS, len(images))):
        head = _learn([drawn[n] for n in everyone if n % FOLDS != fold], absent, random)
        if head is None:
            return None, curves
        for n in everyone[fold::FOLDS]:
            curves[n] = box_curves(images[n][0], [head], images[n][1])[0]
    return whole, curves


def _drawn(cells: ImageCells, image: BoxedImage, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Cells (n, C) inside and outside of the boxes; there may be none outside."""
    inside = in_boxes(cells.grid, image.boxes, image.size).ravel()
    one, other = (random.permutation(np.flatnonzero(which)) for which in (inside, ~inside))
    return cells.at(one[:_CELLS]), cells.at(other[: _OUTSIDE * _CELLS])


def _learn(
    boxed: Sequence[tuple[Floats, Floats]], absent: Sequence[Floats], random: np.random.Generator
) -> LinearCells | None:
    """None where nothing is negative."""

    def some(cells: Floats, count: float) -> Floats:
        return cells[random.integers(0, len(cells), round(count))] if len(cells) else cells

    positive, outside = (np.concatenate(parts) for parts in zip(*boxed, strict=True))
    lacking = np.concatenate([outside[:0], *absent])
    if not len(outside) + len(lacking):
        return None
    share = _WITHOUT if len(outside) and len(lacking) else float(not len(outside))
    count = _NATURAL * _POSITIVE
    negative = [some(outside, (1 - share) * count), some(lacking, share * count)]
    return discriminant(some(positive, _POSITIVE), np.concatenate(negative), _RIDGE)
