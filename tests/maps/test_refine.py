from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from boxless.maps.refine import affinity, anomaly_weights, resize_features, resize_maps, sharpened, walk

random = np.random.default_rng(0)


def two_halves() -> np.ndarray:
    """Feature maps (2, 4, 6): one feature on the left half, another on the right."""
    layer = np.zeros((2, 4, 6), np.float32)
    layer[0, :, :3] = 1
    layer[1, :, 3:] = 1
    return layer


def noise(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype(np.float32)


def test_rows_of_the_affinity_sum_to_one() -> None:
    rows = affinity([noise(5, 4, 6), noise(9, 8, 12)], fine=(4, 6), coarse=(2, 3), power=2.0)
    assert rows.shape == (4, 6, 2, 3)
    assert rows.min() >= 0
    assert rows.sum(axis=(2, 3)) == pytest.approx(np.ones((4, 6)), abs=1e-5)


def test_the_affinity_is_the_cosine_of_centred_features() -> None:
    """By the formula, one pair of positions after the other; features are far from zero, and of different length."""
    layers = [noise(5, 2, 3) + np.arange(5, dtype=np.float32)[:, None, None], 9 * noise(4, 2, 3) - 20]
    cosine = np.zeros((6, 6))
    for layer in layers:
        flat = layer.reshape(len(layer), 6)
        centred = flat - np.array([[row.mean()] for row in flat])
        for i in range(6):
            for j in range(6):
                one, other = centred[:, i], centred[:, j]
                cosine[i, j] += one @ other / np.sqrt((one @ one) * (other @ other))
    likeness = np.maximum(cosine, 0) ** 3
    expected = (likeness / likeness.sum(axis=1, keepdims=True)).reshape(2, 3, 2, 3)
    assert affinity(layers, (2, 3), (2, 3), 3.0) == pytest.approx(expected, abs=1e-5)


def test_what_is_computed_in_double_precision_comes_back_in_single() -> None:
    double: Any = random.normal(size=(5, 4, 6))
    rows = affinity([double], fine=(4, 6), coarse=(2, 3), power=2.0)
    assert rows.dtype == sharpened(rows, 1.5).dtype == resize_features(double, 2, 3).dtype == np.float32
    assert anomaly_weights(double[0]).dtype == np.float32


@pytest.mark.parametrize("sharpness", [1.0, 2.0, 1.5])
def test_a_sharpened_affinity_is_that_of_a_higher_power(sharpness: float) -> None:
    layers = [noise(5, 4, 6), noise(9, 8, 12)]
    mild, strong = (affinity(layers, (4, 6), (2, 3), power) for power in (2.0, 2.0 * sharpness))
    assert sharpened(mild, sharpness) == pytest.approx(strong, abs=1e-5)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_walk_fills_the_object_and_stops_at_its_edge(steps: int) -> None:
    rows = affinity([two_halves()], fine=(4, 6), coarse=(4, 6), power=2.0)
    peak = np.zeros((1, 4, 6), np.float32)
    peak[0, 1, 1] = 12
    walked = walk(peak, rows, steps)[0]
    assert walked[:, :3] == pytest.approx(np.ones((4, 3)), abs=1e-5)
    assert walked[:, 3:] == pytest.approx(np.zeros((4, 3)), abs=1e-5)


def test_a_walk_makes_a_map_finer() -> None:
    layer = np.zeros((2, 4, 8), np.float32)
    layer[0, :, :5] = 1  # an edge that the coarse grid cannot show
    layer[1, :, 5:] = 1
    rows = affinity([layer], fine=(4, 8), coarse=(2, 4), power=8.0)
    walked = walk(np.array([[[1, 1, 0, 0], [1, 1, 0, 0]]], np.float32), rows, steps=2)
    assert walked.shape == (1, 4, 8)
    assert walked[0, :, 4].min() > 2 * walked[0, :, 5].max()


def test_a_walk_stays_within_the_map() -> None:
    rows = affinity([noise(5, 4, 6)], fine=(4, 6), coarse=(2, 3), power=2.0)
    maps = noise(3, 2, 3)
    walked = walk(maps, rows, steps=3)
    assert (walked.max(axis=(1, 2)) <= maps.max(axis=(1, 2)) + 1e-5).all()
    assert (walked.min(axis=(1, 2)) >= maps.min(axis=(1, 2)) - 1e-5).all()


@pytest.mark.parametrize("steps", [2, 3])
def test_a_further_step_walks_from_where_the_last_one_ended(steps: int) -> None:
    rows = affinity([noise(5, 4, 6)], fine=(4, 6), coarse=(2, 3), power=2.0)
    walked = maps = noise(3, 2, 3)
    for _ in range(steps):
        walked = walk(resize_maps(walked, 2, 3), rows, 1)
    assert walk(maps, rows, steps) == pytest.approx(walked, abs=1e-6)
    assert walk(maps, rows, steps - 1) != pytest.approx(walked, abs=1e-3)


def test_flat_features_give_no_nan() -> None:
    rows = affinity([np.ones((3, 2, 2), np.float32)], fine=(2, 2), coarse=(1, 1), power=2.0)
    assert np.isfinite(walk(np.ones((1, 1, 1), np.float32), rows, steps=2)).all()


def test_resizing() -> None:
    ramp = np.arange(8, dtype=np.float32)[None, None].repeat(4, axis=1)
    assert resize_features(ramp, 2, 4)[0, 0, 1:3] == pytest.approx([2.5, 4.5])
    assert resize_features(ramp, 4, 8) == pytest.approx(ramp)
    assert resize_maps(ramp, 4, 16)[0, 0, :4] == pytest.approx([0, 0.25, 0.75, 1.25])


def test_maps_are_averaged_where_both_sides_shrink() -> None:
    spot = np.zeros((1, 6, 6), np.float32)
    spot[0, 0, 0] = 9
    assert resize_maps(spot, 2, 2).tolist() == [[[1, 0], [0, 0]]]
    assert not resize_maps(spot, 2, 6).any(), "of three rows the middle one is taken"
    assert not resize_maps(spot, 6, 2).any()


def test_the_usual_half_of_a_image_is_not_anomaly_weights_however_it_is_lit() -> None:
    anomaly = np.array([[3.0, 3.0, 4.0], [3.5, 9.0, 3.0]], np.float32)
    found = anomaly_weights(anomaly)
    assert found.max() == found[1, 1] == 1
    assert (found == 0).sum() >= 3
    assert anomaly_weights(anomaly + 20) == pytest.approx(found, abs=1e-5)
    faint: Any = anomaly / 100
    assert anomaly_weights(faint) == pytest.approx(found, abs=1e-5), "no scale"
    assert not anomaly_weights(np.ones((2, 2), np.float32)).any()
