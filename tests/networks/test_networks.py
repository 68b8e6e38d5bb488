"""Every network with every head: its shapes, its parameters, its maps, its gradients."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxless import MissingExtraError, ModelFile, NetworkError, networks
from boxless.errors import UnknownNetworkError
from boxless.models.zoo import models

# Keras 3.15 asks TensorFlow's tensors for arrays in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
keras = pytest.importorskip("keras", reason="Keras is not installed: pip install 'boxless[train]'")

PAIRS = [(name, head) for name in networks.NETWORKS for head in networks.HEADS]


def smallest(name: str) -> int:
    """A side that makes a map of more than one cell, in little time."""
    return 2 * networks.entry(name).multiple


def narrow(name: str, head: str) -> Any:  # noqa: ANN401
    """A network for three classes."""
    keras.utils.set_random_seed(0)
    settings = {"width": 0.125} if networks.entry(name).narrows else {}
    return networks.build(name, 3, head, smallest(name), **settings)


@cache
def averaged(name: str) -> Any:  # noqa: ANN401
    """One with the head "gap" that is only asked, built once: that takes seconds."""
    return narrow(name, "gap")


def images(name: str, count: int = 2) -> Any:  # noqa: ANN401
    side = smallest(name)
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.float32)


def trainable(network: Any) -> int:  # noqa: ANN401
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


@pytest.mark.parametrize(
    ("name", "classes", "published"),
    [
        ("nin", 10, 966_986),  # the authors' CIFAR-10 definition
        # VGG16's convolutions, and AlexNet's with two groups, then 3x3x1024 and a dense layer
        ("vgg16_gap", 1000, 14_714_688 + (9 * 512 + 1) * 1024 + 1025 * 1000),
        ("alexnet_gap", 1000, 2_334_080 + (9 * 256 + 1) * 1024 + 1025 * 1000),
        ("darknet19", 1000, 20_842_376),
        ("efficientnet_lite0", 1000, 4_652_008),
    ],
)
def test_parameters_are_as_published(name: str, classes: int, published: int) -> None:
    assert trainable(networks.build(name, classes)) == published


def test_resnet50_has_keras_parameters() -> None:
    assert networks.resnet50().count_params() == 25_636_712


def test_googlenet_is_the_published_one_cut_short() -> None:
    def convolutions(entering: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> int:
        wide = (9 * three[0] + 1) * three[1] + (25 * five[0] + 1) * five[1]
        return wide + (entering + 1) * (one + three[0] + five[0] + pooled)

    # The whole network without its auxiliary classifiers has 6,998,552; what is cut off is inception5 and the head.
    cut_off = convolutions(832, 256, (160, 320), (32, 128), 128) + convolutions(832, 384, (192, 384), (48, 128), 128)
    ours = trainable(networks.googlenet_gap(1000)) - (9 * 832 + 1) * 1024 - 1025 * 1000
    assert ours + cut_off + 1025 * 1000 == 6_998_552


@pytest.mark.parametrize(("name", "head"), PAIRS)
def test_shapes(name: str, head: str) -> None:
    network = averaged(name) if head == "gap" else narrow(name, head)
    assert network.layers[0].name == "image"
    assert network.layers[-1].name == "logits"
    assert network.name == name
    side = smallest(name) if head.startswith("fc") else None
    assert network.input_shape == (None, side, side, 3)
    assert network.output_shape == (None, 3)


@pytest.mark.parametrize(
    ("name", "head"), [pair for pair in PAIRS if pair[0] in ("nin", "alexnet_gap") or pair[1] == "gap"]
)
def test_gradients_reach_every_weight(name: str, head: str) -> None:
    network = narrow(name, head)
    tensorflow = pytest.importorskip("tensorflow")

    @tensorflow.function(jit_compile=False)  # type: ignore[untyped-decorator]
    def gradients(seen: Any) -> Any:  # noqa: ANN401
        with tensorflow.GradientTape() as tape:
            logits = network(seen, training=True)
            loss = keras.ops.sum(keras.ops.square(logits - 1.0))
        return logits, tape.gradient(loss, network.trainable_weights)

    logits, found = gradients(images(name))
    assert np.isfinite(np.asarray(logits)).all()
    for weight, gradient in zip(network.trainable_weights, found, strict=True):
        assert gradient is not None, weight.path
        assert np.isfinite(np.asarray(gradient)).all(), weight.path


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_class_maps_add_up_to_the_logits(name: str) -> None:
    network = averaged(name)
    pooling = isinstance(network.get_layer("logits"), keras.layers.GlobalAveragePooling2D)
    features = network.get_layer("logits" if pooling else "pool").input
    maps, logits = map(np.asarray, keras.Model(network.input, [features, network.output])(images(name)))
    assert maps.shape[1:3] == (2, 2)
    if not pooling:
        weight, bias = map(np.asarray, network.get_layer("logits").weights)
        maps = maps @ weight + bias
    assert maps.mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-4)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_the_papers_grids(name: str) -> None:
    entry, network = networks.entry(name), averaged(name)
    side = entry.size // entry.multiple
    logits = network.get_layer("logits")
    pooling = logits if isinstance(logits, keras.layers.GlobalAveragePooling2D) else network.get_layer("pool")
    shape = keras.Model(network.input, pooling.input).compute_output_shape((1, entry.size, entry.size, 3))
    assert shape[1:3] == (side, side)
    assert side == {"nin": 8, "nin_bn": 8, "alexnet_gap": 14, "vgg16_gap": 14, "googlenet_gap": 14}.get(name, 7)


def test_embedded_weights_say_what_the_model_file_says(images: Path) -> None:
    from boxless.imaging.read import read_image, resize_pixels

    network = networks.efficientnet_lite0(weights="imagenet")
    file = ModelFile("efficientnet-lite0")
    weight, bias = _dense_of(models()["efficientnet-lite0"])
    network.get_layer("logits").set_weights([weight.T, bias])
    for path in sorted(images.glob("*.jpg"))[:2]:
        pixels = resize_pixels(read_image(path).pixels, 224, 256)
        expected = file.run(pixels, size=(224, 256), top=1).logits
        found = np.asarray(network(pixels[None].astype(np.float32)))[0]
        assert found == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))
    assert not network.get_layer("stem_bn").trainable


def _dense_of(path: Path) -> tuple[Any, Any]:
    import onnx

    tensors = {each.name: each for each in onnx.load(path).graph.initializer}
    return tuple(onnx.numpy_helper.to_array(tensors[name]) for name in ("head_weight", "head_bias"))  # type: ignore[return-value]


def test_weights_that_are_not_there_or_others() -> None:
    with pytest.raises(NetworkError, match="no such file"):
        networks.efficientnet_lite0(weights="nowhere.onnx")
    with pytest.raises(NetworkError, match="no such file"):
        networks.resnet50(weights="nowhere.h5")


def test_weights_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "notes.h5"
    path.write_text("no weights")
    with pytest.raises(NetworkError, match="not the weights of ResNet50"):
        networks.resnet50(weights=path)
    with pytest.raises(NetworkError, match="not an ONNX file"):
        networks.efficientnet_lite0(weights=path)


def test_offline_help(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise OSError("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", no_network)
    with pytest.raises(
        NetworkError, match=r"URL fetch failure.*put https.*notop\.h5 into .*models by hand, or fine-tune"
    ):
        networks.vgg16_gap(weights="imagenet", width=0.125)


def test_caffe_weights_are_turned_to_rgb(tmp_path: Path) -> None:
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3))
    file = tmp_path / "resnet50_notop.weights.h5"
    network.save_weights(file)
    ours = networks.resnet50(3, weights=file)
    pixels = images("resnet50", 1)
    features = keras.Model(ours.input, ours.get_layer("pool").input)(pixels)
    expected = network(keras.applications.resnet.preprocess_input(pixels.copy()))
    assert np.asarray(features) == pytest.approx(np.asarray(expected), abs=1e-3)


def test_an_unknown_network_is_told_the_nearest() -> None:
    with pytest.raises(UnknownNetworkError, match=r"no network 'resnet-5'.*nearest: resnet50"):
        networks.build("resnet-5", 2)
    with pytest.raises(NetworkError, match=r"no head 'max'.*gap, gmp, fc, fc_dropout"):
        networks.nin(2, head="max")


@pytest.mark.parametrize("missing", ["keras", "tensorflow"])
def test_missing_frameworks_are_named(missing: str) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
from boxless import networks, MissingExtraError
try:
    networks.nin()
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'boxless[train]'" in done.stdout, done.stdout
    assert issubclass(MissingExtraError, Exception)
