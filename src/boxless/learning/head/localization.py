"""How own classes are localized, decided from labels alone. What was measured stands in docs/own-data.md.

- A localization head (see `boxless.learning.head.self_training`), at the scale and share whose evidence is best.
- For small objects, class maps weighted by the anomaly score, of classes whose class map points at an anomaly.
- Else the refined class maps of the classification passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.labelled import LabelledImages
from boxless.errors import ImageError
from boxless.export.anomaly import Gaussian
from boxless.export.backbone import Backbone
from boxless.export.localization_head import ClassMapHead, LocalizationHead
from boxless.imaging.read import read_image
from boxless.learning.head.box_heads import BoxHeads
from boxless.learning.head.features import Engine, here
from boxless.learning.head.few_boxes import ChosenByBoxes, HeadChoice, heads_by_boxes
from boxless.learning.head.scale import MARGIN, Heads, HeadsAtScale, learn_at
from boxless.learning.head.small_objects import AtAnomalies, anomalies_of, are_small, by_anomalies, usual_cells
from boxless.models.card import Card
from boxless.models.presets import LocalizationPass, Preset
from boxless.system.progress import Progress

Floats = NDArray[np.float32]

_BY_BOXES = "boxed images, class by class"

_SMALLER, _LARGER = 2, 4
"""The scales to choose from, as multiples of the backbone's own."""

_WIDEST = 1024
"""Channels of mid-level features in all: with more, cells of a few hundred images say too little."""

_ENLARGED = 8
"""No scale enlarges the median image more than so many times: there is nothing more to see."""

_WORTH_IT = 1.02
"""The larger scale, four times as dear, has to have so many times the score of the smaller one."""


@dataclass(frozen=True, eq=False)
class Localization:
    """What was learned to localize with.

    Attributes:
        passes: of the presets of several scales; none where classification passes localize.
        head: the localization head, where a pass uses one.
        class_map_head: the class map head, where a pass uses one.
        gaussian: what images are made of, where a pass uses it.
        why: how it was decided, in words.
        thresholds: of the boxes of some classes, by class.
        box_scales: at which boxes may teach heads, since labels have taught none that are any good: objects are small.
        set_on: what thresholds were set on, in words.
        set_by_boxes: the classes whose thresholds boxes have set, or left as they are.
    """

    passes: tuple[LocalizationPass, ...] = ()
    head: LocalizationHead | None = None
    class_map_head: ClassMapHead | None = None
    gaussian: Gaussian | None = None
    why: str = "too little to learn it from"
    thresholds: Mapping[int, float] = field(default_factory=dict)
    box_scales: tuple[int, ...] = ()
    set_on: str = "probability of the localization head"
    set_by_boxes: frozenset[int] = frozenset()


def learn_localization(
    trunk: Backbone,
    weight: Floats,
    learned: LabelledImages,
    card: Card,
    asked: int | None = None,
    *,
    boxed: Sequence[BoxedImage] = (),
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
        boxed: images with boxes of some classes, if there are any; see `boxless.learning.head.few_boxes`.
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

    def at(scale: int) -> HeadsAtScale:
        return learn_at(trunk, heads.at(_SMALLER * usual), learned, scale, steps, seed, progress)

    first = at(_SMALLER * usual)
    if not first.classes:
        return Localization()
    larger = asked or _LARGER * usual
    possible = asked is not None or larger <= limit
    if possible and not first.tells:
        gaussian = usual_cells(trunk, learned.paths, larger, seed, lambda n, of: progress("what is usual", n, of))
        anomalies = anomalies_of(trunk, heads, gaussian, learned, first, larger, steps, seed, progress)
        if are_small(first, anomalies):
            found = _by_anomalies(heads, gaussian, anomalies, first, larger, steps)
            return replace(found, box_scales=(larger,) if asked else (first.scale, larger))
    chosen, learned_at = first, [first]
    if possible and larger != first.scale:
        second = at(larger)
        if second.classes:
            learned_at.append(second)
            if asked is not None or second.score > _WORTH_IT * first.score:
                chosen = second
    why = f"learned from the top {chosen.share:.1%} of cells; score {chosen.score:.2f}" + (
        f" ({first.score:.2f} at {first.scale})" if chosen is not first else ""
    )
    choices = {k: HeadChoice(chosen.scale, chosen.classes[k].heads[chosen.share]) for k in sorted(chosen.classes)}
    found = Localization()
    if boxed:
        by_boxes = heads_by_boxes(
            trunk, learned_at if asked is None else [chosen], chosen, learned, boxed, seed, progress
        )
        if by_boxes is not None:
            choices |= by_boxes[0]
            why += f"; {by_boxes[1]}"
            found = _chosen(found, by_boxes[1], frozenset(choices))
    made = _by_heads(trunk, choices, len(learned.classes))
    return replace(found, passes=made.passes, head=made.head, thresholds=made.thresholds, why=why)


def with_box_heads(found: Localization, made: BoxHeads, trunk: Backbone, count: int) -> Localization:
    """What labels have decided, but for the classes that take a head of boxes.

    Args:
        found: by labels.
        made: by boxes.
        trunk: the backbone.
        count: of classes.
    """
    heads = _by_heads(trunk, made.heads, count)
    kept = [replace(each, classes=tuple(k for k in each.classes if k not in made.heads)) for each in found.passes]
    found = _chosen(found, made.how, frozenset(made.thresholds))
    return replace(
        found,
        passes=(*(each for each in kept if each.classes), *heads.passes),
        head=heads.head if made.heads else None,
        why=f"{found.why}; {made.how}",
        thresholds=made.thresholds if made.how.better else {},
    )


def _chosen(found: Localization, how: ChosenByBoxes, classes: frozenset[int]) -> Localization:
    """What boxes of these classes have decided on."""
    return replace(found, set_by_boxes=classes, set_on=_BY_BOXES if how.better else found.set_on)


def _by_heads(trunk: Backbone, choices: Mapping[int, HeadChoice], count: int) -> Localization:
    """A pass for each scale that is chosen, and one head with a row for each class."""
    weight, bias = np.zeros((count, sum(trunk.layer_widths)), np.float32), np.zeros(count, np.float32)
    for k, choice in choices.items():
        weight[k], bias[k] = choice.head.weight, choice.head.bias
    ends = np.cumsum(trunk.layer_widths)[:-1]
    parts = tuple(np.ascontiguousarray(part) for part in np.split(weight, ends, axis=1))
    scales = sorted({each.scale for each in choices.values()})
    classes = {scale: tuple(sorted(k for k, each in choices.items() if each.scale == scale)) for scale in scales}
    passes = [LocalizationPass(scale, some, "head", margin=MARGIN) for scale, some in classes.items()]
    thresholds = {k: choice.threshold for k, choice in choices.items()}
    return Localization(tuple(passes), LocalizationHead(parts, bias), thresholds=thresholds)


def localized(card: Card, found: Localization) -> Card:
    """The card with the passes in all presets of several scales."""
    if not found.passes:
        return card
    known = found.thresholds

    def changed(preset: Preset) -> Preset:
        preset = replace(preset, localization=found.passes)
        if not known:
            return preset
        own = tuple(known.get(k, preset.threshold) for k in range(len(card.labels)))
        return replace(preset, thresholds=own, set_on=found.set_on)

    presets = {name: each if len(each.scales) == 1 else changed(each) for name, each in card.presets.items()}
    return replace(card, presets=presets)


def _by_anomalies(
    heads: Heads, gaussian: Gaussian, anomalies: Mapping[int, AtAnomalies], first: HeadsAtScale, scale: int, steps: int
) -> Localization:
    """Small objects: by anomaly-weighted class maps where class maps point at anomalies, else by class maps."""
    classes = by_anomalies(anomalies)
    if not classes:
        return Localization(why="small objects, and class maps and anomalies do not agree on where they are")
    passes = [LocalizationPass(scale, classes, "anomaly")]
    weight = np.zeros_like(heads.at(scale))
    weight[list(classes)] = heads.at(scale)[list(classes)]
    if others := tuple(sorted(set(anomalies) - set(classes))):
        passes.append(LocalizationPass(first.scale, others, "class_maps", steps, 1.0))
        weight[list(others)] = heads.at(first.scale)[list(others)]
    return Localization(
        tuple(passes),
        class_map_head=ClassMapHead(weight),
        gaussian=gaussian,
        why="small objects; class maps and anomalies agree on the first",
    )


def _median_side(learned: LabelledImages) -> float:
    """The median side of some of the images, in pixels; of those that can be read."""
    sides = []
    for path in learned.paths[:: max(1, len(learned) // 20)]:
        try:
            image = read_image(path)
        except ImageError:
            continue
        sides.append((image.height * image.width) ** 0.5)
    return float(np.median(sides)) if sides else 0.0
