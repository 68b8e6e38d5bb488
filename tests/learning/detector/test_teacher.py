"""The passes over an image that pseudo-boxes come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxless.errors import TrainingError
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.teacher import load_pseudo_labels, passes_of, save_pseudo_labels
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.presets import LocalizationPass
from boxless.models.zoo import DEFAULT_MODEL


class Named:
    """A model of which only the card is asked for."""

    def __init__(self, card: Card) -> None:
        self.card = card


def sides(card: Card) -> list[tuple[int, ...]]:
    return [look.preset.scales for look in passes_of(Named(card))]  # type: ignore[arg-type]


def test_presets_of_different_sizes_are_looks_as_they_are() -> None:
    card = ModelFile(DEFAULT_MODEL, threads=1).card
    assert sides(card) == sorted((preset.scales for preset in card.presets.values()), reverse=True)


def test_presets_that_see_alike_are_one_look_and_half_the_size_is_another() -> None:
    card = ModelFile(DEFAULT_MODEL, threads=1).card
    fast = card.presets["fast"]
    fine = replace(fast, scales=(224, 896))
    presets = {"fast": fast, "balanced": fine, "best": fine}
    assert sides(replace(card, presets=presets)) == [(224, 896), (224, 448), (224,)]
    assert sides(replace(card, presets={"fast": fast})) == [(224,)]


def test_localization_passes_say_which_boxes_of_the_classification_passes_to_believe() -> None:
    """As boxless fit writes it: one pass in both presets of several scales, with thresholds of its own."""
    card = ModelFile(DEFAULT_MODEL, threads=1).card
    card = replace(card, labels=("table", "card"), class_ids=())
    how = LocalizationPass(896, (1,), "anomaly", refinement_steps=2)
    presets = {
        name: replace(preset, localization=(how,), thresholds=(0.3, 0.9)) if len(preset.scales) > 1 else preset
        for name, preset in card.presets.items()
    }
    looks = passes_of(Named(replace(card, presets=presets)))  # type: ignore[arg-type]
    assert [[each.scale for each in look.preset.localization] for look in looks] == [[], [896], [448]]
    # Other classes are never held against the same look at it.
    assert [look.preset.scales for look in looks] == sides(card)
    assert [look.preset.threshold_of(1) for look in looks[1:]] == [0.9, 0.9]
    best = card.presets["best"]
    assert looks[0].preset.scales == best.scales
    assert looks[0].preset.thresholds == (0.3, best.threshold)


def test_boxes_that_were_cut_short_are_told(tmp_path: Path) -> None:
    file = tmp_path / "boxes.npz"
    save_pseudo_labels(
        file, [PseudoLabels.nothing(2), PseudoLabels.of_truth(np.ones((3, 4), np.float32), np.array([0, 1, 0]), 2)]
    )
    assert [len(each) for each in load_pseudo_labels(file)] == [0, 3]
    content = file.read_bytes()
    for size in (0, 100, len(content) - 100):
        file.write_bytes(content[:size])
        with pytest.raises(TrainingError, match="damaged boxes"):
            load_pseudo_labels(file)
