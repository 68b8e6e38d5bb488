from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxless.models.presets import DEFAULT_PRESET, PRESETS, LocalizationPass, Preset, view_size


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_survives_as_data(preset: Preset) -> None:
    assert Preset.from_dict(asdict(preset)) == preset


def test_the_default_is_one_of_them() -> None:
    assert DEFAULT_PRESET in PRESETS


@pytest.mark.parametrize(
    "change",
    [
        {"scales": ()},
        {"scales": (448, 224)},
        {"refinement_steps": 0},
        {"threshold": 1.0},
        {"thresholds": (0.5, 0.0)},
        {"localization": (LocalizationPass(448, (1,), "head"), LocalizationPass(896, (0, 1), "anomaly"))},
        {"min_probability": -0.1},
        {"min_probability": 1.1},
        {"min_activation": -0.1},
        {"min_activation": float("inf")},
        {"min_activation": float("nan")},
    ],
)
def test_senseless_presets_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a preset's"):
        replace(PRESETS["fast"], **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"scale": 0},
        {"source": "x"},
        {"refinement_steps": 0},
        {"affinity_exponent": 0.5},
        {"affinity_exponent": float("inf")},
        {"margin": -1},
    ],
)
def test_senseless_localization_passes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="a localization pass"):
        replace(LocalizationPass(448, (1,), "anomaly"), **change)  # type: ignore[arg-type]


def test_the_refusal_says_what_is_allowed() -> None:
    with pytest.raises(
        ValueError, match=r"^a localization pass has the source head or anomaly or class_maps, found x$"
    ):
        LocalizationPass(448, (1,), "x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^a localization pass has a scale and .* of 1 or more, found 448 and 0$"):
        LocalizationPass(448, (1,), "head", refinement_steps=0)


def test_the_ends_of_what_is_allowed() -> None:
    assert Preset((1,), 1, min_probability=1.0).scales == (1,)
    assert LocalizationPass(1, (), "head", refinement_steps=1, affinity_exponent=1.0).margin == 0
    assert LocalizationPass(1, (0,), "anomaly").affinity_exponent == 2.0


def test_the_cut_in_words() -> None:
    assert PRESETS["fast"].cut == "0.5 (set on: a default, not set on boxes)"
    assert replace(PRESETS["fast"], thresholds=(0.3, 0.3)).cut.startswith("0.3 (set on: ")
    assert replace(PRESETS["fast"], thresholds=(0.3, 0.4)).cut.startswith("0.3 to 0.4, by class")


def test_what_a_model_starts_with() -> None:
    assert [each.scales for each in PRESETS.values()] == [(224,), (224, 448), (224, 448, 576)]
    assert {each.refinement_steps for each in PRESETS.values()} == {4}


def test_the_largest_pass_may_be_one_that_localizes() -> None:
    assert PRESETS["balanced"].largest == 448
    assert replace(PRESETS["balanced"], localization=(LocalizationPass(896, (1,), "head"),)).largest == 896


def test_a_class_is_detected_where_both_thresholds_are_reached() -> None:
    preset = replace(PRESETS["fast"], min_probability=0.1, min_activation=5.0)
    assert preset.is_detected(0.1, 5.0)
    assert not preset.is_detected(0.09, 50.0)
    assert not preset.is_detected(0.9, 4.9)
    assert not PRESETS["fast"].is_detected(1.0, 0.0)  # nothing speaks for it


@given(st.integers(1, 6000), st.integers(1, 6000), st.sampled_from([224, 448, 576]))
def test_a_view_is_of_the_stride_about_as_large_as_asked_and_never_extreme(height: int, width: int, side: int) -> None:
    rows, columns = view_size(side, height, width, 32)
    assert rows % 32 == columns % 32 == 0
    assert 0.75 * side**2 < rows * columns < 1.3 * side**2
    assert max(rows, columns) <= 4 * min(rows, columns)


def test_views_keep_the_aspect_ratio() -> None:
    assert view_size(224, 1000, 1000, 32) == (224, 224)
    assert view_size(224, 375, 500, 32) == (192, 256)
    assert view_size(448, 5000, 1, 32) == (768, 256)
    assert view_size(448, 1, 5000, 32) == (256, 768)
    assert view_size(8, 100, 100, 32) == (32, 32)
