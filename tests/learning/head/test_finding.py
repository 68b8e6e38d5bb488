from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledPictures
from boxless.learning.head.finding import LARGEST, evenly, hot_share, plans_for, with_plans
from boxless.models.card import Card
from boxless.models.presets import Preset


def test_the_hot_share_is_what_reaches_half_the_maximum() -> None:
    score_map = np.zeros((10, 10), np.float32)
    score_map[:2, :5] = 0.6
    score_map[0, 0] = 1
    assert hot_share(score_map) == pytest.approx(0.1)
    assert hot_share(np.zeros((10, 10), np.float32)) == 0


def _planned(
    shares: dict[int, float], side: int, asked: int | None = None, classes: tuple[int, ...] = ()
) -> list[tuple[float, int, tuple[int, ...]]]:
    return [(plan.way.larger, plan.side, plan.classes) for plan in plans_for(shares, side, asked, classes)]


@pytest.mark.parametrize(
    ("shares", "side", "found"),
    [
        ({0: 0.05, 1: 0.1}, 224, [(4, 896, (0, 1))]),
        ({0: 0.05, 1: 0.35, 2: 0.6}, 224, [(4, 896, (0,)), (2, 448, (1,))]),
        ({0: 0.05}, 448, [(4, LARGEST, (0,))]),
    ],
)
def test_small_things_are_found_in_larger_looks(
    shares: dict[int, float], side: int, found: list[tuple[float, int, tuple[int, ...]]]
) -> None:
    assert _planned(shares, side) == found


@pytest.mark.parametrize("shares", [{0: 0.6}, {0: 0.35, 1: 0.3}, {}])
def test_the_looks_that_name_find_what_is_large(shares: dict[int, float]) -> None:
    assert _planned(shares, 224) == []


def test_a_side_that_was_asked_for_is_for_all_classes() -> None:
    assert _planned({}, 224, 512, (0, 2)) == [(2, 512, (0, 2))]
    assert _planned({}, 224, 1000, (0, 2)) == [(4, 1000, (0, 2))]
    assert _planned({0: 0.01}, 224, 224, (0,)) == []


def test_only_presets_of_several_looks_search() -> None:
    card = Card(
        name="mine",
        labels=("background", "scratch", "stain"),
        presets={"fast": Preset((224,), 4, 0.46), "balanced": Preset((224, 448), 4, 0.54)},
        preprocessing="",
        licence="MIT",
        source="",
        background=(0,),
    )
    changed = with_plans(card, plans_for({1: 0.05, 2: 0.6}, 224))
    assert changed.preset("fast") == card.preset("fast")
    assert (changed.finders, changed.preset("balanced").largest) == (1, 896)
    search = changed.preset("balanced").search_for(1)
    assert search is not None and search.novelty
    assert changed.preset("balanced").search_for(2) is None
    assert changed.preset("balanced").threshold_of(1) > changed.preset("balanced").threshold_of(2) == 0.54


def test_every_class_is_among_a_few_pictures() -> None:
    classes = np.repeat([0, 1, 2], [90, 9, 1])
    pictures = LabelledPictures(
        "p", ("a", "b", "c"), tuple(Path(f"{i}") for i in range(100)), np.eye(3, dtype=np.float32)[classes], False
    )
    chosen = evenly(pictures, 20, 0)
    assert len(chosen) == 20
    assert np.bincount(classes[chosen]).tolist() == [10, 9, 1]
    assert evenly(pictures, 100, 0).tolist() == list(range(100))


def test_a_class_that_nearly_every_picture_shows_is_absent_from_some_of_a_few() -> None:
    """Nothing tells a class that is in all of them."""
    targets = np.ones((1000, 2), np.float32)
    targets[:500, 1] = 0
    targets[500:504, 0] = 0
    pictures = LabelledPictures("p", ("a", "b"), tuple(Path(f"{i}") for i in range(1000)), targets, several=True)
    for seed in range(5):
        chosen = targets[evenly(pictures, 20, seed)]
        assert (chosen[:, 0] == 0).sum() == 4
        assert (chosen[:, 1] == 0).any()
