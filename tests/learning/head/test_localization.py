"""How classes are localized is decided by evidence of heads, whatever their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledPictures
from boxless.export.backbone import Backbone
from boxless.learning.head.localization import Localization, _AtScale, learn_localization, localized
from boxless.learning.head.self_training import RECIPES, Candidates, Evidence, LinearCells, Recipe
from boxless.models.card import Card
from boxless.models.presets import LocalizationPass, Preset
from boxless.models.zoo import DEFAULT_MODEL

NOTHING = LinearCells(np.zeros(1, np.float32), 0.0)


def scale(scores: dict[float, float], usual: float = 0.99, strict: float = 0.99) -> _AtScale:
    """What one class says: scores of shares (0.1 elsewhere), and the separation of both kinds of heads."""
    evidence = {
        recipe: Evidence(1.0, scores.get(recipe.share, 0.1) / usual, strict if recipe.strict else usual, 0.1)
        for recipe in RECIPES
    }
    return _AtScale(448, {0: Candidates(dict.fromkeys(RECIPES, NOTHING), evidence)}, [], [])


def test_a_share_is_chosen_with_its_neighbours() -> None:
    assert scale({0.08: 0.6}).share == 0.08
    assert scale({0.005: 0.61, 0.03: 0.5, 0.08: 0.6, 0.15: 0.5}).share == 0.08, "a lone high score is an accident"
    assert scale({0.3: 0.7}).share == 0.3, "the last share has one neighbour"


@pytest.mark.parametrize(
    ("usual", "strict", "small"),
    [(0.84, 0.92, True), (0.84, 0.85, False), (0.98, 0.995, False), (0.9, 0.8, False)],
)
def test_objects_are_small_where_only_strict_heads_tell(usual: float, strict: float, small: bool) -> None:
    assert scale({}, usual, strict).small == small


def test_only_presets_of_several_scales_have_localization_passes() -> None:
    presets = {"fast": Preset((224,), 4, 0.46), "balanced": Preset((224, 448), 4, 0.54)}
    card = Card("mine", ("background", "scratch", "stain"), presets, "", "MIT", "", background=(0,))
    found = Localization((LocalizationPass(448, (1,), "head"),))
    changed = localized(card, found)
    assert changed.preset("fast") == card.preset("fast")
    balanced = changed.preset("balanced")
    assert balanced.localization == found.passes
    assert balanced.thresholds == (0.54, 0.5, 0.54), "half of a probability; other classes as they were"
    by_anomaly = localized(card, Localization((LocalizationPass(896, (2,), "anomaly"),)))
    assert by_anomaly.preset("balanced").thresholds == ()
    assert localized(card, Localization()) == card


def test_too_few_images_are_localized_by_class_maps(pictures: Path) -> None:
    trunk = Backbone(DEFAULT_MODEL)
    paths = tuple(sorted(pictures.glob("*.jpg")))[:4]
    learned = LabelledPictures("some", ("first", "second"), paths, np.eye(2, dtype=np.float32)[[0, 1, 0, 1]], False)
    weight = np.zeros((2, trunk.width), np.float32)
    found = learn_localization(trunk, weight, learned, trunk.card, 64)
    assert found.passes == ()
    assert "too little" in found.why
    trunk.has_layers = False
    assert learn_localization(trunk, weight, learned, trunk.card).passes == ()


def test_shares_and_strict_shares_have_a_recipe_each() -> None:
    assert len(set(RECIPES)) == len(RECIPES) == 10
    assert Recipe(0.01) in RECIPES and Recipe(0.01, strict=True) in RECIPES
