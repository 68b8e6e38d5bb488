"""Which images to draw boxes on: a few of each class, a typical one first, then those least like any picked before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from boxless.annotation.inputs import Classes, Input
from boxless.errors import DatasetError, ImageError
from boxless.export.backbone import Backbone
from boxless.learning.head.features import pooled_features
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile, find_model
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

_SHOWN = 0.5
"""Probability from which a multi-label model says that an image shows a class."""


def farthest_points(features: NDArray[np.float32], count: int) -> list[int]:
    """Points that cover all others well: the one nearest the mean, then again and again the farthest from those taken.

    The farthest-first traversal of Gonzalez (Theoretical Computer Science 38, 1985), on standardized features (n, C).
    Returns the indices of `count` points, or of all where there are fewer, in the order in which they were taken.

    Example:
        >>> farthest_points(np.array([[0], [4], [5], [6], [12]], np.float32), 3)
        [2, 4, 0]
    """
    standard = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    taken: list[int] = []
    nearest = -(standard**2).sum(axis=1)  # so that the first is the one nearest the mean
    while len(taken) < min(count, len(standard)):
        taken.append(int(nearest.argmax()))
        distance = ((standard - standard[taken[-1]]) ** 2).sum(axis=1)
        nearest = np.minimum(nearest, distance) if len(taken) > 1 else distance
        nearest[taken] = -1
    return taken


def picked(
    inputs: Sequence[Input],
    model: str,
    count: int,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> list[Input]:
    """Some images of each class to draw boxes on: a typical one, then those least like the ones before.

    They are in the order of `inputs`. Images without labels count for the class that the model predicts.

    Raises:
        DatasetError: if `count` is not positive, or no image that can be read shows a class.
        UnknownClassError: if images have labels that the model lacks.
        ModelFileError: if there is no such model, or it is a detector.

    Example:
        >>> from pathlib import Path
        >>> from boxless.annotation import read_inputs
        >>> some = picked(read_inputs(Path("examples/pictures")), "efficientnet-lite0", 1)
        >>> [each.name for each in some]
        ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg']
    """
    if count < 1:
        raise DatasetError(f"{count} images of each class to pick (expected 1 or more)")
    backbone = Backbone(find_model(model))
    classes = Classes.of(backbone.card, inputs)
    paths = [each.path for each in inputs]
    scale = min(min(preset.scales) for preset in backbone.card.presets.values())
    features = pooled_features(backbone, paths, scale, done=lambda n: on_progress("features", n, len(paths)))
    readable = [n for n in range(len(inputs)) if n not in features.unreadable]
    shown = _shown(backbone, [inputs[n] for n in readable], classes, on_progress)
    chosen: set[int] = set()
    for k in sorted(set().union(*shown)) if shown else ():
        mine = np.array([n for n, some in zip(readable, shown, strict=True) if k in some])
        chosen |= {int(mine[n]) for n in farthest_points(features[mine], count)}
    if not chosen:
        raise DatasetError("no image that can be read shows a class, so there is none to draw a box on")
    return [inputs[n] for n in sorted(chosen)]


def _shown(
    backbone: Backbone, inputs: Sequence[Input], classes: Classes, on_progress: Callable[[str, int, int], None]
) -> list[set[int]]:
    """The classes of each image, by label or as the model predicts; without background."""
    card = backbone.card
    quick = min(card.presets, key=lambda name: len(card.presets[name].scales))
    localizer = Localizer(ModelFile(backbone.path, threads=1), quick)

    def one(given: Input) -> set[int]:
        labels = classes.wanted(given)
        if labels is not None:
            return set(labels)
        try:
            probabilities, _ = localizer.survey(given.path)
        except ImageError:
            return set()
        found = {int(probabilities.argmax())}
        if card.activation == "sigmoid":
            found = set(np.flatnonzero(probabilities >= _SHOWN).tolist())
        return found - set(card.background)

    shown = []
    for some in ordered_map(one, inputs, usable_cores()):
        shown.append(some)
        on_progress("classes", len(shown), len(inputs))
    return shown
