"""The last step of training: accuracy, typical activation and thresholds are measured and written to the card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from boxless.datasets.boxed import BoxedSet
from boxless.datasets.labelled import LabelledImages
from boxless.errors import DatasetError
from boxless.evaluation.calibrate import Calibration, calibrate_presets, with_thresholds
from boxless.evaluation.detection_thresholds import FEWEST, DetectionThresholds, set_detection_thresholds
from boxless.export.assemble import write_card
from boxless.learning.report.held_out import HeldOut, measure
from boxless.learning.report.surroundings import OcclusionResult, occlusion_test
from boxless.localizer import Localizer
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.presets import Preset
from boxless.system.progress import Progress

_EVIDENCE_FROM = 100  # held-out images
_THRESHOLDS_FROM = 150  # held-out images, each run in every preset
_LISTED = 30  # classes
_SEPARATES_NOTHING = 50.0  # percent of absent classes that count as detected


@dataclass(frozen=True, eq=False)
class Finished:
    """A model file whose card is complete.

    Attributes:
        card: its card.
        measured: its predictions for the held-out images.
        thresholds: the calibration of each preset, if there were boxes.
        occlusion: the results of the occlusion test, one a class.
    """

    card: Card
    measured: HeldOut
    thresholds: tuple[Calibration, ...]
    occlusion: tuple[OcclusionResult, ...]


def finish(
    file: Path,
    card: Card,
    held_out: LabelledImages,
    boxed: BoxedSet | None,
    progress: Progress,
    known: frozenset[int] = frozenset(),
) -> Finished:
    """Measures a model file on held-out images, and completes its card.

    Args:
        file: the model file; its card is rewritten.
        card: the card so far.
        held_out: images not used for training; all must be readable.
        boxed: images to set the thresholds on, if there are any.
        progress: called with the step, the number done and the total.
        known: classes whose thresholds boxes have set already, where a preset has localization passes. The boxes have
            taught their maps too, and would choose thresholds that fit these images alone.
    """
    network = ModelFile(file)
    measured = measure(network, card.default_preset, held_out, lambda count: progress("held out", count, len(held_out)))
    some = np.random.default_rng(0).permutation(len(held_out))[:_THRESHOLDS_FROM]
    presets, notes = _with_detection_thresholds(network, card.default_preset, held_out.only(np.sort(some)), progress)
    measured = replace(measured, notes=notes)
    card = replace(
        card,
        presets=presets,
        figures={name.replace(" ", "_"): round(each.value, 1) for name, each in measured.figures.items()},
        figures_on=f"{len(held_out)} held-out images of {held_out.name}",
        typical_activation=_typical_activation(network, measured),
    )
    thresholds: tuple[Calibration, ...] = ()
    if boxed is not None:
        try:
            for names, images in _to_calibrate(card, boxed, known):
                found, set_on = calibrate_presets(network, images, names, progress)
                thresholds, card = (*thresholds, *found), with_thresholds(card, found, set_on)
        except DatasetError as error:  # too few: what was learned is not lost for it
            measured = replace(measured, notes=(*measured.notes, f"box thresholds stay as they were: {error}"))
    write_card(file, card)
    occlusion = occlusion_test(
        ModelFile(file), card.default_preset, measured, lambda *at: progress("occlusion test", *at)
    )
    return Finished(card, measured, thresholds, occlusion)


def _to_calibrate(card: Card, boxed: BoxedSet, known: frozenset[int]) -> list[tuple[list[str], BoxedSet]]:
    """Presets by name, with the boxed images that set their thresholds; none with nothing left to set."""
    plain = [name for name, each in card.presets.items() if not (known and each.localization)]
    others = [name for name in card.presets if name not in plain]
    rest = replace(boxed, images=tuple(each for each in boxed.images if each.class_index not in known))
    return [*([(plain, boxed)] if plain else []), *([(others, rest)] if others and rest.images else [])]


def presets_for(presets: Mapping[str, Preset], side: int, set_on: str) -> dict[str, Preset]:
    """The presets with their classification pass at `side` pixels, and their other scales in proportion.

    Detection thresholds are not inherited: they hold only for the classes that they were set on.
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


def threshold_facts(card: Card) -> list[tuple[str, str]]:
    """The thresholds of the default preset, in words, for a report."""
    preset = card.preset(card.default_preset)
    shown = [k for k in range(len(card.labels)) if k not in card.background]
    facts = [("box threshold", f"{preset.cut}, {card.default_preset}")]
    if preset.thresholds and len(shown) <= _LISTED:
        facts.append(("of each class", ", ".join(f"{card.labels[k]} {preset.threshold_of(k):g}" for k in shown)))
    return facts


def _with_detection_thresholds(
    network: ModelFile, shown_preset: str, held_out: LabelledImages, progress: Progress
) -> tuple[dict[str, Preset], tuple[str, ...]]:
    """The presets with detection thresholds set on held-out images, and notes on those of `shown_preset`."""
    shown, named = held_out.targets > 0, f"{len(held_out)} held-out images of {held_out.name}"
    card = network.card
    progress("detection thresholds", 0, len(card.presets))
    made: dict[str, tuple[Preset, DetectionThresholds | None]] = {}
    for name, preset in card.presets.items():
        # Presets that are alike are measured once: passes take long.
        twin = next((other for other in made if card.presets[other] == preset), None)
        made[name] = made[twin] if twin else set_detection_thresholds(network, name, held_out.paths, shown, named)
    progress("detection thresholds", len(made), len(made))
    preset, found = made[shown_preset]
    present = int(np.delete(shown, card.background, axis=1).sum())
    notes = threshold_notes(found, present, preset.min_probability)
    return {name: preset for name, (preset, _) in made.items()}, notes


def threshold_notes(found: DetectionThresholds | None, present: int, min_probability: float) -> tuple[str, ...]:
    """Warnings about the detection thresholds, in words; none if they work.

    Args:
        found: the thresholds that were set, and how well they separate; None if none were set.
        present: the number of (image, true class) pairs in the held-out images.
        min_probability: the threshold in force, in [0, 1].
    """
    if found is None:
        how = (
            f"are a probability of {min_probability:g}" if min_probability else "are 0: every class counts as detected"
        )
        return (
            f"detection thresholds {how}. Held-out images show a class {present} times, and {FEWEST} are needed to "
            "measure better ones: hold out more (--val)",
        )
    if found.absent >= _SEPARATES_NOTHING:
        return (
            f"detection thresholds do not separate: {found.absent:.0f} % of the classes that an image does not show "
            "count as detected. Take only the most probable classes, or give more images, labelled completely",
        )
    return ()


def _typical_activation(network: ModelFile, measured: HeldOut) -> float:
    """The median peak activation of correct predictions; see `Card`."""
    targets = measured.images.targets
    right = np.flatnonzero(((targets > 0) & measured.predicted).any(axis=1))
    some = np.random.default_rng(0).permutation(right)[:_EVIDENCE_FROM]
    localizer = Localizer(network)
    background = network.card.background
    found = []
    for i, result in zip(some, localizer.locate_many([measured.images.paths[i] for i in some]), strict=True):
        shown = [
            each for each in result.predictions if targets[i, each.class_index] and each.class_index not in background
        ]
        found += [each.activation for each in shown]
    return float(f"{np.median(found):.3g}") if found and np.median(found) > 0 else network.card.typical_activation
