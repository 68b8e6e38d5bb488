"""A boxless model in other hands: OpenVINO, and the exporters of Keras and PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.export.small import EXACT, LINEARISED, classifier, saved

import boxless
from boxless import MissingExtraError, ModelFile, NetworkError
from boxless.export import attach, frameworks
from boxless.models.model_file import inputs

SIZE = (64, 96)

# TensorFlow's tensors, as Keras saves them, do not know NumPy 2's `copy`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize("end", [EXACT["gemm"], EXACT["layer normalisation"], LINEARISED["hard-swish"]])
def test_openvino_says_the_same(end: str, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install openvino")
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    path = attach(saved(classifier(end), tmp_path), tmp_path / "out.onnx", input_size=SIZE).path
    expected = ModelFile(path, threads=1).run(pixels, size=SIZE, top=5)
    feed = inputs(pixels, size=SIZE, top=5)
    found = openvino.compile_model(openvino.Core().read_model(path), "CPU")(feed)
    assert found["chosen"][0, -5:].tolist() == expected.chosen.tolist()
    largest = float(np.abs(expected.class_maps).max())
    assert found["class_maps"][0, -5:] == pytest.approx(expected.class_maps, abs=0.02 * largest)
    assert found["logits"][0] == pytest.approx(expected.logits, abs=0.02 * largest)


def test_from_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    torch.manual_seed(0)
    layers: list[Any] = []
    for before, after in ((3, 8), (8, 12), (12, 16), (16, 24), (24, 32)):
        layers += [torch.nn.Conv2d(before, after, 3, 2, 1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
    network = torch.nn.Sequential(
        *layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(32, 4)
    )
    made = boxless.from_torch(network, tmp_path / "torch.onnx", SIZE, preprocess="unit", labels=list("abcd"))
    assert network.training
    assert made.card.maps == "exact"
    assert made.card.fixed_size is None
    assert len(made.stages) == 3
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)[None])[0].numpy()
    found = ModelFile(made.path).run(pixels, size=SIZE, top=4)
    assert found.logits == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "maps"),
    [("resnet18", "exact"), ("mobilenet_v3_small", "linearised"), ("shufflenet_v2_x0_5", "exact")],
)
def test_from_torchvision(name: str, maps: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    vision = pytest.importorskip("torchvision", reason="torchvision is not installed: pip install torchvision")
    torch.manual_seed(0)
    made = boxless.from_torch(vision.models.get_model(name, weights=None), tmp_path / "out.onnx", (96, 96))
    assert made.card.maps == maps
    assert made.card.fixed_size is None
    assert made.proof.difference < 1e-6
    assert made.stages


def test_from_torch_what_is_flattened(tmp_path: Path) -> None:
    vision = pytest.importorskip("torchvision", reason="torchvision is not installed: pip install torchvision")
    with pytest.raises(NetworkError, match=r"alexnet: no global average .*\(4096, 9216\).* --network vgg16_gap"):
        boxless.from_torch(vision.models.get_model("alexnet", weights=None), tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("normalised", [False, True], ids=["dense", "layer normalisation"])
def test_from_keras(normalised: bool, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="Keras is not installed: pip install keras tensorflow-cpu tf2onnx")
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed: pip install tf2onnx")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    network = keras.Sequential([layers.Input((64, 64, 3)), layers.Rescaling(1 / 255)])
    for width in (8, 12, 16, 24, 32):
        network.add(layers.Conv2D(width, 3, 2, padding="same", activation="relu"))
    network.add(layers.GlobalAveragePooling2D())
    if normalised:
        network.add(layers.LayerNormalization(gamma_initializer="glorot_normal", beta_initializer="glorot_normal"))
    network.add(layers.Dense(4, activation="softmax"))
    network.save(tmp_path / "network.keras")
    made = boxless.from_keras(tmp_path / "network.keras", tmp_path / "keras.onnx", preprocess="none")
    assert made.card.maps == "exact"
    assert made.proof.completeness is not None
    assert made.proof.completeness < 1e-5
    assert made.card.activation == "softmax"
    assert made.card.presets["fast"].scales == (64,)
    # Its own size, and another at which the padding of "same" falls on other sides.
    for size in ((64, 64), (75, 101)):
        pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        expected = np.asarray(network.call(pixels[None].astype(np.float32)))[0]
        logits = ModelFile(made.path).run(pixels, size=size, top=4).logits
        assert np.exp(logits) / np.exp(logits).sum() == pytest.approx(expected, abs=1e-5)


def test_from_keras_at_one_size(tmp_path: Path) -> None:
    """What needs the size that it declares is exported at that."""
    keras = pytest.importorskip("keras", reason="Keras is not installed: pip install keras tensorflow-cpu tf2onnx")
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed: pip install tf2onnx")
    layers = keras.layers
    images = layers.Input((64, 64, 3))
    features = layers.Conv2D(8, 3, 4, padding="same", activation="relu")(images)
    turned = layers.Permute((2, 1))(layers.Reshape((16 * 16, 8))(features))
    spread = layers.Reshape((16, 16, 8))(layers.Permute((2, 1))(layers.Dense(16 * 16)(turned)))
    answer = layers.Dense(3)(layers.GlobalAveragePooling2D()(spread))
    made = boxless.from_keras(keras.Model(images, answer), tmp_path / "keras.onnx", preprocess="tf")
    assert made.card.fixed_size == (64, 64)
    assert made.proof.difference < 1e-6


def test_a_missing_framework_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(frameworks, "quiet_import", missing)
    (tmp_path / "network.keras").touch()
    with pytest.raises(MissingExtraError, match="pip install keras tensorflow-cpu tf2onnx"):
        boxless.from_keras(tmp_path / "network.keras", tmp_path / "out.onnx")
    with pytest.raises(MissingExtraError, match="pip install torch"):
        boxless.from_torch(None, tmp_path / "out.onnx")


def test_what_cannot_be_exported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")

    class Broken(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, _: Any) -> Any:  # noqa: ANN401
            raise RuntimeError("no forward today")

    with pytest.raises(NetworkError, match="broken: it cannot be exported to ONNX"):
        boxless.from_torch(Broken(), tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())
