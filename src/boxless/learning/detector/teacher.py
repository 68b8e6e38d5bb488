"""The pseudo-boxes of a training round: from class maps, or from the previous round's detector."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages
from boxless.errors import TrainingError, UnknownClassError
from boxless.imaging.read import read_image, resize_pixels
from boxless.learning.detector.pseudo_boxes import pseudo_labels_of
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.relabel import relabelled
from boxless.localizer import Localizer
from boxless.models.model_file import Detected, ModelFile, Network
from boxless.models.presets import LocalizationPass, Preset
from boxless.system.files import write_whole
from boxless.system.ordered import ordered_map

Done = Callable[[int], object]

_LISTED = 5

_PASSES = 3
"""Passes over an image, at different scales, that must agree on a box."""


def by_class_maps(model: Path, images: LabelledImages, done: Done) -> list[PseudoLabels]:
    """The boxes that a model's class maps give for the known labels of images.

    Args:
        model: a model that has the classes of the images, by name.
        images: the images; all must be readable.
        done: called after each image with the number done.

    Raises:
        UnknownClassError: if the model lacks a label.
        ModelFileError: if it is a detector.
        TrainingError: if no class map of any image has a component.
    """
    network = ModelFile(model, threads=1)
    network.card.need_maps("teaching a detector")
    passes = passes_of(network)
    wanted = (label for k, label in enumerate(images.classes) if k not in images.background)
    if lacking := [label for label in wanted if label not in network.card.labels]:
        raise UnknownClassError(
            f"{model.name} has no class {', '.join(map(repr, lacking[:_LISTED]))}"
            f"{f' and {len(lacking) - _LISTED} more' if len(lacking) > _LISTED else ''}, which {images.name} shows "
            "(expected a model that knows all of them; without --boxes-from, one is fitted)"
        )
    classes = len(images.classes)

    def one(i: int) -> PseudoLabels:
        labels = labels_of(images, i)
        if not labels:
            return PseudoLabels.nothing(classes)
        names = [images.classes[k] for k in labels]
        located = [each.locate(images.paths[i], classes=names, include_absent=True) for each in passes]
        return pseudo_labels_of(located, labels, classes)

    pseudo_labels = []
    for each in ordered_map(one, range(len(images))):
        pseudo_labels.append(each)
        done(len(pseudo_labels))
    if not any((each.weights > 0).any() for each in pseudo_labels):
        raise TrainingError(
            f"{model}: no component in any class map of {len(pseudo_labels)} images of {images.name}, so there "
            "are no pseudo-labels (see what it finds: boxless locate --include-absent)"
        )
    return pseudo_labels


def passes_of(network: Network) -> list[Localizer]:
    """The passes over an image: the first gives the boxes, and the others must confirm them.

    The first is the finest classification pass. Passes at one scale would always agree, so the others have other
    scales: those of the other presets, each once, and one of half the size if there are too few. The second also has
    the localization passes of the finest preset, and the third has them at half the size; their boxes alone often
    cover only a part of the object (decision 0058).
    """
    card = network.card
    by_sides = {preset.scales: name for name, preset in card.presets.items()}
    sizes = sorted(by_sides, reverse=True)
    finest = card.presets[by_sides[sizes[0]]]
    localizers = [_classifying(network, by_sides[sides]) for sides in sizes]
    *before, last = finest.scales
    if len(localizers) < _PASSES and before:
        between = _classifying(network, by_sides[sizes[0]])
        half = _half(last, card.size_multiple)
        between.preset = replace(between.preset, scales=(*before, max(before[-1], half)))
        localizers.insert(1, between)
    halved = tuple(replace(each, scale=_half(each.scale, card.size_multiple)) for each in finest.localization)
    for localizer, passes in zip(localizers[1:], (finest.localization, halved), strict=False):
        localizer.preset = _localizing(localizer.preset, passes, finest)
    return localizers


def _classifying(network: Network, preset: str) -> Localizer:
    """A localizer without the preset's localization passes; their classes get the preset's own threshold."""
    localizer = Localizer(network, preset)
    usual = localizer.preset
    localized = {k for each in usual.localization for k in each.classes}
    cuts = tuple(usual.threshold if k in localized else cut for k, cut in enumerate(usual.thresholds))
    localizer.preset = replace(usual, localization=(), thresholds=cuts)
    return localizer


def _localizing(preset: Preset, passes: tuple[LocalizationPass, ...], like: Preset) -> Preset:
    """A preset with localization passes, whose classes get the thresholds of another preset."""
    if not like.thresholds:
        return replace(preset, localization=passes)
    localized = {k for each in passes for k in each.classes}
    cuts = (like if k in localized else preset for k in range(len(like.thresholds)))
    return replace(preset, localization=passes, thresholds=tuple(cut.threshold_of(k) for k, cut in enumerate(cuts)))


def _half(side: int, step: int) -> int:
    return max(1, round(side / 2 / step)) * step


def by_detector(model: Path, images: LabelledImages, first: Sequence[PseudoLabels], done: Done) -> list[PseudoLabels]:
    """A detector's boxes for the known labels of images, checked against those of the class maps.

    Args:
        model: the detector.
        images: as for `by_class_maps`.
        first: the boxes of the class maps.
        done: called after each image with the number done.
    """
    network = ModelFile(model, threads=1)

    def one(i: int) -> PseudoLabels:
        labels = labels_of(images, i)
        if not labels:
            return first[i]
        found, size = detect(network, images.paths[i])
        return relabelled(found, size, labels, first[i])

    pseudo_labels = []
    for each in ordered_map(one, range(len(images))):
        pseudo_labels.append(each)
        done(len(pseudo_labels))
    return pseudo_labels


def class_map_probabilities(model: Path, images: LabelledImages, done: Done) -> NDArray[np.float32]:
    """The probabilities (n, K) that a model with class maps gives images; 0 for a background class that it lacks.

    Args:
        model, done: as for `by_class_maps`.
        images: the images; all must be readable.
    """
    network = ModelFile(model, threads=1)
    card = network.card
    quick = Localizer(network, min(card.presets, key=lambda name: len(card.presets[name].scales)))
    known = [k for k, label in enumerate(images.classes) if label in card.labels]
    columns = [card.class_index(images.classes[k]) for k in known]
    rows = np.zeros((len(images), len(images.classes)), np.float32)
    for i, (probabilities, _) in enumerate(ordered_map(quick.survey, images.paths)):
        rows[i, known] = probabilities[columns]
        done(i + 1)
    return rows


def detect(network: ModelFile, path: Path) -> tuple[Detected, tuple[int, int]]:
    """A detector's output for an image, and the (height, width) of its input."""
    side = network.card.preset(network.card.default_preset).scales[0]
    image = read_image(path, enough=side)
    size = network.card.input_size(side, image.height, image.width)
    return network.detect(resize_pixels(image.pixels, *size), size=size), size


def labels_of(images: LabelledImages, index: int) -> list[int]:
    """The classes that an image shows, without background classes."""
    return [k for k in np.flatnonzero(images.targets[index] > 0).tolist() if k not in images.background]


def save_pseudo_labels(path: Path, pseudo_labels: Sequence[PseudoLabels]) -> None:
    """Writes the boxes of images to a NumPy file (.npz), whole or not at all."""
    everything = PseudoLabels.joined(list(pseudo_labels))
    counts = np.array([len(each) for each in pseudo_labels])

    def write(beside: Path) -> None:
        np.savez(
            beside,
            counts=counts,
            boxes=everything.boxes,
            candidates=everything.candidates,
            weights=everything.weights,
        )

    write_whole(path, write)


def load_pseudo_labels(path: Path) -> list[PseudoLabels]:
    """What `save_pseudo_labels` wrote.

    Raises:
        TrainingError: if the file is damaged.
    """
    try:
        with path.open("rb") as stream, np.load(stream) as file:  # NumPy leaves a cut one open
            cuts = np.cumsum(file["counts"])[:-1]
            parts = [np.split(file[name], cuts) for name in ("boxes", "candidates", "weights")]
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise TrainingError(f"{path}: damaged boxes ({error}): remove {path.parent} to start over") from None
    return [PseudoLabels(*each) for each in zip(*parts, strict=True)]
