"""Classification accuracy on held-out images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.bootstrap import Array, Bootstrap, Interval
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import probabilities
from boxless.models.model_file import ModelFile
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A model's predictions for images whose classes are known.

    Attributes:
        images: n images of K classes.
        probabilities: (n, K), predicted by the model.
        notes: warnings about the model, in words.
    """

    images: LabelledImages
    probabilities: Floats
    notes: tuple[str, ...] = ()

    @cached_property
    def predicted(self) -> NDArray[np.bool_]:
        """(n, K), the predicted classes: the most probable one, or for multi-label models all above 0.5."""
        if self.images.several:
            return np.asarray(self.probabilities > 0.5)
        return np.asarray(np.arange(len(self.images.classes)) == self.probabilities.argmax(axis=1)[:, None])

    @cached_property
    def figures(self) -> dict[str, Interval]:
        """The metrics by name, in percent, with 95 % intervals: Wilson's for shares, else bootstrap over images."""
        true = self.images.targets > 0
        draws = Bootstrap(np.arange(len(true)))
        exact = draws.share((true == self.predicted).all(axis=1))

        def drawn(statistic: Callable[[Array], Array]) -> Interval:
            # If all images are right, or all are wrong, a bootstrap interval would have no width.
            return exact if exact.value in (0.0, 100.0) else draws.interval(statistic)

        if self.images.several:
            return {"all labels right": exact, "F1": drawn(_f1(true, self.predicted))}
        return {"accuracy": exact, "mean recall": drawn(_mean_recall(true, self.predicted))}

    @cached_property
    def recalls(self) -> Floats:
        """(K,), the share of a class's images for which it is predicted; NaN if there are none."""
        true = self.images.targets > 0
        with np.errstate(invalid="ignore"):
            return np.asarray((true & self.predicted).sum(axis=0) / true.sum(axis=0), np.float32)

    @cached_property
    def precisions(self) -> Floats:
        """(K,), the share of a class's predictions that are correct; NaN if it is never predicted."""
        true = self.images.targets > 0
        with np.errstate(invalid="ignore"):
            return np.asarray((true & self.predicted).sum(axis=0) / self.predicted.sum(axis=0), np.float32)

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """(K, K): the number of images of the row's class, not of the column's, predicted as the column's.

        The diagonal counts correct predictions.
        """
        true = self.images.targets > 0
        wrong = true.T.astype(np.int64) @ (self.predicted & ~true).astype(np.int64)
        return wrong + np.diag((true & self.predicted).sum(axis=0))

    def confused(self, most: int = 10) -> list[tuple[int, int, int]]:
        """The pairs most often confused: (true class, predicted class, count), the most frequent first."""
        wrong = self.confusion * (1 - np.eye(len(self.confusion), dtype=np.int64))
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        pairs = (np.unravel_index(i, wrong.shape) for i in order)
        return [
            (int(true), int(predicted), int(wrong[true, predicted]))
            for true, predicted in pairs
            if wrong[true, predicted]
        ]

    def suspects(self, most: int = 24) -> list[int]:
        """The indices of images whose labels are likely wrong: the misclassified ones with the highest loss."""
        losses = log_loss(self.probabilities, self.images.targets, several=self.images.several)
        wrong = ((self.images.targets > 0) != self.predicted).any(axis=1)
        return [int(i) for i in np.argsort(-losses, kind="stable") if wrong[i]][:most]


def log_loss(probabilities: Floats, targets: Floats, *, several: bool) -> Floats:
    """The negative log-likelihood of the true labels: (n,), in nats; of multi-label models absent classes count too."""
    losses = -(targets * np.log(np.clip(probabilities, 1e-12, 1.0))).sum(axis=1)
    if several:
        losses -= ((1 - targets) * np.log(np.clip(1.0 - probabilities, 1e-12, 1.0))).sum(axis=1)
    return np.asarray(losses, np.float32)


def measure(
    network: ModelFile, preset: str, images: LabelledImages, done: Callable[[int], object] = lambda count: None
) -> HeldOut:
    """Predicts the classes of images, with the classification pass of a preset; `done` is told how many are done."""
    side = network.card.preset(preset).scales[0]
    one_core = network.on_one_core

    def one(i: int) -> Floats:
        image = read_image(images.paths[i], enough=side)
        size = network.card.input_size(side, image.height, image.width)
        return one_core.run(resize_pixels(image.pixels, *size), size=size).logits

    rows = []
    for logits in ordered_map(one, range(len(images))):
        rows.append(logits)
        done(len(rows))
    return HeldOut(images, probabilities(np.stack(rows), network.card.activation))


def _mean_recall(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Callable[[Array], Array]:
    """The mean of the classes' recalls, in percent."""

    def statistic(weights: Array) -> Array:
        shown = weights @ true
        return np.asarray(
            100.0 * np.nanmean((weights @ (true & predicted)) / np.where(shown > 0, shown, np.nan), axis=1)
        )

    return statistic


def _f1(true: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> Callable[[Array], Array]:
    """The harmonic mean of precision and recall over all labels of all images, in percent."""
    right = (true & predicted).sum(axis=1).astype(np.float64)
    either = (true.sum(axis=1) + predicted.sum(axis=1)).astype(np.float64)

    def statistic(weights: Array) -> Array:
        return np.asarray(100.0 * 2 * (weights @ right) / np.maximum(weights @ either, 1e-12))

    return statistic
