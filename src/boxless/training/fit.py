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
from boxless.graph.novelty import Gaussian
from boxless.model_file import ModelFile
from boxless.presets import Preset
from boxless.training.features import pooled_features
from boxless.training.finding import Plan, evenly, hot_shares, plans_for, with_plans
from boxless.training.finish import Progress, finish, presets_for, threshold_facts
from boxless.training.head import LinearHead, fit_head
from boxless.training.held_out import HeldOut
from boxless.training.naming import try_sizes
from boxless.training.novelty import usual_cells
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
    find_side: int | None = None,
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
        side: pixels; the head is fitted on pictures of about side * side of them. Where None, at the side of the
            backbone's first look or at twice it, whichever names better; see `boxless.training.naming`.
        find_side: pixels of the look that finds; chosen by how much of a picture the evidence takes where None. See
            `boxless.training.finding`.
        boxes: annotations (COCO, CSV, a folder) that thresholds are set on; where None, what the evidence takes says.
        licence: of the model, an SPDX identifier.
        seed: of the folds of the cross-validation.
        progress: told how far it is.

    Raises:
        DatasetError: if there is nothing to tell apart, or too much cannot be read.
        ModelFileError: if there is no such backbone.
        DiskSpaceError: if features or model would not fit on the disk.
    """
    trunk = Backbone(backbone)
    naming = None
    if side is None:
        _check_classes(training)
        naming = try_sizes(trunk, training, seed, lambda at, n, of: progress(f"naming at {at}", n, of))
        side = naming.side
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
        plans = _plans(beside, side, find_side, learned, progress)
        if plans:
            card = with_plans(card, plans)
            layers = [_finder(trunk, learned, plan, seed, progress).weight for plan in plans]
            gaussian = _usual(trunk, learned, plans, seed, progress)
            write_model(with_head(trunk.path, head.weight, head.bias, card, layers, gaussian), beside)
        done = finish(beside, card, held_out, boxes, progress)
        card, thresholds = done.card, done.thresholds
        facts = _facts(trunk.card, learned, held_out, str(naming or f"at {side} pixels, as asked"), head, card)
        left_out = HeldOut(learned, head.left_out) if head.left_out is not None else None
        report = Report.of(
            f"{card.name}: {len(card.labels)} classes",
            facts,
            learned,
            done.measured,
            left_out,
            thresholds,
            done.survivals,
        )

    write_whole(out, write)
    assert report is not None
    return Fitted(out, card, head, made.cached, report, thresholds)


def _plans(
    named: Path, side: int, asked: int | None, learned: LabelledPictures, progress: Progress
) -> tuple[Plan, ...]:
    """How classes are found that the looks that name are too small for.

    Args:
        named: the model with its naming layer alone.
        asked: as `find_side` of `fit`.
        side, learned, progress: as for `fit`.
    """
    network = ModelFile(named)
    card = network.card
    if card.fixed_size is not None:
        return ()
    shares: dict[int, float] = {}
    if asked is None:
        shares = hot_shares(
            network, card.default_preset, learned, lambda n, of: progress("where the evidence lies", n, of)
        )
    return plans_for(shares, side, asked, tuple(k for k in range(len(card.labels)) if k not in card.background))


def _finder(trunk: Backbone, learned: LabelledPictures, plan: Plan, seed: int, progress: Progress) -> LinearHead:
    """The linear layer that finds at a plan's side."""
    some = learned.only(evenly(learned, max(plan.way.pictures, 2 * len(learned.classes)), seed))
    made = pooled_features(
        trunk, some.paths, plan.side, done=lambda count: progress(f"features at {plan.side}", count, len(some))
    )  # fmt: skip
    return fit_head(made.pooled, some.targets, several=some.several, seed=seed)


def _usual(
    trunk: Backbone, learned: LabelledPictures, plans: tuple[Plan, ...], seed: int, progress: Progress
) -> Gaussian | None:
    """What pictures are made of at the side of the plan that asks for it; None if none does."""
    side = next((plan.side for plan in plans if plan.way.novelty), None)
    if side is None or not trunk.has_cells:
        return None
    return usual_cells(trunk, learned.paths, side, seed, lambda n, of: progress("what is usual", n, of))


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
    backbone: Card, learned: LabelledPictures, held_out: LabelledPictures, named: str, head: LinearHead, card: Card
) -> list[tuple[str, str]]:
    preset = card.preset(card.default_preset)
    chosen = "chosen by cross-validation" if head.losses else "a default: too few pictures of a class to choose it"
    return [
        ("learned from", f"{len(learned)} pictures of {learned.name}"),
        ("held out", f"{len(held_out)} pictures of {held_out.name}"),
        ("backbone", f"{backbone.name}, frozen"),
        ("names", named),
        ("head", f"linear, regularisation C = {head.strength:g}, {chosen}"),
        ("labels a picture", "several (sigmoid)" if learned.several else "one (softmax)"),
        ("finds", _finds(card, preset)),
        *threshold_facts(card),
    ]


def _finds(card: Card, preset: Preset) -> str:
    """Which classes are found at which size, in words."""
    found = [
        f"{', '.join(card.labels[k] for k in search.classes)} at {search.side} pixels, with a layer of their own"
        for search in preset.searches
    ]
    searched = {k for search in preset.searches for k in search.classes} | set(card.background)
    if len(searched) < len(card.labels):
        found.append(f"{'others' if found else 'all'} at {' and '.join(map(str, preset.sides))}, with the naming layer")
    return "; ".join(found)
