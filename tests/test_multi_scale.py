from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from boxless import Card, Localizer
from boxless.models.model_file import Output
from boxless.models.presets import Preset, Search

PICTURE = np.zeros((64, 64, 3), np.uint8)


class Watched:
    """Two classes and a finder; every position looks like itself alone. It remembers what it was asked."""

    def __init__(self, *searches: Search, novelty: np.ndarray | None = None) -> None:
        preset = Preset((32, 64), 1, searches=searches)
        self.card = Card("fake", ("stain", "hole"), {"plain": preset}, "none", "CC0-1.0", "a test", finders=1)
        self.novelty = novelty
        self.asked: list[tuple[int, list[int]]] = []

    def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        chosen = np.array([*classes, *range(top)], np.int64)
        self.asked.append((size[0], chosen.tolist()))
        named, searched = [[160 / size[0], 0], [0, 0]], [[0, 2], [2, 0]]  # less activation in larger looks
        maps = np.array([named, named, searched, searched], np.float32)[chosen]
        affinity = np.eye(4, dtype=np.float32).reshape(2, 2, 2, 2)
        return Output(np.array([1.0, 2.0], np.float32), chosen, maps, affinity, self.novelty)


HOLES = Search(96, 0, (1,), 1)


def test_a_class_that_is_searched_for_has_the_map_of_its_finder_and_the_evidence_of_its_name() -> None:
    network = Watched(HOLES)
    (hole,) = Localizer(network).locate(PICTURE, classes=["hole"]).predictions
    assert network.asked == [(32, [1]), (96, [3])]
    assert hole.class_map is not None
    assert hole.class_map.tolist() == [[0, 2], [2, 0]]
    assert hole.activation == 5


def test_what_is_not_searched_for_is_found_as_ever() -> None:
    network = Watched(HOLES)
    stain, hole = Localizer(network).locate(PICTURE, classes=["stain", "hole"]).predictions
    assert network.asked == [(32, [0, 1]), (64, [0, 1]), (96, [3])]
    assert stain.class_map is not None and hole.class_map is not None
    assert stain.class_map.tolist() == [[3.75, 0], [0, 0]]
    assert hole.class_map.tolist() == [[0, 2], [2, 0]]
    assert (stain.activation, hole.activation) == (3.75, 5)


@pytest.mark.parametrize(("wanted", "found"), [(True, [[0, 0], [2, 0]]), (False, [[0, 2], [2, 0]])])
def test_novelty_weighs_only_where_a_search_asks_for_it(wanted: bool, found: list[list[int]]) -> None:
    network = Watched(replace(HOLES, novelty=wanted), novelty=np.array([[1, 1], [7, 1]], np.float32))
    (hole,) = Localizer(network).locate(PICTURE, classes=["hole"]).predictions
    assert hole.class_map is not None
    assert hole.class_map.tolist() == found


def test_a_survey_needs_no_search() -> None:
    network = Watched(HOLES)
    assert Localizer(network).survey(PICTURE)[1].tolist() == [3.75, 5], "as predictions say, whatever is looked for"
    assert [size for size, _ in network.asked] == [32, 64]
