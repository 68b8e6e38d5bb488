"""Finding in own classes, from labels alone: at which size, and where each class's boxes are cut.

A class map shows where the evidence lies, and so, without any box, about how much of a picture a class takes: the
share of it where the map reaches half its maximum, here the *hot share*. What was measured stands in docs/own-data.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.card import Card
from boxless.evaluation.predict import score_map_of
from boxless.localizer import Localizer
from boxless.model_file import Network
from boxless.ordered import ordered_map
from boxless.presets import Preset
from boxless.training.pictures import LabelledPictures

Floats = NDArray[np.float32]

LARGEST = 896
"""Pixels a side: no finder is made for more, unless it is asked for."""

_HOT = 0.5
_A_CLASS, _IN_ALL = 20, 100
HIGHEST = 0.95
"""No threshold that is set without boxes is above."""


@dataclass(frozen=True)
class Way:
    """How things of a size are found.

    Attributes:
        larger: so many times the naming look's side is the side of the look that finds.
        up_to: the largest mean hot share of classes for which it is taken.
        sharpness, walk_steps: see `Preset`.
        highest: no threshold is above.
        pictures: how many the finder is fitted on, at most: large looks take long.
    """

    larger: float
    up_to: float
    sharpness: float
    walk_steps: int
    highest: float
    pictures: int

    def presets(self, card: Card, side: int) -> dict[str, Preset]:
        """The card's presets: those of one look as they are; the others name at their first side and find at `side`.

        These are alike, so that they are measured once: further looks cost much and find nothing more.
        """
        common = card.preset(card.default_preset).threshold
        found = {}
        for name, each in card.presets.items():
            first = each.sides[0]
            found[name] = each if len(each.sides) == 1 else replace(
                each, sides=(first, side), finders=(0,), sharpness=self.sharpness, walk_steps=self.walk_steps,
                threshold=common
            )  # fmt: skip
        return found


WAYS = (
    Way(larger=4, up_to=0.30, sharpness=2, walk_steps=16, highest=0.80, pictures=400),
    Way(larger=2, up_to=0.40, sharpness=1, walk_steps=4, highest=HIGHEST, pictures=1600),
)
"""The first that fits is taken; where none does, a second look with the naming layer finds, as in the backbone."""


def way_for(shares: Mapping[int, float], side: int, asked: int | None = None) -> tuple[Way, int] | None:
    """The way to find, and the side of the look that finds; None where the naming layer finds as well.

    Args:
        shares: the hot share of each class.
        side: of the naming look.
        asked: the side of the look that finds, if the user names it.
    """
    if asked is not None:
        return None if asked <= side else (min(WAYS, key=lambda way: abs(way.larger - asked / side)), asked)
    if not shares or side >= LARGEST:
        return None
    mean = float(np.mean(list(shares.values())))
    way = next((way for way in WAYS if mean <= way.up_to), None)
    return (way, min(round(way.larger * side), LARGEST)) if way else None


def hot_share(score_map: Floats) -> float:
    """The share of a score map (h, w), in [0, 1], that reaches half its maximum; 0 of a map of zeros."""
    peak = float(score_map.max())
    return float((score_map >= _HOT * peak).mean()) if peak > 0 else 0.0


def hot_shares(
    network: Network, preset: str, pictures: LabelledPictures, done: Callable[[int, int], object] = lambda n, of: None
) -> dict[int, float]:
    """The median hot share of each class, by index, over a few pictures that show it.

    Args:
        network: the model.
        preset: the name of one of its presets.
        pictures: that the model learned from; up to 20 of each class are looked at, and about 100 in all.
        done: told after each look how many are done, and of how many.

    Returns:
        Nothing of background classes, nor of those for which no picture was looked at.
    """
    localizer = Localizer(network, preset)
    chosen = _some(pictures, network.card.background)

    def one(pair: tuple[int, int]) -> float:
        finding = localizer.locate(pictures.paths[pair[0]], classes=[pair[1]], always_box=True).findings[0]
        return hot_share(score_map_of(finding))

    found: dict[int, list[float]] = {}
    for n, ((_, k), share) in enumerate(zip(chosen, ordered_map(one, chosen, os.cpu_count() or 1), strict=True)):
        if share > 0:
            found.setdefault(k, []).append(share)
        done(n + 1, len(chosen))
    return {k: float(np.median(each)) for k, each in sorted(found.items())}


def thresholds_from(
    shares: Mapping[int, float], classes: int, common: float, highest: float = HIGHEST
) -> tuple[float, ...]:
    """The threshold of each class, from its hot share.

    Where the evidence lies on a small part of the picture, most of what a map shows is its own blur, and the box is cut
    high: at 1 - 2 * share. Never below the common threshold, which fits what takes a third of a picture and more.

    Args:
        shares: the hot share of each class; the others get the common threshold.
        classes: how many there are.
        common: in (0, 1).
        highest: in (0, 1).
    """
    cut = {k: max(common, min(highest, 1 - 2 * share)) for k, share in shares.items()}
    return tuple(round(cut.get(k, common), 2) for k in range(classes))


def evenly(pictures: LabelledPictures, most: int, seed: int) -> NDArray[np.int64]:
    """Pictures by index, all of them or about `most`, by lot: of the class with fewest so far, again and again."""
    if len(pictures) <= most:
        return np.arange(len(pictures))
    random = np.random.default_rng(seed)
    ranks = np.full(len(pictures), len(pictures))
    for k in range(len(pictures.classes)):
        mine = random.permutation(np.flatnonzero(pictures.targets[:, k] > 0))
        ranks[mine] = np.minimum(ranks[mine], np.arange(len(mine)))
    return np.sort(np.argsort(ranks, kind="stable")[:most])


def _some(pictures: LabelledPictures, background: tuple[int, ...]) -> list[tuple[int, int]]:
    """(picture, class) pairs by lot, every class in turn."""
    random = np.random.default_rng(0)
    shown = [k for k in range(len(pictures.classes)) if k not in background]
    lots = {k: random.permutation(np.flatnonzero(pictures.targets[:, k] > 0))[:_A_CLASS] for k in shown}
    turns = [(int(lots[k][turn]), k) for turn in range(_A_CLASS) for k in shown if turn < len(lots[k])]
    return turns[:_IN_ALL]
