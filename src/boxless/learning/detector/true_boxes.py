"""Boxes that people drew on a few training images, in place of pseudo-labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from boxless.datasets.boxed import BoxedSet
from boxless.datasets.labelled import LabelledImages
from boxless.errors import DatasetError
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.maps.boxes import iou

_SAME = 0.4
"""A pseudo-box that overlaps a true box by this IoU shows the same object."""

_SHARE, _MOST_REPEATS = 0.25, 5
"""Boxed images are shown more often, up to 5 times an epoch, until they are a quarter of what is shown."""


@dataclass(frozen=True, eq=False)
class TrueBoxes:
    """The true boxes of some training images.

    Attributes:
        of: the boxes of boxed images, by index, with full weight.
        left_out: the number of boxed images that are no training images.
    """

    of: Mapping[int, PseudoLabels] = field(default_factory=dict)
    left_out: int = 0

    def __str__(self) -> str:
        if not self.left_out:
            return ""
        return f"{self.left_out} boxed images are no training images with the same label: left out"

    @property
    def in_words(self) -> str:
        """What teaches beside the images."""
        return f"their labels and boxes on {len(self.of)} of them" if self.of else "their labels alone"

    def added_to(self, pseudo_labels: Sequence[PseudoLabels], labels: Sequence[Sequence[int]]) -> list[PseudoLabels]:
        """The pseudo-labels, with true boxes in place of what was found of their classes.

        Classes that a boxed image shows, but nobody drew, keep their pseudo-boxes.

        Args:
            pseudo_labels: of each image.
            labels: the indices of the classes that each image shows.

        Returns:
            The labels of each image.
        """
        return [
            each if i not in self.of else _merged(self.of[i], each, labels[i]) for i, each in enumerate(pseudo_labels)
        ]

    def repeats(self, images: int) -> list[int]:
        """How often an epoch shows each of so many images."""
        boxed = len(self.of)
        if not boxed or boxed == images:
            return [1] * images
        often = round(_SHARE * (images - boxed) / ((1 - _SHARE) * boxed))
        return [min(_MOST_REPEATS, max(1, often)) if i in self.of else 1 for i in range(images)]


def true_boxes_of(boxed: BoxedSet, learned: LabelledImages) -> TrueBoxes:
    """Matches boxed images with training images: by path, else by a file name that is there once.

    Args:
        boxed: read for the classes of the training images.
        learned: the training images.

    Returns:
        The boxes of each matched image.

    Raises:
        DatasetError: if no boxed image is a training image.
    """
    by_path = {path.resolve(): i for i, path in enumerate(learned.paths)}
    names = Counter(path.name for path in learned.paths)
    by_name = {path.name: i for i, path in enumerate(learned.paths) if names[path.name] == 1}
    found: dict[int, list[PseudoLabels]] = {}
    others: set[Path] = set()
    for each in boxed.images:
        i = by_path.get(each.path.resolve(), by_name.get(each.path.name))
        if i is None or not learned.targets[i, each.class_index]:
            others.add(each.path)
        elif len(each.boxes):
            height, width = each.size
            shares = (each.boxes / np.array([width, height] * 2, np.float32)).clip(0, 1)
            indices = np.full(len(shares), each.class_index)
            found.setdefault(i, []).append(PseudoLabels.of_truth(shares, indices, len(learned.classes)))
    if not found:
        raise DatasetError(
            f"{boxed.name}: none of its images is a training image with the same label "
            f"(expected boxes of images in {learned.name} that are not held out)"
        )
    return TrueBoxes({i: PseudoLabels.joined(parts) for i, parts in found.items()}, len(others))


def _merged(true: PseudoLabels, pseudo: PseudoLabels, labels: Sequence[int]) -> PseudoLabels:
    drawn = true.candidates.any(axis=0)
    candidates = pseudo.candidates * ~drawn
    rest = candidates[:, list(labels)].any(axis=1)
    if len(pseudo):
        rest &= iou(pseudo.boxes, true.boxes).max(axis=1) < _SAME
    return PseudoLabels.joined([true, PseudoLabels(pseudo.boxes[rest], candidates[rest], pseudo.weights[rest])])
