"""Own classes in minutes: a linear head on a frozen backbone, written into one model file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from boxless.card import Card
from boxless.errors import DatasetError
from boxless.evaluation.calibrate import Calibration
from boxless.files import check_space, write_whole
from boxless.graph.assemble import write_model
from boxless.graph.backbone import Backbone, with_head
from boxless.training.features import pooled_features
from boxless.training.finish import Progress, finish, presets_for
from boxless.training.head import LinearHead, fit_head
from boxless.training.held_out import HeldOut
from boxless.training.pictures import LabelledPictures
from boxless.training.report import Report
from boxless.zoo import DEFAULT_MODEL


@dataclass(frozen=True, eq=False)
class Fitted:
    """What `fit` made.

    Attributes:
        path: of the model file.
        card: of the model.
        head: its last layer.
        cached: how many pictures had their features on disk already.
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
    training: LabelledPictures,
    validation: LabelledPictures,
    out: Path,
    *,
    backbone: str | Path = DEFAULT_MODEL,
    side: int | None = None,
    boxes: Path | None = None,
    licence: str = "unknown",
    seed: int = 0,
    progress: Progress = lambda stage, done, total: None,
) -> Fitted:
    """Learns classes from pictures, and writes a model file that names and locates them.

    The backbone stays as it is; what is learned is one linear layer behind the average of its last features.

    Args:
        training: see `boxless.training.split.read_split`.
        validation: pictures to measure on, of the same classes.
        out: the model file.
        backbone: the name of a model that comes with boxless, or a model file's path.
        side: pixels; the head is fitted on pictures of about side * side of them, or of as many as the backbone's
            presets look at first where None. Larger shows finer structures and takes longer.
        boxes: annotations (COCO, CSV, a folder) that thresholds are set on; the backbone's where None.
        licence: of the model, an SPDX identifier.
        seed: of the folds of the cross-validation.
        progress: told how far it is.

    Raises:
        DatasetError: if there is nothing to tell apart, or too much cannot be read.
        ModelFileError: if there is no such backbone.
        DiskSpaceError: if features or model would not fit on the disk.
    """
    trunk = Backbone(backbone)
    side = side or trunk.card.preset(trunk.card.default_preset).sides[0]
    check_space(out.parent, 2 * trunk.path.stat().st_size, "the model file")
    paths = [*training.paths, *validation.paths]
    made = pooled_features(
        trunk, paths, side, done=lambda count: progress("features", count, len(paths))
    )  # fmt: skip
    border = len(training)
    learned = training.without({i: why for i, why in made.unreadable.items() if i < border})
    held_out = validation.without({i - border: why for i, why in made.unreadable.items() if i >= border})
    readable = np.array([i for i in range(len(paths)) if i not in made.unreadable])
    features = made.pooled[readable[readable < border]]
    _check_classes(learned)
    head = fit_head(features, learned.targets, several=learned.several, seed=seed)

    card = _card(out.stem, trunk.card, learned, side, licence)
    thresholds: tuple[Calibration, ...] = ()
    report: Report | None = None

    def write(beside: Path) -> None:
        nonlocal card, thresholds, report
        write_model(with_head(trunk.path, head.weight, head.bias, card), beside)
        done = finish(beside, card, held_out, boxes, progress)
        card, thresholds = done.card, done.thresholds
        facts = _facts(trunk.card, learned, held_out, side, head, card)
        left_out = HeldOut(learned, head.left_out) if head.left_out is not None else None
        report = Report.of(
            f"{card.name}: {len(card.labels)} classes", facts, learned, done.measured, left_out, thresholds
        )

    write_whole(out, write)
    assert report is not None
    return Fitted(out, card, head, made.cached, report, thresholds)


def _check_classes(pictures: LabelledPictures) -> None:
    if pictures.several:
        everywhere = [
            name for name, count in zip(pictures.classes, pictures.counts, strict=True) if count == len(pictures)
        ]
        if everywhere:
            raise DatasetError(
                f"{pictures.name}: every picture shows {', '.join(everywhere)}: add pictures that do not, with the "
                "label background"
            )


def _card(name: str, backbone: Card, pictures: LabelledPictures, side: int, licence: str) -> Card:
    return replace(
        backbone,
        name=name,
        labels=pictures.classes,
        class_ids=(),
        background=pictures.background,
        activation="sigmoid" if pictures.several else "softmax",
        presets=presets_for(backbone.presets, side, f"carried over from {backbone.name}: not set on these classes"),
        licence=licence,
        source=f"a head fitted on {len(pictures)} pictures of {pictures.name}; backbone {backbone.name} "
        f"({backbone.licence}): {backbone.source}",
        maps="exact",
        figures={},
        figures_on="",
    )


def _facts(
    backbone: Card, learned: LabelledPictures, held_out: LabelledPictures, side: int, head: LinearHead, card: Card
) -> list[tuple[str, str]]:
    preset = card.preset(card.default_preset)
    chosen = "chosen by cross-validation" if head.losses else "a default: too few pictures of a class to choose it"
    return [
        ("learned from", f"{len(learned)} pictures of {learned.name}"),
        ("held out", f"{len(held_out)} pictures of {held_out.name}"),
        ("backbone", f"{backbone.name}, frozen, at {side} pixels"),
        ("head", f"linear, regularisation C = {head.strength:g}, {chosen}"),
        ("labels a picture", "several (sigmoid)" if learned.several else "one (softmax)"),
        ("box threshold", f"{preset.threshold:g} ({card.default_preset}; {preset.set_on})"),
    ]
