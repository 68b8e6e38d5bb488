"""What is learned at one scale: localization heads of all classes, and classification heads for class maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages
from boxless.export.backbone import Backbone
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.classification_scale import MAX_IMAGES
from boxless.learning.head.features import Engine, pooled_features
from boxless.learning.head.head import fit_head
from boxless.learning.head.sampling import evenly
from boxless.learning.head.self_training import SHARES, Candidates, candidates
from boxless.system.progress import Progress

Floats = NDArray[np.float32]

MARGIN = 64
"""Pixels by which images are continued for the localization head: zero padding looks like an object at the border."""

_IMAGES, _A_CLASS, _MOST = 240, 80, 480
"""Images that are read at each scale: so many, or so many a class, but never more than the last; the same ones at each
scale, so that scores compare."""

_MEMORY = 9 << 28
"""Bytes of features that are kept at a time."""

_CELLS_A_FEATURE = 5
"""A share has to mark so many cells for each feature. Heads of fewer learn the most telling part alone, and are sure
of it: of 10 images of each class, labels would choose shares that box faces."""

_FAILS = 0.08
"""Heads tell images with the class from those without where they do so with less error."""


@dataclass(frozen=True, eq=False)
class HeadsAtScale:
    """What was learned at a scale: the candidates of each class that has any, from some images by index."""

    scale: int
    classes: Mapping[int, Candidates]
    indices: Sequence[int]
    images: Sequence[ImageCells]

    @property
    def shares(self) -> list[float]:
        """The shares that mark enough cells to learn from, mean over classes; the largest if none does."""
        found = list(self.classes.values())
        enough = _CELLS_A_FEATURE * len(found[0].heads[SHARES[0]].weight)
        return [s for s in SHARES if np.mean([each.cells[s] for each in found]) >= enough] or [SHARES[-1]]

    def scores(self, shares: Sequence[float]) -> dict[float, float]:
        """The score of some shares, mean over classes and, since single ones are noisy, over neighbouring shares."""
        found = [[each.evidence[share].score for share in shares] for each in self.classes.values()]
        padded = np.pad(np.mean(found, axis=0), 1, mode="edge")
        smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        return dict(zip(shares, smooth.tolist(), strict=True))

    @property
    def share(self) -> float:
        """The share with the best score, of those that mark enough cells."""
        return _best(self.scores(self.shares))

    @property
    def score(self) -> float:
        """The best score, of shares that mark enough cells."""
        return max(self.scores(self.shares).values())

    @property
    def tells(self) -> bool:
        """Whether the size of the regions tells images with the classes from those without."""
        found = [[each.evidence[share].separation for share in SHARES] for each in self.classes.values()]
        return bool(np.mean(found, axis=0).max() > 1 - _FAILS)

    @property
    def areas(self) -> dict[int, float]:
        """The share of the image that the regions of each class cover, at the share with the best score of all."""
        share = _best(self.scores(SHARES))
        return {k: each.evidence[share].area for k, each in self.classes.items()}


def _best(scores: Mapping[float, float]) -> float:
    return max(scores, key=lambda share: scores[share])


def learn_at(
    trunk: Backbone,
    weight: Floats,
    learned: LabelledImages,
    scale: int,
    steps: int,
    seed: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> HeadsAtScale:
    """Learns and judges the heads of all classes at a scale.

    Args:
        trunk: the backbone.
        weight: (K, C), of the classification head whose class maps mark cells.
        learned: the images.
        scale: pixels.
        steps: of the refinement of the class maps.
        seed: of what is drawn by lot.
        progress: called with the stage, how many images are done, and of how many.

    Returns:
        The heads, with the images that they were learned from.
    """
    from threadpoolctl import threadpool_limits

    shown = [[int(k) for k in np.flatnonzero(row) if k not in learned.background] for row in learned.targets]
    most = min(max(_IMAGES, _A_CLASS * len(learned.classes)), _MOST, _MEMORY // _bytes(trunk, scale))
    some = evenly(learned, max(1, most), seed)
    stage = f"cells at {scale}"
    read = read_cells(
        trunk, weight, [learned.paths[i] for i in some], [shown[i] for i in some], scale, steps, MARGIN,
        lambda count: progress(stage, count, len(some)),
    )  # fmt: skip
    kept = [(int(i), cells) for i, cells in zip(some, read, strict=True) if cells is not None]
    images, indices = [cells for _, cells in kept], [i for i, _ in kept]
    random = np.random.default_rng(seed)
    classes = [k for k in range(len(learned.classes)) if k not in learned.background]
    found = {}
    with threadpool_limits(1, "blas"):  # products are small: two threads within one wait for each other
        for n, k in enumerate(classes, 1):
            each = candidates(images, learned.targets[indices], k, random)
            if each is not None:
                found[k] = each
            progress(f"localizing at {scale}", n, len(classes))
    return HeadsAtScale(scale, found, indices, images)


def _bytes(trunk: Backbone, scale: int) -> int:
    """About how many bytes the features of an image take: its finest ones have a cell for 8 x 8 pixels."""
    cells = ((scale + 2 * MARGIN) / 8) ** 2
    return int(2 * cells * (trunk.layer_widths[0] + sum(trunk.layer_widths[1:]) / 4)) + 1


@dataclass(frozen=True)
class Heads:
    """Classification heads (K, C) at several scales, by the scale; each is fitted when it is first asked for.

    A head tells more about the features of the scale that it was fitted at.
    """

    trunk: Backbone
    learned: LabelledImages
    engine: Engine
    seed: int
    progress: Progress
    known: dict[int, Floats]

    def at(self, scale: int) -> Floats:
        """The head of a scale: (K, C)."""
        if scale not in self.known:
            some = self.learned.only(evenly(self.learned, MAX_IMAGES, self.seed))
            made = pooled_features(
                self.trunk, some.paths, scale, engine=self.engine,
                done=lambda count: self.progress(f"features at {scale}", count, len(some)),
            )  # fmt: skip
            readable = np.array([i for i in range(len(some)) if i not in made.unreadable], np.int64)
            targets = some.targets[readable]
            if not (targets.max(axis=0) > targets.min(axis=0)).all():
                return next(iter(self.known.values()))  # too few can be read
            self.known[scale] = fit_head(made.pooled[readable], targets, several=some.several, seed=self.seed).weight
        return self.known[scale]
