"""The input size at which own classes are classified best, by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from boxless.datasets.labelled import LabelledImages
from boxless.export.backbone import Backbone
from boxless.learning.head.features import Engine, here, pooled_features
from boxless.learning.head.head import fit_head
from boxless.learning.head.sampling import evenly

MAX_IMAGES = 400
"""Images that decide, at most."""

AFFORDABLE = 1000
"""Of more images than these, the features at twice the size are not made unless the user asks for it."""

_CLEARLY, _WORTH_IT = 0.9, 0.05


@dataclass(frozen=True)
class ClassificationScale:
    """How well classes are told apart at some input sizes.

    Attributes:
        usual: the input size of the backbone's classification pass, in pixels.
        losses: the log loss on left-out images, mean over classes, by input size.
        images: how many there are to learn from.
    """

    usual: int
    losses: Mapping[int, float]
    images: int

    @property
    def best(self) -> int:
        """The size that is clearly better than the usual one, by a tenth and 0.05 of loss; else the usual one."""
        other = min(self.losses, key=lambda size: self.losses[size], default=self.usual)
        usual = self.losses.get(self.usual, 0.0)
        better = other != self.usual and self.losses[other] < min(_CLEARLY * usual, usual - _WORTH_IT)
        return other if better else self.usual

    @property
    def size(self) -> int:
        """The best size, if it can be afforded without being asked for."""
        return self.best if self.images <= AFFORDABLE else self.usual

    def __str__(self) -> str:
        """What was found, for a report."""
        losses = ", ".join(f"{loss:.2f} at {size}" for size, loss in self.losses.items())
        found = f"at {self.size} pixels; cross-validated loss {losses}" if losses else f"at {self.size} pixels"
        return found if self.best == self.size else f"{found}: it would classify better with --size {self.best}"


def choose_classification_scale(
    backbone: Backbone,
    images: LabelledImages,
    seed: int = 0,
    engine: Engine = here,
    done: Callable[[int, int, int], object] = lambda size, n, of: None,
) -> ClassificationScale:
    """Learns to classify a few images at the usual input size and at twice it.

    Args:
        backbone: makes the features.
        images: to learn from; at most `MAX_IMAGES` are used.
        seed: of the sample and the folds.
        engine: what reads the images and makes their features.
        done: called after each image with the size, how many are done, and of how many.
    """
    usual = backbone.card.preset(backbone.card.default_preset).scales[0]
    sizes = (usual, 2 * usual) if backbone.card.fixed_size is None else ()
    some = images.only(evenly(images, MAX_IMAGES, seed))
    losses = {}
    for size in sizes:

        def one_more(count: int, size: int = size) -> None:
            done(size, count, len(some))

        made = pooled_features(backbone, some.paths, size, engine=engine, done=one_more)
        readable = np.array([i for i in range(len(some)) if i not in made.unreadable], np.int64)
        targets = some.targets[readable]
        if not len(targets) or not (targets.max(axis=0) > targets.min(axis=0)).all():
            return ClassificationScale(usual, {}, len(images))
        head = fit_head(made.pooled[readable], targets, several=some.several, seed=seed)
        if head.losses:
            losses[size] = min(head.losses.values())
    return ClassificationScale(usual, losses if len(losses) == len(sizes) else {}, len(images))
