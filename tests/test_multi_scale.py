from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from boxless import Card, Localizer
from boxless.models.model_file import Output
from boxless.models.presets import LocalizationPass, Preset

IMAGE = np.zeros((64, 64, 3), np.uint8)


class Watched:
    """Two classes; every position looks like itself alone. It remembers what it was asked."""

    def __init__(self, *passes: LocalizationPass, anomaly: np.ndarray | None = None, head: bool = True) -> None:
        preset = Preset((32, 64), 1, localization=passes)
        self.card = Card("fake", ("stain", "hole"), {"plain": preset}, "none", "CC0-1.0", "a test")
        self.anomaly = anomaly
        self.head = head
        self.asked: list[tuple[int, list[int]]] = []

    def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        chosen = np.array([*classes, *range(top)], np.int64)
        self.asked.append((size[0], chosen.tolist()))
        maps = np.array([[[160 / size[0], 2], [2, 0]]] * 2, np.float32)[chosen]  # less activation in larger passes
        affinity = np.eye(4, dtype=np.float32).reshape(2, 2, 2, 2)
        probable = np.array([[[0.1, 0.2, 0.3]], [[0.4, 0.5, 0.6]]], np.float32)[chosen] if self.head else None
        return Output(np.array([1.0, 2.0], np.float32), chosen, maps, affinity, self.anomaly, probable)


HOLES = LocalizationPass(96, (1,), "head")


def test_a_class_with_a_localization_pass_has_its_map_and_the_activation_of_the_classification_pass() -> None:
    network = Watched(HOLES)
    (hole,) = Localizer(network).locate(IMAGE, classes=["hole"]).predictions
    assert network.asked == [(32, [1]), (96, [1])]
    assert hole.class_map is not None
    assert hole.class_map == pytest.approx(np.array([[0.4, 0.5, 0.6]]))
    assert hole.activation == 5


def test_classes_without_a_localization_pass_have_the_refined_class_map() -> None:
    network = Watched(HOLES)
    stain, hole = Localizer(network).locate(IMAGE, classes=["stain", "hole"]).predictions
    assert network.asked == [(32, [0, 1]), (64, [0, 1]), (96, [1])]
    assert stain.class_map is not None and hole.class_map is not None
    assert stain.class_map.tolist() == [[3.75, 2], [2, 0]]
    assert hole.class_map.shape == (1, 3)
    assert (stain.activation, hole.activation) == (3.75, 5)


@pytest.mark.parametrize(("scale", "wanted"), [(32, ["hole"]), (64, ["stain", "hole"])])
def test_a_scale_that_was_seen_already_is_not_seen_again(scale: int, wanted: list[str]) -> None:
    network = Watched(replace(HOLES, scale=scale))
    found = Localizer(network).locate(IMAGE, classes=wanted)
    assert [size for size, _ in network.asked] == [32, 64][: len(wanted)]
    hole = found.predictions[-1]
    assert hole.class_map == pytest.approx(np.array([[0.4, 0.5, 0.6]]))


@pytest.mark.parametrize(("anomaly", "found"), [([[1, 1], [7, 1]], [[0, 0], [2, 0]]), (None, [[5 / 3, 2], [2, 0]])])
def test_class_maps_are_weighted_by_the_anomaly_score(anomaly: object, found: list[list[float]]) -> None:
    scores = None if anomaly is None else np.array(anomaly, np.float32)
    network = Watched(replace(HOLES, source="anomaly", refinement_steps=1), anomaly=scores, head=False)
    (hole,) = Localizer(network).locate(IMAGE, classes=["hole"]).predictions
    assert hole.class_map is not None
    assert hole.class_map == pytest.approx(np.array(found))


@pytest.mark.parametrize("older", [False, True])
def test_class_maps_are_those_of_the_head_of_their_scale(older: bool) -> None:
    class Flipped(Watched):
        def run(self, pixels: np.ndarray, *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
            output = super().run(pixels, size=size, classes=classes, top=top)
            own = output.class_maps[:, ::-1] - 1
            if older:
                return replace(output, localization_maps=own)
            return replace(output, localization_maps=np.ones((1, 4, 4), np.float32), localization_class_maps=own)

    network = Flipped(replace(HOLES, source="class_maps", refinement_steps=1), anomaly=np.eye(2, dtype=np.float32))
    (hole,) = Localizer(network).locate(IMAGE, classes=["hole"]).predictions
    assert hole.class_map == pytest.approx(np.array([[1, 0], [2 / 3, 1]])), "its own maps, without what is negative"
    assert hole.activation == 5, "of the layer that classifies"


def test_passes_of_one_scale_run_once() -> None:
    network = Watched(HOLES, LocalizationPass(96, (0,), "anomaly"), head=False)
    Localizer(network).locate(IMAGE, classes=["stain", "hole"])
    assert network.asked == [(32, [0, 1]), (96, [1, 0])]


def test_a_margin_is_seen_and_left_away() -> None:
    network = Watched(replace(HOLES, margin=32))
    (hole,) = Localizer(network).locate(IMAGE, classes=["hole"]).predictions
    assert network.asked == [(32, [1]), (160, [1])]
    assert hole.class_map == pytest.approx(np.array([[0.4, 0.5, 0.6]])), "the margin is less than a cell"


def test_a_survey_needs_no_localization_pass() -> None:
    network = Watched(HOLES)
    assert Localizer(network).survey(IMAGE)[1].tolist() == [3.75, 5], "as predictions say, whatever is looked for"
    assert [size for size, _ in network.asked] == [32, 64]
