from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from boxless.maps.class_maps import class_maps, logits, normalise, probabilities

random = np.random.default_rng(0)
FEATURES = random.normal(size=(6, 3, 4)).astype(np.float32)
WEIGHT = random.normal(size=(5, 6)).astype(np.float32)
BIAS = random.normal(size=5).astype(np.float32)


def test_completeness() -> None:
    maps = class_maps(FEATURES, WEIGHT)
    assert maps.shape == (5, 3, 4)
    assert maps.mean(axis=(1, 2)) + BIAS == pytest.approx(logits(FEATURES, WEIGHT, BIAS), abs=1e-5)


def test_what_is_computed_in_double_precision_comes_back_in_single() -> None:
    doubles: Any = [each.astype(np.float64) for each in (FEATURES, WEIGHT, BIAS)]
    features, weight, bias = doubles
    maps = class_maps(features, weight)
    assert maps.dtype == normalise(maps.astype(np.float64)).dtype == logits(features, weight, bias).dtype == np.float32


def test_probabilities() -> None:
    assert probabilities(np.log([1, 2, 5]).astype(np.float32), "softmax") == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert probabilities(np.array([1000, 0], np.float32), "softmax") == pytest.approx([1, 0])
    assert probabilities(np.array([0, np.log(3)], np.float32), "sigmoid") == pytest.approx([0.5, 0.75])


def test_probabilities_of_several_images() -> None:
    """Each row by itself; what are probabilities already is clipped."""
    rows = probabilities(np.log([[1, 3], [4, 1]]).astype(np.float32), "softmax")
    assert rows == pytest.approx(np.array([[1 / 4, 3 / 4], [4 / 5, 1 / 5]]))
    assert probabilities(np.array([-0.5, 0.5, 1.5], np.float32), "none").tolist() == [0.0, 0.5, 1.0]


def test_certain_classes_overflow_nothing() -> None:
    """Warnings are errors in tests."""
    assert probabilities(np.array([-1000, 1000], np.float32), "sigmoid") == pytest.approx([0, 1], abs=1e-30)
    assert probabilities(np.array([-1000, 1000], np.float32), "softmax").tolist() == [0, 1]


def test_normalise_clips_at_zero_and_divides_by_the_maximum() -> None:
    maps = np.array([[[-4, 0], [2, 8]]], np.float32)
    assert normalise(maps) == pytest.approx(np.array([[[0, 0], [0.25, 1]]]))


def test_normalise_never_stretches_a_map_without_evidence() -> None:
    assert not normalise(np.array([[[-3, -1], [-2, 0]]], np.float32)).any()


@given(
    arrays(np.float32, (2, 3, 4), elements=st.floats(-8, 8, width=32)),
    st.sampled_from([2.0**-6, 0.5, 1.0, 8.0]),
)
def test_a_score_map_knows_no_scale(maps: np.ndarray, scale: float) -> None:
    """A map with any evidence peaks at 1, however faint it is; scaling it changes nothing."""
    maps[np.abs(maps) < 1e-3] = 0
    scores = normalise(maps * np.float32(scale))
    assert scores == pytest.approx(normalise(maps), abs=1e-6)
    for score, each in zip(scores, maps, strict=True):
        assert score.max() == pytest.approx(1.0 if each.max() > 0 else 0.0)
        assert np.array_equal(score > 0, each > 0)
