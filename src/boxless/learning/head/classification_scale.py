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

LOOKED_AT = 400
"""Images that decide, at most."""

AFFORDABLE = 1000
"""Of more images than these, the features at twice the side are not made unless the user asks for it."""

_CLEARLY, _WORTH_IT = 0.9, 0.05


@dataclass(frozen=True)
class Naming:
    """How well classes are named at some sizes.

    Attributes:
        usual: the side at which the backbone names, in pixels.
        losses: the log loss on left-out images, mean over classes, by side.
        images: how many there are to learn from.
    """

    usual: int
    losses: Mapping[int, float]
    images: int

    @property
    def best(self) -> int:
        """The side that names clearly better than the usual one, by a tenth and 0.05 of loss; else the usual one."""
        other = min(self.losses, key=lambda side: self.losses[side], default=self.usual)
        usual = self.losses.get(self.usual, 0.0)
        better = other != self.usual and self.losses[other] < min(_CLEARLY * usual, usual - _WORTH_IT)
        return other if better else self.usual

    @property
    def side(self) -> int:
        """The best side, if it can be afforded without being asked for."""
        return self.best if self.images <= AFFORDABLE else self.usual

    def __str__(self) -> str:
        """What was found, for a report."""
        told = ", ".join(f"{loss:.2f} at {side}" for side, loss in self.losses.items())
        said = f"at {self.side} pixels; cross-validated loss {told}" if told else f"at {self.side} pixels"
        return said if self.best == self.side else f"{said}: it would name better with --size {self.best}"


def try_sizes(
    trunk: Backbone,
    images: LabelledImages,
    seed: int = 0,
    engine: Engine = here,
    done: Callable[[int, int, int], object] = lambda side, n, of: None,
) -> Naming:
    """Learns to name a few images at the usual side and at twice it.

    Args:
        trunk: the backbone.
        images: to learn from; at most `LOOKED_AT` are looked at.
        seed: of the lots and folds.
        engine: what looks at the images.
        done: told after each image the side, how many are done, and of how many.
    """
    usual = trunk.card.preset(trunk.card.default_preset).scales[0]
    sides = (usual, 2 * usual) if trunk.card.fixed_size is None else ()
    some = images.only(evenly(images, LOOKED_AT, seed))
    losses = {}
    for side in sides:

        def told(count: int, side: int = side) -> None:
            done(side, count, len(some))

        made = pooled_features(trunk, some.paths, side, engine=engine, done=told)
        readable = np.array([i for i in range(len(some)) if i not in made.unreadable], np.int64)
        targets = some.targets[readable]
        if not len(targets) or not (targets.max(axis=0) > targets.min(axis=0)).all():
            return Naming(usual, {}, len(images))
        head = fit_head(made.pooled[readable], targets, several=some.several, seed=seed)
        if head.losses:
            losses[side] = min(head.losses.values())
    return Naming(usual, losses if len(losses) == len(sides) else {}, len(images))
