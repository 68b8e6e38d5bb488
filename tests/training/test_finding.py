from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.training.finding import LARGEST, evenly, hot_share, thresholds_from, way_for
from boxless.training.pictures import LabelledPictures


def test_the_hot_share_is_what_reaches_half_the_maximum() -> None:
    score_map = np.zeros((10, 10), np.float32)
    score_map[:2, :5] = 0.6
    score_map[0, 0] = 1
    assert hot_share(score_map) == pytest.approx(0.1)
    assert hot_share(np.zeros((10, 10), np.float32)) == 0


def test_small_things_are_cut_high_and_large_ones_as_before() -> None:
    shares = {0: 0.001, 1: 0.1, 2: 0.25, 3: 0.6}
    assert thresholds_from(shares, 5, 0.46, 0.95) == (0.95, 0.8, 0.5, 0.46, 0.46)
    assert max(thresholds_from(shares, 5, 0.46, 0.8)) == 0.8


@pytest.mark.parametrize(
    ("share", "side", "asked", "larger", "found"),
    [
        (0.05, 224, None, 4, 896),
        (0.35, 224, None, 2, 448),
        (0.05, 448, None, 4, LARGEST),
        (0.05, 224, 512, 2, 512),
        (0.90, 224, 1000, 4, 1000),
    ],
)
def test_small_things_are_found_in_larger_looks(
    share: float, side: int, asked: int | None, larger: float, found: int
) -> None:
    chosen = way_for({0: share}, side, asked)
    assert chosen is not None
    assert (chosen[0].larger, chosen[1]) == (larger, found)


@pytest.mark.parametrize(("shares", "side", "asked"), [({0: 0.6}, 224, None), ({}, 224, None), ({0: 0.01}, 224, 224)])
def test_the_naming_layer_finds_what_is_large(shares: dict[int, float], side: int, asked: int | None) -> None:
    assert way_for(shares, side, asked) is None


def test_every_class_is_among_a_few_pictures() -> None:
    classes = np.repeat([0, 1, 2], [90, 9, 1])
    pictures = LabelledPictures(
        "p", ("a", "b", "c"), tuple(Path(f"{i}") for i in range(100)), np.eye(3, dtype=np.float32)[classes], False
    )
    chosen = evenly(pictures, 20, 0)
    assert len(chosen) == 20
    assert np.bincount(classes[chosen]).tolist() == [10, 9, 1]
    assert evenly(pictures, 100, 0).tolist() == list(range(100))
