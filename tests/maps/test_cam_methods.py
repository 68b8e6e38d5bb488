from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.maps.cam_methods import METHODS, ablation_cam, cam, eigen_cam
from boxless.maps.class_maps import class_maps, logits, normalise

STORED = dict(np.load(Path(__file__).parent.parent / "golden/peer_maps.npz"))
"""What the peers found, see tools/store_peer_maps.py."""

LOST_DIVISION = "torchcam/gradcam++/clipped"
PEERS = [key for key in STORED if "/" in key and key != LOST_DIVISION]


def ours(method: str) -> np.ndarray:
    rows = STORED["classes"]
    return METHODS[method](STORED["features"], STORED["weight"][rows], STORED["bias"][rows])


def test_every_method_but_cam_has_a_peer_of_both_kinds() -> None:
    assert {key.split("/")[1] for key in PEERS} == set(METHODS)


def test_the_stored_network_is_an_average_and_a_linear_layer() -> None:
    found = logits(STORED["features"], STORED["weight"], STORED["bias"])
    assert found == pytest.approx(STORED["logits"], abs=1e-4)


@pytest.mark.parametrize("key", PEERS)
def test_the_closed_form_is_what_the_peer_finds(key: str) -> None:
    _, method, kind = key.split("/")
    maps, expected = ours(method), STORED[key]
    if method == "eigencam":  # a principal component has no sign of its own
        maps = np.stack([one * np.sign((one * other).sum()) for one, other in zip(maps, expected, strict=True)])
        if kind == "final":
            maps = ours(method)
            flipped = stretched(-maps)
            close = np.abs(stretched(maps) - expected).max() < np.abs(flipped - expected).max()
            maps = maps if close else -maps
    if kind == "clipped":
        maps = np.maximum(maps, 0)
    if kind == "final":
        maps = stretched(maps)
    assert maps == pytest.approx(expected, abs=2e-5 * float(np.abs(expected).max()))


def test_grad_cam_plus_plus_of_torchcam_lacks_the_division() -> None:
    """torchcam 0.5.0 divides a copy, so its alpha is the numerator alone; we hold to the paper and pytorch-grad-cam."""
    features, weight = STORED["features"], STORED["weight"][STORED["classes"]]
    gradient = weight / features[0].size
    numerator_only = class_maps(features, features[0].size * gradient**2 * np.maximum(gradient, 0))
    assert np.maximum(numerator_only, 0) == pytest.approx(STORED[LOST_DIVISION], rel=1e-4)


def stretched(maps: np.ndarray) -> np.ndarray:
    """As pytorch-grad-cam hands a map out: clipped at zero, then from minimum to maximum."""
    clipped = np.maximum(maps, 0)
    low = clipped.min(axis=(1, 2), keepdims=True)
    return np.asarray((clipped - low) / (clipped - low).max(axis=(1, 2), keepdims=True))


def test_those_that_are_cam_up_to_a_scale() -> None:
    plain = normalise(ours("cam"))
    for method in ("gradcam", "hirescam", "xgradcam"):
        assert normalise(ours(method)) == pytest.approx(plain, abs=1e-6)
    assert normalise(ours("layercam")) != pytest.approx(plain, abs=1e-2)


def test_ablation_by_ablating() -> None:
    features, weight, bias = STORED["features"], STORED["weight"], STORED["bias"]
    whole = logits(features, weight, bias)
    drops = np.empty_like(weight)
    for channel in range(len(features)):
        without = features.copy()
        without[channel] = 0
        drops[:, channel] = (whole - logits(without, weight, bias)) / whole
    assert ablation_cam(features, weight, bias) == pytest.approx(class_maps(features, drops), rel=1e-3, abs=1e-4)


def test_eigen_cam_grows_with_the_features() -> None:
    features = np.zeros((3, 2, 4), np.float32)
    features[:, 0, 1] = [5, 4, 3]
    found = eigen_cam(features, np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    assert found.shape == (2, 2, 4)
    assert np.unravel_index(found[0].argmax(), (2, 4)) == (0, 1)
    assert found[0, 0, 1] == pytest.approx(np.sqrt(50) * 7 / 8, rel=1e-5), "in the features' own unit"


def test_cam_is_the_class_map() -> None:
    assert cam(STORED["features"], STORED["weight"], STORED["bias"]).mean(axis=(1, 2)) + STORED["bias"] == (
        pytest.approx(STORED["logits"], abs=1e-4)
    )
