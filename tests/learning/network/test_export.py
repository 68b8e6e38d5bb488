"""Every network becomes a model file that says what Keras says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from boxless import ModelFile, networks
from boxless.errors import TrainingError
from boxless.learning.network.device import repeatable
from boxless.learning.network.export import TOLERANCE, compare, export_network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# ResNet-50 goes the same way, at 90 MB a file: docs/compatibility.md has it.
PAIRS = [(name, "gap") for name in networks.NETWORKS if name != "resnet50"] + [("nin", "gmp"), ("alexnet_gap", "gmp")]


def built(name: str, head: str) -> Any:  # noqa: ANN401
    repeatable(0)
    settings: dict[str, Any] = {"width": 0.125} if networks.entry(name).narrows else {}
    return networks.build(name, 3, head, **settings)


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_a_model_file_says_what_keras_says(name: str, head: str, tmp_path: Path) -> None:
    entry, out = networks.entry(name), tmp_path / "own.onnx"
    side = 2 * entry.multiple
    card = {"labels": ("a", "b", "c"), "activation": "sigmoid", "licence": "MIT", "source": "a test"}
    parity = export_network(built(name, head), out, card, side, entry.multiple)
    assert parity.probabilities < TOLERANCE
    assert (parity.maps is None) == (head == "gmp")
    model = ModelFile(out)
    assert model.card.name == "own"
    assert model.card.labels == ("a", "b", "c")
    assert model.card.activation == "sigmoid"
    assert model.card.maps == ("max-pooled" if head == "gmp" else "exact")
    assert model.card.fixed_size is None
    assert model.card.preset("balanced").scales == (side, 2 * side)
    assert model.card.input_size(side, 100, 100) == (side, side)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 70, 3), np.uint8)
    size = (3 * entry.multiple, 2 * entry.multiple)
    assert model.run(pixels, size=size, top=1).class_maps.shape == (1, 3, 2)
    assert list(tmp_path.iterdir()) == [out]


def test_a_difference_is_an_error_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxless.learning.network.export.TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match=r"not written: .* differ, in probabilities by .*, in class maps by"):
        export_network(built("nin", "gap"), tmp_path / "own.onnx", {}, 32, 4)
    assert not list(tmp_path.iterdir())


def test_another_network_is_told_apart(tmp_path: Path) -> None:
    network = built("nin_bn", "gap")
    export_network(network, tmp_path / "own.onnx", {}, 32, 4)
    kernel, bias = network.get_layer("class_maps").get_weights()
    network.get_layer("class_maps").set_weights([kernel, np.add(bias, 0.01)])
    with pytest.raises(TrainingError, match="differ"):
        compare(network, ModelFile(tmp_path / "own.onnx"), 32, ())
