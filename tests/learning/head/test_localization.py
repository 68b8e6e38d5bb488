"""How classes are localized is decided by evidence of heads, whatever their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledImages
from boxless.export.backbone import Backbone
from boxless.learning.head.box_heads import BoxHeads
from boxless.learning.head.few_boxes import ChosenByBoxes, HeadChoice
from boxless.learning.head.localization import Localization, learn_localization, localized, with_box_heads
from boxless.learning.head.scale import HeadsAtScale
from boxless.learning.head.self_training import SHARES, Candidates, Evidence, LinearCells
from boxless.learning.head.small_objects import AtAnomalies, are_small
from boxless.models.card import Card
from boxless.models.presets import LocalizationPass, Preset
from boxless.models.zoo import DEFAULT_MODEL

NOTHING = LinearCells(np.zeros(1, np.float32), 0.0)


def scale(
    scores: dict[float, float], separation: float = 0.99, area: float = 0.1, image_cells: float = 1e6
) -> HeadsAtScale:
    """What one class says: scores of shares (0.1 elsewhere), the separation and area of all, and how many cells."""
    evidence = {share: Evidence(1.0, scores.get(share, 0.1) / separation, separation, area) for share in SHARES}
    cells = {share: int(share * image_cells) for share in SHARES}
    return HeadsAtScale(448, {0: Candidates(dict.fromkeys(SHARES, NOTHING), evidence, cells)}, [], [])


def test_a_share_is_chosen_with_its_neighbours() -> None:
    assert scale({0.08: 0.6}).share == 0.08
    assert scale({0.005: 0.61, 0.03: 0.5, 0.08: 0.6, 0.15: 0.5}).share == 0.08, "a lone high score is an accident"
    assert scale({0.3: 0.7}).share == 0.3, "the last share has one neighbour"


def test_a_share_of_few_cells_is_not_chosen() -> None:
    """Heads of few images are surest of the part that tells most: a feature takes five cells."""
    scores = {0.002: 0.7, 0.005: 0.7, 0.01: 0.7, 0.15: 0.6}
    assert scale(scores).share == 0.002
    few = scale(scores, image_cells=100)
    assert few.share == 0.15
    assert few.score < 0.6, "a score is that of the shares that may be chosen"
    assert scale(scores, image_cells=1).share == SHARES[-1], "without enough cells, of as many as there are"


@pytest.mark.parametrize(("area", "anomaly", "small"), [(0.2, 0.02, True), (0.1, 0.08, False), (0.05, 0.3, False)])
def test_objects_are_small_where_regions_are_far_larger_than_anomalies(
    area: float, anomaly: float, small: bool
) -> None:
    at = scale({}, area=area)
    assert are_small(at, {0: AtAnomalies(1.0, anomaly)}) == small
    assert not are_small(at, {1: AtAnomalies(1.0, anomaly)}), "a class without a head says nothing"


def test_anomalies_are_asked_where_the_size_of_regions_does_not_tell_the_classes() -> None:
    assert scale({}, 0.94).tells and not scale({}, 0.9).tells


def test_only_presets_of_several_scales_have_localization_passes() -> None:
    presets = {"fast": Preset((224,), 4, 0.46), "balanced": Preset((224, 448), 4, 0.54)}
    card = Card("mine", ("background", "scratch", "stain"), presets, "", "MIT", "", background=(0,))
    found = Localization((LocalizationPass(448, (1,), "head"),), thresholds={1: 0.5})
    changed = localized(card, found)
    assert changed.preset("fast") == card.preset("fast")
    balanced = changed.preset("balanced")
    assert balanced.localization == found.passes
    assert balanced.thresholds == (0.54, 0.5, 0.54), "half of a probability; other classes as they were"
    by_anomaly = localized(card, Localization((LocalizationPass(896, (2,), "anomaly"),)))
    assert by_anomaly.preset("balanced").thresholds == ()
    assert localized(card, Localization()) == card


def test_boxes_take_classes_from_the_passes_of_labels() -> None:
    trunk = Backbone(DEFAULT_MODEL)
    head = HeadChoice(448, LinearCells(np.ones(sum(trunk.layer_widths), np.float32), -1.0), 0.4)
    passes = LocalizationPass(896, (0, 1), "anomaly"), LocalizationPass(448, (2,), "class_maps")
    by_labels = Localization(passes, why="small objects", box_scales=(448, 896))
    how = ChosenByBoxes({}, 12, 30.0, 50.0)
    found = with_box_heads(by_labels, BoxHeads({1: head}, {0: 0.6, 1: 0.4}, how), trunk, 3)
    assert [(each.scale, each.classes, each.source) for each in found.passes] == [
        (896, (0,), "anomaly"),
        (448, (2,), "class_maps"),
        (448, (1,), "head"),
    ]
    assert found.head is not None
    assert [float(each) for each in found.head.bias] == [0, -1, 0]
    assert found.why == (
        "small objects; then class by class by 12 boxed images, one box right on those that did not choose: 50 %, "
        "30 % as labels chose"
    )
    card = Card("mine", ("hole", "crack", "stain"), {"balanced": Preset((224, 448), 4, 0.54)}, "", "MIT", "")
    balanced = localized(card, found).preset("balanced")
    assert balanced.thresholds == (0.6, 0.4, 0.54)
    assert balanced.set_on == "boxed images, class by class"
    nothing = with_box_heads(by_labels, BoxHeads({}, {0: 0.54, 1: 0.54}, ChosenByBoxes({}, 12, 30.0, 30.0)), trunk, 3)
    assert nothing.passes == passes and nothing.head is None
    assert localized(card, nothing).preset("balanced").thresholds == (), "the threshold of all stays"
    assert nothing.set_by_boxes == {0, 1}, "and the same boxes do not set it again"


def test_too_few_images_are_localized_by_class_maps(images: Path) -> None:
    trunk = Backbone(DEFAULT_MODEL)
    paths = tuple(sorted(images.glob("*.jpg")))[:4]
    learned = LabelledImages("some", ("first", "second"), paths, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], False)
    weight = np.zeros((2, trunk.width), np.float32)
    found = learn_localization(trunk, weight, learned, trunk.card, 64)
    assert found.passes == ()
    assert "too little" in found.why
    trunk.has_layers = False
    assert learn_localization(trunk, weight, learned, trunk.card).passes == ()
