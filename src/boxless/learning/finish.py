"""What every learned model gets at its end: figures, typical activation, thresholds, and the card that says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from boxless.datasets.labelled import LabelledPictures
from boxless.evaluation import read_dataset
from boxless.evaluation.calibrate import Calibration, calibrate_presets, with_thresholds
from boxless.evaluation.presence import set_levels
from boxless.export.assemble import write_card
from boxless.learning.report.held_out import HeldOut, measure
from boxless.learning.report.surroundings import Survival, survivals
from boxless.localizer import Localizer
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.presets import Preset
from boxless.system.progress import Progress

_EVIDENCE_FROM = 100  # held-out pictures
_LEVELS_FROM = 150  # held-out pictures, looked at in every preset
_LISTED = 30  # classes


@dataclass(frozen=True, eq=False)
class Finished:
    """A model file whose card is complete.

    Attributes:
        card: of it.
        measured: what it says of the held-out pictures.
        thresholds: where boxes set them.
        survivals: how far classes survive without what was found.
    """

    card: Card
    measured: HeldOut
    thresholds: tuple[Calibration, ...]
    survivals: tuple[Survival, ...]


def finish(file: Path, card: Card, held_out: LabelledPictures, boxes: Path | None, progress: Progress) -> Finished:
    """Measures a model file on pictures that it did not learn from, and completes its card.

    Args:
        file: the model; its card is written anew.
        card: what is known of it so far.
        held_out: can all be read.
        boxes: annotations that thresholds are set on, if there are any.
        progress: told how far it is.
    """
    network = ModelFile(file)
    measured = measure(network, card.default_preset, held_out, lambda count: progress("held out", count, len(held_out)))
    some = np.random.default_rng(0).permutation(len(held_out))[:_LEVELS_FROM]
    card = replace(
        card,
        presets=_with_levels(network, held_out.only(np.sort(some)), progress),
        figures={name.replace(" ", "_"): round(each.value, 1) for name, each in measured.figures.items()},
        figures_on=f"{len(held_out)} held-out pictures of {held_out.name}",
        typical_activation=_typical_activation(network, measured),
    )
    thresholds: tuple[Calibration, ...] = ()
    if boxes is not None:
        found, set_on = calibrate_presets(network, read_dataset(boxes, card), progress=progress)
        thresholds, card = tuple(found), with_thresholds(card, found, set_on)
    write_card(file, card)
    survived = survivals(ModelFile(file), card.default_preset, measured, lambda *at: progress("surroundings", *at))
    return Finished(card, measured, thresholds, survived)


def presets_for(presets: Mapping[str, Preset], side: int, set_on: str) -> dict[str, Preset]:
    """The presets with their first look at `side`, and the others in proportion.

    From where on a class counts as present is not carried over to other classes.
    """
    return {
        name: Preset(
            scales=tuple(round(side * one / each.scales[0]) for one in each.scales),
            refinement_steps=each.refinement_steps,
            threshold=each.threshold,
            set_on=set_on,
        )
        for name, each in presets.items()
    }


def _each(presets: Mapping[str, Preset], change: Callable[[str], Preset]) -> dict[str, Preset]:
    """All presets changed, by name; those that are alike once for all, since looking takes long."""
    changed: dict[str, Preset] = {}
    for name, preset in presets.items():
        twin = next((other for other in changed if presets[other] == preset), None)
        changed[name] = changed[twin] if twin else change(name)
    return changed


def threshold_facts(card: Card) -> list[tuple[str, str]]:
    """The thresholds of the default preset, in words, for a report."""
    preset = card.preset(card.default_preset)
    shown = [k for k in range(len(card.labels)) if k not in card.background]
    facts = [("box threshold", f"{preset.cut}, {card.default_preset}")]
    if preset.thresholds and len(shown) <= _LISTED:
        facts.append(("of each class", ", ".join(f"{card.labels[k]} {preset.threshold_of(k):g}" for k in shown)))
    return facts


def _with_levels(network: ModelFile, held_out: LabelledPictures, progress: Progress) -> dict[str, Preset]:
    """The presets with levels from which on a class counts as present, set on held-out pictures."""
    shown, named = held_out.targets > 0, f"{len(held_out)} held-out pictures of {held_out.name}"
    card = network.card
    progress("presence", 0, len(card.presets))
    presets = _each(card.presets, lambda name: set_levels(network, name, held_out.paths, shown, named)[0])
    progress("presence", len(presets), len(presets))
    return presets


def _typical_activation(network: ModelFile, measured: HeldOut) -> float:
    """The median evidence of right predictions; see `Card`."""
    targets = measured.pictures.targets
    right = np.flatnonzero(((targets > 0) & measured.said).any(axis=1))
    some = np.random.default_rng(0).permutation(right)[:_EVIDENCE_FROM]
    localizer = Localizer(network)
    background = network.card.background
    found = []
    for i, result in zip(some, localizer.locate_many([measured.pictures.paths[i] for i in some]), strict=True):
        shown = [
            each for each in result.predictions if targets[i, each.class_index] and each.class_index not in background
        ]
        found += [each.activation for each in shown]
    return float(f"{np.median(found):.3g}") if found and np.median(found) > 0 else network.card.typical_activation
