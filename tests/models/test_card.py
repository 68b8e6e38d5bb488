from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from boxless import Card, ModelFileError, UnknownClassError
from boxless.models.presets import PRESETS, LocalizationPass

CARD = Card(
    name="birds",
    labels=("crane", "barn owl", "Crane", "magpie"),
    class_ids=("n1", "n2", "n3", "n4"),
    presets=PRESETS,
    preprocessing="none",
    licence="CC0-1.0",
    source="a test",
    figures={"top1": 12.5},
)


PASS = {"scale": 896, "classes": [1], "source": "head"}


def test_a_card_survives_its_json() -> None:
    assert Card.from_json(CARD.to_json()) == CARD


def test_a_card_is_shown_in_a_few_lines() -> None:
    assert repr(CARD).splitlines() == [
        "<Card birds",
        "    4 classes: crane, barn owl, Crane, ...",
        "    softmax, maps exact, presets fast, balanced, best",
        "    licence CC0-1.0, source a test>",
    ]


def test_a_card_of_format_1_is_read() -> None:
    """It knew nothing of presence: whatever has activation counts as present, as it did then."""
    data = json.loads(CARD.to_json())
    data["format"] = 1
    for preset in data["presets"].values():
        for added in ("min_probability", "min_activation", "detection_set_on", "thresholds", "localization"):
            del preset[added]
    fast = Card.from_json(json.dumps(data)).preset("fast")
    assert fast.is_detected(0.0, 0.1)
    assert fast.threshold_of(3) == fast.threshold


def test_localization_passes_survive_json() -> None:
    by_head, by_anomaly = LocalizationPass(448, (0, 2), "head"), LocalizationPass(896, (3,), "anomaly", 6, 1.5)
    card = replace(CARD, presets={"fast": replace(CARD.preset("fast"), localization=(by_head, by_anomaly))})
    again = Card.from_json(card.to_json())
    assert again == card
    assert again.preset("fast").localization_of(2) == by_head
    assert again.preset("fast").localization_of(3) == by_anomaly
    assert again.preset("fast").localization_of(1) is None


def test_a_card_with_the_searches_of_older_files_opens_without_them() -> None:
    data = json.loads(CARD.to_json())
    data |= {"format": 2, "finders": 1}
    search = {"side": 896, "finder": 0, "classes": [1], "walk_steps": 8, "sharpness": 2.0, "novelty": True}
    for preset in data["presets"].values():
        del preset["localization"]
        preset["searches"] = [search]
    assert Card.from_json(json.dumps(data)) == CARD


def test_thresholds_of_classes_survive_json() -> None:
    cuts = replace(CARD.preset("fast"), thresholds=(0.1, 0.2, 0.9, 0.5))
    card = Card.from_json(replace(CARD, presets={"fast": cuts}).to_json())
    assert card.preset("fast").threshold_of(2) == 0.9
    assert card.preset("fast").cut.startswith("0.1 to 0.9, by class (set on: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thresholds": [0.5, 0.5, 1.5, 0.5]}, "between 0 and 1, found 1.5"),
        ({"thresholds": [0.5, 0.5]}, "fast has 2 thresholds for 4 classes"),
        ({"thresholds": "half"}, "damaged card"),
        ({"localization": [{**PASS, "classes": [4]}]}, r"fast localizes classes \(4,\) of 4"),
        ({"localization": [{**PASS, "scale": 0}]}, "a localization pass has a scale"),
        ({"localization": [{**PASS, "source": "luck"}]}, "the source head or anomaly, found luck"),
        ({"localization": [PASS, PASS]}, "found one in two of them"),
        ({"localization": [{"scale": 896}]}, "damaged card"),
    ],
)
def test_a_card_with_senseless_thresholds_or_passes_is_refused(change: dict[str, object], said: str) -> None:
    data = json.loads(CARD.to_json())
    data["presets"]["fast"].update(change)
    with pytest.raises(ModelFileError, match=said):
        Card.from_json(json.dumps(data))


@pytest.mark.parametrize("wanted", [1, np.int64(1), "barn owl", "Barn_Owl", " barn  owl ", "n2", "1"])
def test_a_class_by_index_label_or_id(wanted: str | int) -> None:
    assert CARD.class_index(wanted) == 1
    assert type(CARD.class_index(wanted)) is int


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("barn owls", "nearest: barn owl"),
        ("owl", "nearest: barn owl"),
        ("crane", "give the index, 0 or 2"),
        (4, "there are 0 to 3"),
        (-1, "there are 0 to 3"),
        ("99", "no class 99"),
    ],
)
def test_unknown_classes_are_refused_with_help(wanted: str | int, said: str) -> None:
    with pytest.raises(UnknownClassError) as refusal:
        CARD.class_index(wanted)
    assert said in str(refusal.value)


def test_a_name_that_no_other_class_has() -> None:
    assert [CARD.unique_name(index) for index in range(2)] == ["crane", "barn owl"]
    twice = replace(CARD, labels=("crane", "barn owl", "crane", "magpie"))
    assert [twice.unique_name(index) for index in range(3)] == ["n1", "barn owl", "n3"]
    assert replace(twice, class_ids=()).unique_name(2) == "crane 2"


def test_the_default_preset() -> None:
    assert CARD.default_preset == "balanced"
