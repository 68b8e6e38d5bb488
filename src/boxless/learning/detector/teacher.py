"""Boxes of labelled pictures for a round: of a model with class maps, or of the last round's detector."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledPictures
from boxless.errors import TrainingError, UnknownClassError
from boxless.imaging.read import read_picture, resize_pixels
from boxless.learning.detector.pseudo_boxes import pseudo_labels_of
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.relabel import relabelled
from boxless.localizer import Localizer
from boxless.models.model_file import Detected, ModelFile, Network
from boxless.models.presets import LocalizationPass, Preset
from boxless.system.cores import usable_cores
from boxless.system.files import write_whole
from boxless.system.ordered import ordered_map

Done = Callable[[int], object]

_LISTED = 5

_LOOKS = 3
"""At a picture, in which what is taught must be found again."""


def by_class_maps(model: Path, pictures: LabelledPictures, done: Done) -> list[PseudoLabels]:
    """The boxes that a model's class maps give for the known labels of pictures, its finest look's first.

    Args:
        model: knows the pictures' classes, by name.
        pictures: can all be read.
        done: told after each picture how many are.

    Raises:
        UnknownClassError: if the model lacks a label.
        ModelFileError: if it is a detector.
        TrainingError: if nothing stands out in any picture.
    """
    network = ModelFile(model, threads=1)
    network.card.need_maps("teaching a detector")
    looks = passes_of(network)
    wanted = (label for k, label in enumerate(pictures.classes) if k not in pictures.background)
    if lacking := [label for label in wanted if label not in network.card.labels]:
        raise UnknownClassError(
            f"{model.name} has no class {', '.join(map(repr, lacking[:_LISTED]))}"
            f"{f' and {len(lacking) - _LISTED} more' if len(lacking) > _LISTED else ''}, which {pictures.name} shows "
            "(expected a model that knows all of them; without --boxes-from, one is fitted)"
        )
    classes = len(pictures.classes)

    def one(i: int) -> PseudoLabels:
        labels = labels_of(pictures, i)
        if not labels:
            return PseudoLabels.nothing(classes)
        names = [pictures.classes[k] for k in labels]
        said = [look.locate(pictures.paths[i], classes=names, include_absent=True) for look in looks]
        return pseudo_labels_of(said, labels, classes)

    taught = []
    for each in ordered_map(one, range(len(pictures)), usable_cores()):
        taught.append(each)
        done(len(taught))
    if not any((each.weights > 0).any() for each in taught):
        raise TrainingError(
            f"{model}: nothing stands out in any of {len(taught)} pictures of {pictures.name}, so there is nothing to "
            "teach (see what it finds: boxless locate --include-absent)"
        )
    return taught


def passes_of(network: Network) -> list[Localizer]:
    """The looks at a picture, the first of which says boxes that the others must find again.

    The first is the finest that names. Looks that see alike agree whatever they see, so the others are of other sizes:
    those of the other presets, each once, and one of half the size where there are too few. The second has the
    finest's localization passes too, and the third at half the size; their boxes alone are often of a part only
    (decision 0058).
    """
    card = network.card
    by_sides = {preset.scales: name for name, preset in card.presets.items()}
    sizes = sorted(by_sides, reverse=True)
    finest = card.presets[by_sides[sizes[0]]]
    looks = [_naming(network, by_sides[sides]) for sides in sizes]
    *before, last = finest.scales
    if len(looks) < _LOOKS and before:
        between = _naming(network, by_sides[sizes[0]])
        half = _half(last, card.size_multiple)
        between.preset = replace(between.preset, scales=(*before, max(before[-1], half)))
        looks.insert(1, between)
    halved = tuple(replace(each, scale=_half(each.scale, card.size_multiple)) for each in finest.localization)
    for look, passes in zip(looks[1:], (finest.localization, halved), strict=False):
        look.preset = _localizing(look.preset, passes, finest)
    return looks


def _naming(network: Network, preset: str) -> Localizer:
    """A preset without its localization passes; their classes are cut where the preset cuts."""
    localizer = Localizer(network, preset)
    usual = localizer.preset
    localized = {k for each in usual.localization for k in each.classes}
    cuts = tuple(usual.threshold if k in localized else cut for k, cut in enumerate(usual.thresholds))
    localizer.preset = replace(usual, localization=(), thresholds=cuts)
    return localizer


def _localizing(preset: Preset, passes: tuple[LocalizationPass, ...], like: Preset) -> Preset:
    """A preset with localization passes, whose classes are cut as another preset cuts them."""
    if not like.thresholds:
        return replace(preset, localization=passes)
    localized = {k for each in passes for k in each.classes}
    cuts = (like if k in localized else preset for k in range(len(like.thresholds)))
    return replace(preset, localization=passes, thresholds=tuple(cut.threshold_of(k) for k, cut in enumerate(cuts)))


def _half(side: int, step: int) -> int:
    return max(1, round(side / 2 / step)) * step


def by_detector(
    model: Path, pictures: LabelledPictures, first: Sequence[PseudoLabels], done: Done
) -> list[PseudoLabels]:
    """The boxes that a detector says of the known labels of pictures, held against those of class maps.

    Args:
        model: the detector.
        pictures: as before.
        first: what the class maps gave.
        done: told after each picture how many are.
    """
    network = ModelFile(model, threads=1)

    def one(i: int) -> PseudoLabels:
        labels = labels_of(pictures, i)
        if not labels:
            return first[i]
        found, size = look(network, pictures.paths[i])
        return relabelled(found, size, labels, first[i])

    taught = []
    for each in ordered_map(one, range(len(pictures)), usable_cores()):
        taught.append(each)
        done(len(taught))
    return taught


def named_by_class_maps(model: Path, pictures: LabelledPictures, done: Done) -> NDArray[np.float32]:
    """How probable a model with class maps finds each class of pictures: (n, K); 0 of a background that it lacks.

    Args:
        model, done: as before.
        pictures: can all be read.
    """
    network = ModelFile(model, threads=1)
    card = network.card
    quick = Localizer(network, min(card.presets, key=lambda name: len(card.presets[name].scales)))
    known = [k for k, label in enumerate(pictures.classes) if label in card.labels]
    columns = [card.class_index(pictures.classes[k]) for k in known]
    said = np.zeros((len(pictures), len(pictures.classes)), np.float32)
    for i, (chances, _) in enumerate(ordered_map(quick.survey, pictures.paths, usable_cores())):
        said[i, known] = chances[columns]
        done(i + 1)
    return said


def look(network: ModelFile, path: Path) -> tuple[Detected, tuple[int, int]]:
    """What a detector says of a picture, and the (height, width) at which it saw it."""
    side = network.card.preset(network.card.default_preset).scales[0]
    picture = read_picture(path, enough=side)
    size = network.card.input_size(side, picture.height, picture.width)
    return network.detect(resize_pixels(picture.pixels, *size), size=size), size


def labels_of(pictures: LabelledPictures, index: int) -> list[int]:
    """The classes that a picture shows, without those that say that nothing is there."""
    return [k for k in np.flatnonzero(pictures.targets[index] > 0).tolist() if k not in pictures.background]


def save_pseudo_labels(path: Path, taught: Sequence[PseudoLabels]) -> None:
    """Writes the boxes of pictures to a NumPy file (.npz), whole or not at all."""
    everything = PseudoLabels.joined(list(taught))
    counts = np.array([len(each) for each in taught])

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
        raise TrainingError(f"{path}: damaged boxes ({error}): remove {path.parent} to begin anew") from None
    return [PseudoLabels(*each) for each in zip(*parts, strict=True)]
