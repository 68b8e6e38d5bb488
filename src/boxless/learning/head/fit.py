"""Own classes in minutes: a linear head on a frozen backbone, written into one model file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import log
from pathlib import Path

import numpy as np

from boxless.datasets.boxed import BoxedImage, BoxedSet, check_boxes, read_dataset
from boxless.datasets.labelled import LabelledImages
from boxless.errors import DatasetError
from boxless.evaluation.calibrate import Calibration
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.learning.finish import finish, presets_for, threshold_facts
from boxless.learning.head.box_heads import learn_box_heads
from boxless.learning.head.classification_scale import choose_classification_scale
from boxless.learning.head.contradictions import contradictions
from boxless.learning.head.features import Engine, here, pooled_features
from boxless.learning.head.few_boxes import boxed_images
from boxless.learning.head.head import LinearHead, fit_head
from boxless.learning.head.localization import Localization, learn_localization, localized, with_box_heads
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.report import Report
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.presets import Preset
from boxless.models.zoo import DEFAULT_MODEL
from boxless.system.files import check_space, write_whole
from boxless.system.progress import Progress

_CHANCE = 0.95
"""Of the loss of guessing: a head that loses more has learned nothing."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """What `fit` made.

    Attributes:
        path: of the model file.
        card: of the model.
        head: its last layer.
        cached: how many images had their features on disk already.
        report: what was learned, and how well.
        thresholds: where boxes set them.
    """

    path: Path
    card: Card
    head: LinearHead
    cached: int
    report: Report
    thresholds: tuple[Calibration, ...]


def fit(
    training: LabelledImages,
    validation: LabelledImages,
    out: Path,
    *,
    backbone: str | Path = DEFAULT_MODEL,
    side: int | None = None,
    localization_size: int | None = None,
    boxes: Path | None = None,
    licence: str = "unknown",
    seed: int = 0,
    engine: Engine = here,
    progress: Progress = lambda stage, done, total: None,
) -> Fitted:
    """Learns classes from images, and writes a model file that classifies and locates them.

    The backbone stays as it is; what is learned is one linear layer behind the average of its last features.

    Args:
        training: see `boxless.datasets.split.read_split`.
        validation: images to measure on, of the same classes.
        out: the model file.
        backbone: the name of a model that comes with boxless, or a model file's path.
        side: pixels; the head is fitted on images of about side * side of them. Where None, at the side of the
            backbone's first scale or at twice it, whichever classifies better; see
            `boxless.learning.head.classification_scale`.
        localization_size: pixels of the pass that localizes all classes; where None, the labels decide. See
            `boxless.learning.head.localization`.
        boxes: annotations (COCO, CSV, a folder) of a few images of each class, which choose among localization heads
            and set thresholds; labels choose alone where None.
        licence: of the model, an SPDX identifier.
        seed: of the folds of the cross-validation.
        engine: what reads the images and makes their features.
        progress: called with the stage, how many are done, and of how many.

    Raises:
        DatasetError: if there is nothing to tell apart, too much cannot be read, or the boxes fit no class.
        ModelFileError: if there is no such backbone.
        DiskSpaceError: if features or model would not fit on the disk.
    """
    if boxes is not None:
        check_boxes(boxes, training.classes)
    trunk = Backbone(backbone)
    scale = None
    if side is None:
        _check_classes(training)
        scale = choose_classification_scale(
            trunk, training, seed, engine, lambda at, n, of: progress(f"classifying at {at}", n, of)
        )
        side = scale.size
    check_space(out.parent, 2 * trunk.path.stat().st_size, "the model file")
    paths = [*training.paths, *validation.paths]
    made = pooled_features(
        trunk, paths, side, engine=engine, done=lambda count: progress("features", count, len(paths))
    )  # fmt: skip
    border = len(training)
    learned = training.without({i: why for i, why in made.unreadable.items() if i < border})
    held_out = validation.without({i - border: why for i, why in made.unreadable.items() if i >= border})
    readable = np.array([i for i in range(len(paths)) if i not in made.unreadable])
    _check_classes(learned)
    features = made.only(readable[readable < border])
    head = fit_head(features, learned.targets, several=learned.several, seed=seed, done=partial(progress, "learning"))
    at_chance = _at_chance(head, learned)
    warnings = [note for note in (contradictions(learned, features.places), at_chance) if note]
    learned = replace(learned, notes=(*learned.notes, *warnings))

    card = _card(out.stem, trunk.card, learned, side, licence)
    boxed: BoxedSet | None = None
    if boxes is not None:
        boxed, others = _agreeing(read_dataset(boxes, card), learned)
        learned = replace(learned, notes=(*learned.notes, *others))
    thresholds: tuple[Calibration, ...] = ()
    report: Report | None = None

    def written(found: Localization, beside: Path) -> Card:
        """The card of the model file with these passes."""
        if not found.passes:
            return card
        made = localized(card, found)
        parts = found.head, found.class_map_head, found.gaussian
        write_model(with_head(trunk.path, head.weight, head.bias, made, *parts), beside)
        return made

    def write(beside: Path) -> None:
        nonlocal card, thresholds, report
        write_model(with_head(trunk.path, head.weight, head.bias, card), beside)
        found = Localization(why="the classes cannot be told apart")
        if not at_chance:
            found = learn_localization(
                trunk,
                head.weight,
                learned,
                card,
                localization_size,
                boxed=boxed.images if boxed else (),
                seed=seed,
                engine=engine,
                progress=progress,
            )
        card = written(found, beside)
        if boxed and found.box_scales:
            by_boxes = learn_box_heads(
                trunk, ModelFile(beside), learned, boxed.images, found.box_scales, seed, progress
            )  # fmt: skip
            if by_boxes:
                found = with_box_heads(found, by_boxes, trunk, len(card.labels))
                card = written(found, beside)
        done = finish(beside, card, held_out, boxed, progress, found.set_by_boxes)
        card, thresholds = done.card, done.thresholds
        facts = _facts(trunk.card, learned, held_out, str(scale or f"at {side} pixels, as asked"), head, card, found)
        unseen = learned if head.unseen is None else learned.only(head.unseen)
        left_out = HeldOut(unseen, head.left_out) if head.left_out is not None else None
        report = Report.of(
            f"{card.name}: {len(card.labels)} classes",
            facts,
            learned,
            done.measured,
            left_out,
            thresholds,
            done.occlusion,
        )

    write_whole(out, write)
    assert report is not None
    return Fitted(out, card, head, made.cached, report, thresholds)


def _at_chance(head: LinearHead, learned: LabelledImages) -> str | None:
    """A note on classes that the labels do not tell apart; None if they do, or too few images say so."""
    guessing = log(2 if learned.several else len(learned.classes))
    best = min(head.losses.values(), default=0.0)
    if best < _CHANCE * guessing:
        return None
    return (
        f"the classes cannot be told apart: the cross-validated loss is {best:.2f}, and guessing has {guessing:.2f}. "
        "Check the labels; what differs may be too small to see (--size)"
    )


def _agreeing(boxed: BoxedSet, learned: LabelledImages) -> tuple[BoxedSet, tuple[str, ...]]:
    """The boxed images whose labels do not say otherwise, and a note on the others."""
    shown = {path.resolve(): targets for path, targets in zip(learned.paths, learned.targets, strict=True)}
    agree: list[BoxedImage] = []
    others: list[BoxedImage] = []
    for each in boxed.images:
        targets = shown.get(each.path.resolve())
        (agree if targets is None or targets[each.class_index] else others).append(each)
    if not others:
        return boxed, ()
    example = f"{others[0].path.name}: {learned.classes[others[0].class_index]}"
    return replace(boxed, images=tuple(agree)), (
        f"{boxed_images(len(others))} with boxes of a class that is not the image's label ({example}): left out",
    )


def _check_classes(images: LabelledImages) -> None:
    if images.several:
        everywhere = [name for name, count in zip(images.classes, images.counts, strict=True) if count == len(images)]
        if everywhere:
            raise DatasetError(
                f"{images.name}: every image shows {', '.join(everywhere)}: add images that do not, with the "
                "label background"
            )


def _card(name: str, backbone: Card, images: LabelledImages, side: int, licence: str) -> Card:
    return replace(
        backbone,
        name=name,
        labels=images.classes,
        class_ids=(),
        background=images.background,
        activation="sigmoid" if images.several else "softmax",
        presets=presets_for(backbone.presets, side, f"carried over from {backbone.name}: not set on these classes"),
        licence=licence,
        source=f"a head fitted on {len(images)} images of {images.name}; backbone {backbone.name} "
        f"({backbone.licence}): {backbone.source}",
        maps="exact",
        figures={},
        figures_on="",
    )


def _facts(
    backbone: Card,
    learned: LabelledImages,
    held_out: LabelledImages,
    named: str,
    head: LinearHead,
    card: Card,
    found: Localization,
) -> list[tuple[str, str]]:
    preset = card.preset(card.default_preset)
    how = "cross-validation" if head.unseen is None else "a fifth that was left out; learned piece by piece"
    chosen = f"chosen by {how}" if head.losses else "a default: too few images of a class to choose it"
    return [
        ("learned from", f"{len(learned)} images of {learned.name}"),
        ("held out", f"{len(held_out)} images of {held_out.name}"),
        ("backbone", f"{backbone.name}, frozen"),
        ("classifies", named),
        ("head", f"linear, regularisation C = {head.strength:g}, {chosen}"),
        ("labels an image", "several (sigmoid)" if learned.several else "one (softmax)"),
        ("localizes", f"{_localizes(card, preset)} ({found.why})"),
        *threshold_facts(card),
    ]


_BY = {
    "head": "by a localization head",
    "anomaly": "by class maps weighted by the anomaly score",
    "class_maps": "by refined class maps with a head of that scale",
}


def _localizes(card: Card, preset: Preset) -> str:
    """Which classes are localized how, in words."""
    shown = len(card.labels) - len(card.background)
    said = [
        f"{'all classes' if len(each.classes) == shown else ', '.join(card.labels[k] for k in each.classes)} at "
        f"{each.scale} pixels {_BY[each.source]}"
        for each in preset.localization
    ]
    if sum(len(each.classes) for each in preset.localization) < shown:
        who = "the others" if said else "all classes"
        said.append(f"{who} at {' and '.join(map(str, preset.scales))} pixels by refined class maps")
    return "; ".join(said)
