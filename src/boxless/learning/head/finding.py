"""Prediction in own classes, from labels alone: which classes need a look of their own, and how large.

A class map shows where the evidence lies, and so, without any box, about how much of a picture a class takes: the
share of it where the map reaches half its maximum, here the *hot share*. What was measured stands in docs/own-data.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledPictures
from boxless.evaluation.predict import score_map_of
from boxless.localizer import Localizer
from boxless.models.card import Card
from boxless.models.model_file import Network
from boxless.models.presets import Preset, Search
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

LARGEST = 896
"""Pixels a side: no look is larger, unless it is asked for."""

_HOT = 0.5
_A_CLASS, _IN_ALL = 20, 100


@dataclass(frozen=True)
class Way:
    """How things of a size are found.

    Attributes:
        larger: so many times the naming look's side is the side of the look that finds.
        up_to: the largest hot share of a class for which it is taken.
        refinement_steps, sharpness, novelty: see `Search`.
        threshold: where boxes are cut; None for where the preset cuts them.
        pictures: how many the finder is fitted on, at most: large looks take long.
    """

    larger: float
    up_to: float
    refinement_steps: int
    sharpness: float
    novelty: bool
    threshold: float | None
    pictures: int


WAYS = (
    Way(larger=4, up_to=0.25, refinement_steps=8, sharpness=2, novelty=True, threshold=0.62, pictures=400),
    Way(larger=2, up_to=0.40, refinement_steps=4, sharpness=1, novelty=False, threshold=None, pictures=800),
)
"""The first that fits a class is taken; where none does, the looks that name find it."""


@dataclass(frozen=True)
class Plan:
    """One way to find, for some classes.

    Attributes:
        way: that is taken.
        side: of the look that finds, in pixels.
        classes: by index.
    """

    way: Way
    side: int
    classes: tuple[int, ...]


def plans_for(
    shares: Mapping[int, float],
    side: int,
    asked: int | None = None,
    classes: tuple[int, ...] = (),
    ways: Sequence[Way] = WAYS,
) -> tuple[Plan, ...]:
    """The further looks that find; none where the looks that name find as well.

    Without anything small, nothing is searched for: natural objects lose by it.

    Args:
        shares: the hot share of each class.
        side: of the naming look.
        asked: the side of the look that finds all classes, if the user names it.
        classes: that may have a box.
        ways: to choose from; those for the smallest things first.
    """
    if asked is not None:
        nearest = min(ways, key=lambda way: abs(way.larger - asked / side))
        return (Plan(nearest, asked, classes),) if asked > side else ()
    if not ways or not shares or side >= LARGEST or min(shares.values()) > ways[0].up_to:
        return ()
    chosen = {k: next((way for way in ways if share <= way.up_to), None) for k, share in shares.items()}
    classes_of = {way: tuple(k for k in chosen if chosen[k] is way) for way in ways}
    return tuple(Plan(way, min(round(way.larger * side), LARGEST), found) for way, found in classes_of.items() if found)


def with_plans(card: Card, plans: tuple[Plan, ...]) -> Card:
    """The card of a model with a finder for each plan, and searches in all presets of several looks."""
    searches = tuple(
        Search(plan.side, i, plan.classes, plan.way.refinement_steps, plan.way.sharpness, plan.way.novelty)
        for i, plan in enumerate(plans)
    )

    def changed(preset: Preset) -> Preset:
        cuts = {k: plan.way.threshold or preset.threshold for plan in plans for k in plan.classes}
        thresholds = tuple(cuts.get(k, preset.threshold) for k in range(len(card.labels)))
        set_on = f"{preset.set_on}; of small things on the training pictures of magnetic-tile"
        return replace(preset, searches=searches, thresholds=thresholds, set_on=set_on)

    presets = {name: each if len(each.scales) == 1 else changed(each) for name, each in card.presets.items()}
    return replace(card, finders=len(plans), presets=presets)


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
        finding = localizer.locate(pictures.paths[pair[0]], classes=[pair[1]], include_absent=True).predictions[0]
        return hot_share(score_map_of(finding))

    found: dict[int, list[float]] = {}
    for n, ((_, k), share) in enumerate(zip(chosen, ordered_map(one, chosen, usable_cores()), strict=True)):
        if share > 0:
            found.setdefault(k, []).append(share)
        done(n + 1, len(chosen))
    return {k: float(np.median(each)) for k, each in sorted(found.items())}


def evenly(pictures: LabelledPictures, most: int, seed: int) -> NDArray[np.int64]:
    """Pictures by index, all of them or about `most`, by lot: of the class with fewest so far, again and again.

    With several labels, to be without what most pictures show counts as a class too.
    """
    if len(pictures) <= most:
        return np.arange(len(pictures))
    random = np.random.default_rng(seed)
    ranks = np.full(len(pictures), len(pictures))
    kinds = list(pictures.targets.T > 0)
    if pictures.several:  # else whatever lacks a class is of another
        kinds += [~shown for shown in kinds if shown.mean() > 0.5]
    for shown in kinds:
        mine = random.permutation(np.flatnonzero(shown))
        ranks[mine] = np.minimum(ranks[mine], np.arange(len(mine)))
    return np.sort(np.argsort(ranks, kind="stable")[:most])


def _some(pictures: LabelledPictures, background: tuple[int, ...]) -> list[tuple[int, int]]:
    """(picture, class) pairs by lot, every class in turn."""
    random = np.random.default_rng(0)
    shown = [k for k in range(len(pictures.classes)) if k not in background]
    lots = {k: random.permutation(np.flatnonzero(pictures.targets[:, k] > 0))[:_A_CLASS] for k in shown}
    turns = [(int(lots[k][turn]), k) for turn in range(_A_CLASS) for k in shown if turn < len(lots[k])]
    return turns[:_IN_ALL]
