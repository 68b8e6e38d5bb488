from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

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
    assert "3 classes: a, b, c\n" in repr(replace(CARD, labels=("a", "b", "c"), class_ids=()))


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


def test_the_names_of_older_files_are_read() -> None:
    preset = replace(CARD.preset("fast"), min_probability=0.25, min_activation=3.5, detection_set_on="tiles")
    card = replace(CARD, typical_activation=7.5, presets={"fast": preset})
    data = json.loads(card.to_json())
    older = {
        "sides": "scales",
        "walk_steps": "refinement_steps",
        "least_probability": "min_probability",
        "least_evidence": "min_activation",
        "present_from": "detection_set_on",
    }
    for old, new in older.items():
        data["presets"]["fast"][old] = data["presets"]["fast"].pop(new)
    data |= {"format": 2, "typical_evidence": data.pop("typical_activation")}
    assert Card.from_json(json.dumps(data)) == card


def test_names_of_unknown_fields_are_harmless_on_a_terminal() -> None:
    for name, shown in (("Xtra", "Xtra"), ("\x1b[2J", r"\x1b[2J"), ("\u2028", r"\u2028")):
        data = json.loads(CARD.to_json()) | {name: 1}
        assert refusal(json.dumps(data)) == f"a boxless model with a damaged card (unknown field {shown})"


def test_thresholds_of_classes_survive_json() -> None:
    cuts = replace(CARD.preset("fast"), thresholds=(0.1, 0.2, 0.9, 0.5))
    card = Card.from_json(replace(CARD, presets={"fast": cuts}).to_json())
    assert card.preset("fast").threshold_of(2) == 0.9
    assert card.preset("fast").cut.startswith("0.1 to 0.9, by class (set on: ")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thresholds": [0.5, 0.5, 1.5, 0.5]}, r"presets.fast.thresholds\[2\] is 1.5, not a number from 0 to 1"),
        ({"thresholds": [0.5, 0.5]}, "fast has 2 thresholds for 4 classes"),
        ({"thresholds": "half"}, "damaged card"),
        ({"localization": [{**PASS, "classes": [4]}]}, r"fast localizes classes \(4,\) of 4"),
        ({"localization": [{**PASS, "scale": 0}]}, r"localization\[0\].scale is 0, not a whole number from 1 to 2,048"),
        ({"localization": [{**PASS, "source": "luck"}]}, "source is 'luck', not head or anomaly"),
        (
            {"localization": [PASS, PASS]},
            r"\(a preset's localization passes are for different .* one in two of them\)$",
        ),
        ({"localization": [{"scale": 896}]}, "damaged card"),
    ],
)
def test_a_card_with_senseless_thresholds_or_passes_is_refused(change: dict[str, object], said: str) -> None:
    data = json.loads(CARD.to_json())
    data["presets"]["fast"].update(change)
    with pytest.raises(ModelFileError, match=said):
        Card.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["a", "b"]}, "class_ids has 4 ids for 2 classes"),
        ({"labels": []}, "labels is a list of 0, not a list of 1 to 100,000"),
        ({"labels": ["a", "b", 3, "d"]}, r"labels\[2\] is 3, not text"),
        ({"labels": ["a", "b", "x" * 1001, "d"]}, r"labels\[2\] is 'xxx.*at most 1,000 characters"),
        ({"labels": ["a", "b", "\x1b[2J", "d"]}, r"labels\[2\] is .*control character"),
        ({"labels": ["a", "b", "c\u2028", "d"]}, "control character"),
        (
            {"fixed_size": [16384, 16384]},
            "fixed_size is a list of 2, not null, or a height and a width from 1 to 2,048",
        ),
        ({"fixed_size": "224"}, "fixed_size is '224'"),
        ({"size_multiple": 0}, "size_multiple is 0"),
        ({"typical_activation": 0}, "typical_activation is 0"),
        ({"typical_activation": float("nan")}, "typical_activation is nan"),
        ({"background": [4]}, "background beyond the 4 classes"),
        ({"background": [True]}, r"background\[0\] is True"),
        ({"activation": "relu"}, "activation is 'relu', not softmax or sigmoid or none"),
        ({"maps": None}, "maps is None"),
        ({"name": {}}, "name is an object of 0, not text"),
        ({"presets": {}}, "presets is an object of 0, not an object of 1 to 64 named values"),
        (
            {"presets": {"fast": {"scales": [224]}}},
            "presets.fast is an object of 1, not an object with scales, refinement_steps",
        ),
        (
            {"presets": {"fast": {"scales": [10**6], "refinement_steps": 4}}},
            r"scales\[0\] is 1000000, not a whole number",
        ),
        ({"presets": {"fast": {"scales": [448, 224], "refinement_steps": 4}}}, "a preset's scales rise"),
        ({"presets": {"fast": {"scales": [224], "refinement_steps": 10**9}}}, "refinement_steps is 1000000000"),
        ({"presets": {"fast": {"scales": [224], "walk_steps": 10**9}}}, "refinement_steps is 1000000000"),
        ({"figures": {"top1": "high"}}, "figures.top1 is 'high', not a number"),
        ({"no_such_field": 1}, "unknown field no_such_field"),
        ({"format": "3"}, "does not say its format"),
        ({"format": 0}, "does not say its format"),
        ({"format": 4}, r"of format 4 \(this boxless reads up to 3\): pip install"),
    ],
)
def test_a_hostile_card_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        Card.from_json(json.dumps(json.loads(CARD.to_json()) | change))


FAST = {"scales": [224], "refinement_steps": 4}


@pytest.mark.parametrize(
    ("holds", "too_much"),
    [
        ({"name": "x" * 1000}, {"name": "x" * 1001}),
        ({"source": "x" * 10_000}, {"source": "x" * 10_001}),
        ({"size_multiple": 512}, {"size_multiple": 513}),
        ({"size_multiple": 1}, {"size_multiple": 0}),
        ({"fixed_size": [2048, 1]}, {"fixed_size": [2049, 1]}),
        ({"fixed_size": None}, {"fixed_size": [224]}),
        ({"typical_activation": 1e-9}, {"typical_activation": 0.9e-9}),
        ({"typical_activation": 1e12}, {"typical_activation": 1.1e12}),
        ({"background": [0, 3]}, {"background": [-1]}),
        ({"presets": {"p": FAST | {"scales": [1] * 16}}}, {"presets": {"p": FAST | {"scales": [1] * 17}}}),
        ({"presets": {"p": FAST | {"refinement_steps": 100}}}, {"presets": {"p": FAST | {"refinement_steps": 101}}}),
        ({"presets": {str(i): FAST for i in range(64)}}, {"presets": {str(i): FAST for i in range(65)}}),
        (
            {"presets": {"p": FAST | {"localization": [PASS | {"affinity_exponent": 100, "margin": 256}]}}},
            {"presets": {"p": FAST | {"localization": [PASS | {"affinity_exponent": 101}]}}},
        ),
        ({}, {"presets": {"p": FAST | {"localization": [PASS | {"margin": 257}]}}}),
    ],
)
def test_the_bounds_of_fields(holds: dict[str, object], too_much: dict[str, object]) -> None:
    data = json.loads(CARD.to_json())
    assert Card.from_json(json.dumps(data | holds)).labels == CARD.labels
    with pytest.raises(ModelFileError, match="damaged card"):
        Card.from_json(json.dumps(data | too_much))


def test_a_localization_pass_without_classes_is_read() -> None:
    nothing = replace(CARD.preset("fast"), localization=(LocalizationPass(448, (), "head"),))
    card = replace(CARD, labels=("crane",), class_ids=(), presets={"fast": nothing})
    assert Card.from_json(card.to_json()) == card


def refusal(text: str) -> str:
    with pytest.raises(ModelFileError) as refused:
        Card.from_json(text)
    return str(refused.value)


def test_the_refusal_says_what_was_found() -> None:
    assert refusal('{"format": 3,') == (
        "a boxless model with a damaged card (Expecting property name enclosed in double quotes: line 1 column 14 "
        "(char 13))"
    )
    assert refusal("{}") == "a boxless model with a damaged card (it does not say its format)"
    needed = "an object with name, labels, presets, preprocessing, licence, source"
    assert refusal('{"format": 3}') == f"a boxless model with a damaged card (it is an object of 0, not {needed})"
    data = json.loads(CARD.to_json())
    for length, shown in ((58, f"'{'x' * 58}'"), (59, f"'{'x' * 56}...")):  # 60 characters with the quotation marks
        assert f"(activation is {shown}, not " in refusal(json.dumps(data | {"activation": "x" * length}))


def test_a_card_of_endless_text_is_refused() -> None:
    with pytest.raises(ModelFileError, match="16,777,217 characters"):
        Card.from_json("{" + " " * 2**24)
    with pytest.raises(ModelFileError, match="damaged card"):
        Card.from_json("{" + " " * (2**24 - 1))


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "[" * 100_000, '{"format": 3}', '{"format": 3, "labels": ["\\ud800"]}']
)
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelFileError, match="damaged card"):
        Card.from_json(text)


def test_a_card_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(ModelFileError, match="control character"):
        replace(CARD, labels=("a", "b", "c\n", "d")).to_json()


def test_what_was_not_measured_is_left_out() -> None:
    figures = {"top1": 12.5, "nothing": float("nan")}
    assert Card.from_json(replace(CARD, figures=figures).to_json()).figures == {"top1": 12.5}


VALUES: list[Any] = [
    None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "x" * 5000, "\x00", "\ud800", [], {}, [[]],
    {"a": {}}, [None] * 3, "softmax", [1, 2], [10**9, 10**9],
]  # fmt: skip


def changed(data: Any, chance: random.Random) -> Any:  # noqa: ANN401
    """A card's data with one value, somewhere in it, replaced, taken out, doubled or renamed."""
    if not isinstance(data, (dict, list)) or not data or chance.random() < 0.1:
        return chance.choice(VALUES)
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key, data = chance.choice(keys), type(data)(data)
    what = chance.randrange(12)
    if what == 0:
        del data[key]
    elif what == 1 and isinstance(data, dict):
        data[str(chance.choice(VALUES))[:50]] = data[key]
    elif what == 2 and isinstance(data, list):
        data.append(data[key])
    else:
        data[key] = changed(data[key], chance)
    return data


def test_mutated_cards_are_read_or_refused() -> None:
    head = LocalizationPass(896, (0, 2), "head")
    whole = replace(CARD, presets={"fast": replace(CARD.preset("fast"), localization=(head,))})
    data, chance, read = json.loads(whole.to_json()), random.Random(0), 0
    for _ in range(1500):
        mutated = data
        for _ in range(chance.randint(1, 3)):
            mutated = changed(mutated, chance)
        try:
            card = Card.from_json(json.dumps(mutated))
        except ModelFileError as error:
            assert len(str(error)) < 500
            continue
        read += 1
        # What is read can be used, and written again.
        assert Card.from_json(card.to_json()) == card
        card.class_index(0)
        for preset in card.presets.values():
            assert preset.largest <= 2048
            preset.threshold_of(len(card.labels) - 1)
    assert 50 < read < 1250


def test_an_exact_name_counts_before_another_case() -> None:
    assert [CARD.class_index(name) for name in ("crane", "Crane")] == [0, 2]
    assert [CARD.label_index(name) for name in ("crane", "Crane", "barn_owl", "n2")] == [0, 2, 1, 1]


def test_a_label_in_data_is_no_index() -> None:
    with pytest.raises(UnknownClassError, match="no class '1' among the 4"):
        CARD.label_index("1")
    numbered = replace(CARD, labels=("2", "1", "0", "x"))
    assert [numbered.label_index(name) for name in ("0", "1", "2")] == [2, 1, 0]
    composed = replace(CARD, labels=("caf\u00e9", "b", "c", "d"))
    assert composed.label_index("cafe\u0301") == composed.class_index("CAFE\u0301") == 0


@pytest.mark.parametrize("wanted", [1, np.int64(1), "barn owl", "Barn_Owl", " barn  owl ", "n2", "1"])
def test_a_class_by_index_label_or_id(wanted: str | int) -> None:
    assert CARD.class_index(wanted) == 1
    assert type(CARD.class_index(wanted)) is int


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("barn owls", "nearest: barn owl"),
        ("owl", "nearest: barn owl"),
        ("CRANE", "give the index, 0 or 2"),
        (4, "there are 0 to 3"),
        (-1, "there are 0 to 3"),
        ("99", "no class 99"),
        ("9" * 5000, "among the 4"),  # more digits than Python makes an int of
    ],
)
def test_unknown_classes_are_refused_with_help(wanted: str | int, said: str) -> None:
    with pytest.raises(UnknownClassError) as refusal:
        CARD.class_index(wanted)
    assert said in str(refusal.value)


def test_a_detector_has_no_maps() -> None:
    CARD.need_maps("pointing")
    detector = replace(CARD, maps="none")
    what = "expected a model of boxless fit, train or attach, or one that comes with boxless"
    with pytest.raises(ModelFileError) as refusal:
        detector.need_maps("pointing")
    assert str(refusal.value) == f"birds is a detector: it has boxes and no class maps, which pointing needs ({what})"
    with pytest.raises(ModelFileError) as refusal:
        detector.need_maps("pointing", "boxless locate takes it")
    assert str(refusal.value).endswith(f" needs ({what}; boxless locate takes it)")


def test_the_input_size_keeps_the_aspect_ratio() -> None:
    card = replace(CARD, size_multiple=32)
    assert card.input_size(224, 400, 400) == (224, 224)
    assert card.input_size(224, 400, 800) == (160, 320)
    assert card.input_size(224, 800, 400) == (320, 160)
    assert replace(card, fixed_size=(299, 331)).input_size(224, 800, 400) == (299, 331)


def test_the_nearest_names_are_told() -> None:
    birds = ("grey owl", "snowy owl", "eagle owl", "little owl", "boreal owl", "scops owl", "crane", "gull")
    card = replace(CARD, labels=birds, class_ids=())

    def nearest(wanted: str) -> str:
        with pytest.raises(UnknownClassError) as refusal:
            card.class_index(wanted)
        return str(refusal.value).partition("nearest: ")[2]

    assert nearest("grey owls") == "grey owl, boreal owl, snowy owl", "the three most alike"
    assert nearest("owl") == "grey owl, snowy owl, scops owl, eagle owl, little owl", (
        "the most alike, then others that have the word"
    )
    assert nearest("cranes") == "crane"
    assert nearest("gulls seen") == "gull", "half of its letters are enough"
    with pytest.raises(UnknownClassError) as refusal:
        card.class_index("zzzz")
    assert str(refusal.value) == "no class 'zzzz' among the 8 of birds"


def test_a_class_by_the_largest_index() -> None:
    card = replace(CARD, labels=tuple(f"c{k}" for k in range(100_000)), class_ids=())
    assert card.class_index("99999") == 99_999
    with pytest.raises(UnknownClassError, match="no class 100000"):
        card.class_index("100000")


def test_json_keeps_letters_as_they_are() -> None:
    assert "hibou grand-duc d'été" in replace(CARD, source="hibou grand-duc d'été").to_json()


def test_a_name_that_no_other_class_has() -> None:
    assert [CARD.unique_name(index) for index in range(2)] == ["crane", "barn owl"]
    twice = replace(CARD, labels=("crane", "barn owl", "crane", "magpie"))
    assert [twice.unique_name(index) for index in range(3)] == ["n1", "barn owl", "n3"]
    assert replace(twice, class_ids=()).unique_name(2) == "crane 2"
    like_another = replace(twice, labels=("crane", "crane", "crane 1", "n1"))
    for card in (like_another, replace(like_another, class_ids=())):
        names = [card.unique_name(index) for index in range(4)]
        assert len(set(names)) == 4 and [card.label_index(name) for name in names] == [0, 1, 2, 3], names


def test_the_default_preset() -> None:
    assert CARD.default_preset == "balanced"
