"""How own classes are localized, decided from labels alone. What was measured stands in docs/own-data.md.

- A localization head (see `boxless.learning.head.self_training`), at the scale and share whose evidence is best.
- For small objects, class maps weighted by the anomaly score, of classes whose class map points at an anomaly.
- Else the refined class maps of the classification passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledPictures
from boxless.errors import PictureError
from boxless.export.anomaly import Gaussian
from boxless.export.backbone import Backbone
from boxless.export.localization_head import ClassMapHead, LocalizationHead
from boxless.imaging.read import read_picture
from boxless.learning.head.anomaly import AtAnomalies, at_anomalies, usual_cells
from boxless.learning.head.cells import ImageCells, read_cells
from boxless.learning.head.draw import evenly
from boxless.learning.head.features import Engine, here, pooled_features
from boxless.learning.head.head import fit_head
from boxless.learning.head.naming import LOOKED_AT
from boxless.learning.head.self_training import SHARES, Candidates, candidates
from boxless.models.card import Card
from boxless.models.presets import LocalizationPass, Preset
from boxless.system.progress import Progress

Floats = NDArray[np.float32]

HEAD_THRESHOLD = 0.5
"""Boxes of a localization head surround the cells that are more probably of an object than not."""

MARGIN = 64
"""Pixels by which images are continued for the localization head: zero padding looks like an object at the border."""

_SMALLER, _LARGER = 2, 4
"""The scales to choose from, as multiples of the backbone's own."""

_IMAGES, _A_CLASS, _MOST = 240, 80, 480
"""Images that are read at each scale: so many, or so many a class, but never more than the last; the same ones at each
scale, so that scores compare."""

_MEMORY = 9 << 28
"""Bytes of features that are kept at a time."""

_WIDEST = 1024
"""Channels of mid-level features in all: with more, cells of a few hundred images say too little."""

_ENLARGED = 8
"""No scale enlarges the median image more than so many times: there is nothing more to see."""

_WORTH_IT = 1.02
"""The larger scale, four times as dear, has to have so many times the score of the smaller one."""

_FAILS, _SMALL = 0.05, 3.0
"""Objects are small where heads tell images with the class from those without with more error than the first, and
their regions have more than so many times the area of the anomalies there."""

_POINTS_AT = 0.88
"""A class is localized by anomalies where its class map reaches so much of its maximum at theirs."""

_AGREEMENT_IMAGES = 60


@dataclass(frozen=True, eq=False)
class Localization:
    """What was learned to localize with.

    Attributes:
        passes: of the presets of several scales; none where classification passes localize.
        head: the localization or class map head, where a pass uses one.
        gaussian: what images are made of, where a pass uses it.
        why: how it was decided, in words.
    """

    passes: tuple[LocalizationPass, ...] = ()
    head: LocalizationHead | ClassMapHead | None = None
    gaussian: Gaussian | None = None
    why: str = "too little to learn it from"


@dataclass(frozen=True, eq=False)
class _AtScale:
    """What was learned at a scale: the candidates of each class that has any, from some images by index."""

    scale: int
    classes: Mapping[int, Candidates]
    indices: Sequence[int]
    images: Sequence[ImageCells]

    def scores(self) -> dict[float, float]:
        """The score of each share, mean over classes and, since single ones are noisy, over neighbouring shares."""
        found = [[each.evidence[share].score for share in SHARES] for each in self.classes.values()]
        padded = np.pad(np.mean(found, axis=0), 1, mode="edge")
        smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
        return dict(zip(SHARES, smooth.tolist(), strict=True))

    @property
    def share(self) -> float:
        """The share with the best score."""
        scores = self.scores()
        return max(scores, key=lambda share: scores[share])

    @property
    def score(self) -> float:
        """The best score."""
        return max(self.scores().values())

    @property
    def tells(self) -> bool:
        """Whether the size of the regions tells images with the classes from those without."""
        found = [[each.evidence[share].separation for share in SHARES] for each in self.classes.values()]
        return bool(np.mean(found, axis=0).max() > 1 - _FAILS)

    def small(self, anomalies: Mapping[int, AtAnomalies]) -> bool:
        """Whether the regions are far larger than what is unusual within: geometric mean over classes."""
        ratios = [
            self.classes[k].evidence[self.share].area / max(each.area, 1e-4)
            for k, each in anomalies.items()
            if k in self.classes
        ]
        return bool(ratios) and float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-4))))) > _SMALL


def learn_localization(
    trunk: Backbone,
    weight: Floats,
    learned: LabelledPictures,
    card: Card,
    asked: int | None = None,
    *,
    seed: int = 0,
    engine: Engine = here,
    progress: Progress = lambda stage, done, total: None,
) -> Localization:
    """Decides how each class is localized, and learns what that needs.

    Args:
        trunk: the backbone.
        weight: (K, C), of the classification head.
        learned: the images that it was learned from, which can be read.
        card: of the model.
        asked: the scale in pixels, if the user names it.
        seed: of what is drawn by lot.
        engine: what makes features.
        progress: called with the stage, how many images are done, and of how many.
    """
    if not trunk.has_layers:
        return Localization(why="the backbone has no mid-level features to learn it from")
    if sum(trunk.layer_widths) > _WIDEST:
        return Localization(
            why=f"the backbone has {sum(trunk.layer_widths):,} mid-level channels; a few hundred images are enough for "
            f"{_WIDEST:,}"
        )
    if card.fixed_size is not None:
        return Localization(why="the backbone has a fixed input size")
    usual = trunk.card.preset(trunk.card.default_preset).scales[0]
    limit = _ENLARGED * _median_side(learned)
    if _SMALLER * usual > limit and asked is None:
        return Localization(why="the images are too small for a larger scale to show more")
    steps = card.preset(card.default_preset).refinement_steps
    heads = Heads(trunk, learned, engine, seed, progress, {card.preset(card.default_preset).scales[0]: weight})

    def at(scale: int) -> _AtScale:
        return learn_at(trunk, heads.at(_SMALLER * usual), learned, scale, steps, seed, progress)

    first = at(_SMALLER * usual)
    if not first.classes:
        return Localization()
    larger = asked or _LARGER * usual
    possible = asked is not None or larger <= limit
    if possible and not first.tells:
        gaussian = usual_cells(trunk, learned.paths, larger, seed, lambda n, of: progress("what is usual", n, of))
        anomalies = _anomalies(trunk, heads.at(larger), gaussian, learned, first, larger, seed, progress)
        if first.small(anomalies):
            return _by_anomalies(heads, gaussian, anomalies, first, larger, steps)
    chosen = first
    if possible and larger != first.scale:
        second = at(larger)
        if second.classes and (asked is not None or second.score > _WORTH_IT * first.score):
            chosen = second
    classes = tuple(sorted(chosen.classes))
    return Localization(
        (LocalizationPass(chosen.scale, classes, "head", margin=MARGIN),),
        _head(trunk, chosen, len(learned.classes)),
        why=f"learned from the top {chosen.share:.1%} of cells; score {chosen.score:.2f}"
        + (f" ({first.score:.2f} at {first.scale})" if chosen is not first else ""),
    )


def localized(card: Card, found: Localization) -> Card:
    """The card with the passes in all presets of several scales."""
    if not found.passes:
        return card
    by_head = {k for each in found.passes if each.source == "head" for k in each.classes}

    def changed(preset: Preset) -> Preset:
        preset = replace(preset, localization=found.passes)
        if not by_head:
            return preset
        own = tuple(HEAD_THRESHOLD if k in by_head else preset.threshold for k in range(len(card.labels)))
        return replace(preset, thresholds=own, set_on="probability of the localization head")

    presets = {name: each if len(each.scales) == 1 else changed(each) for name, each in card.presets.items()}
    return replace(card, presets=presets)


def learn_at(
    trunk: Backbone,
    weight: Floats,
    learned: LabelledPictures,
    scale: int,
    steps: int,
    seed: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> _AtScale:
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
    return _AtScale(scale, found, indices, images)


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
    learned: LabelledPictures
    engine: Engine
    seed: int
    progress: Progress
    known: dict[int, Floats]

    def at(self, scale: int) -> Floats:
        """The head of a scale: (K, C)."""
        if scale not in self.known:
            some = self.learned.only(evenly(self.learned, LOOKED_AT, self.seed))
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


def _anomalies(
    trunk: Backbone,
    weight: Floats,
    gaussian: Gaussian,
    learned: LabelledPictures,
    first: _AtScale,
    scale: int,
    seed: int,
    progress: Progress,
) -> dict[int, AtAnomalies]:
    some = evenly(learned.only(np.array(first.indices)), _AGREEMENT_IMAGES, seed)
    return at_anomalies(
        trunk, weight, gaussian, [learned.paths[first.indices[i]] for i in some],
        [first.images[i].maps for i in some], LocalizationPass(scale, (), "anomaly"),
        lambda n: progress("what is unusual", n, len(some)),
    )  # fmt: skip


def _by_anomalies(
    heads: Heads, gaussian: Gaussian, anomalies: Mapping[int, AtAnomalies], first: _AtScale, scale: int, steps: int
) -> Localization:
    """Small objects: by anomaly-weighted class maps where class maps point at anomalies, else by class maps."""
    classes = tuple(sorted(k for k, each in anomalies.items() if each.activation >= _POINTS_AT))
    if not classes:
        return Localization(why="small objects, and class maps and anomalies do not agree on where they are")
    passes = [LocalizationPass(scale, classes, "anomaly")]
    weight = np.zeros_like(heads.at(scale))
    weight[list(classes)] = heads.at(scale)[list(classes)]
    if others := tuple(sorted(set(anomalies) - set(classes))):
        passes.append(LocalizationPass(first.scale, others, "class_maps", steps, 1.0))
        weight[list(others)] = heads.at(first.scale)[list(others)]
    return Localization(
        tuple(passes), ClassMapHead(weight), gaussian, "small objects; class maps and anomalies agree on the first"
    )


def _head(trunk: Backbone, chosen: _AtScale, count: int) -> LocalizationHead:
    weight, bias = np.zeros((count, sum(trunk.layer_widths)), np.float32), np.zeros(count, np.float32)
    for k, each in chosen.classes.items():
        head = each.heads[chosen.share]
        weight[k], bias[k] = head.weight, head.bias
    ends = np.cumsum(trunk.layer_widths)[:-1]
    return LocalizationHead(tuple(np.ascontiguousarray(part) for part in np.split(weight, ends, axis=1)), bias)


def _median_side(learned: LabelledPictures) -> float:
    """The median side of some of the images, in pixels; of those that can be read."""
    sides = []
    for path in learned.paths[:: max(1, len(learned) // 20)]:
        try:
            picture = read_picture(path)
        except PictureError:
            continue
        sides.append((picture.height * picture.width) ** 0.5)
    return float(np.median(sides)) if sides else 0.0
