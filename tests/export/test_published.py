"""Published classifiers by name; a local file stands in the place of each download."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

import boxless
from boxless import MissingExtraError, ModelFile, NetworkError
from boxless.export.preprocessing import WAYS, Preprocessing, measure_preprocessing, parse_preprocessing
from boxless.export.published import attach_published, load_published

# TensorFlow's tensors, as Keras saves them, do not know NumPy 2's `copy`.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

EMBEDDED = ModelFile("efficientnet-lite0", threads=1).card
PIXELS = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)


def scaled(pixels: NDArray[np.uint8], way: Preprocessing) -> NDArray[np.float32]:
    planes: NDArray[np.float32] = ((pixels - np.array(way.mean)) / way.std).transpose(2, 0, 1).astype(np.float32)
    return planes[::-1] if way.bgr else planes


@pytest.mark.parametrize("name", WAYS)
def test_preprocessing_is_measured(name: str) -> None:
    way = WAYS[name]
    found = measure_preprocessing(lambda pixels: scaled(pixels, way))
    assert found.bgr == way.bgr
    assert found.mean == pytest.approx(way.mean, abs=1e-3)
    assert found.std == pytest.approx(way.std, rel=1e-5)


@pytest.mark.parametrize(
    "seen",
    [lambda pixels: (pixels / 255.0).transpose(2, 0, 1) ** 2, lambda pixels: pixels.transpose(2, 0, 1)[[0, 0, 0]]],
    ids=["not linear", "grey"],
)
def test_other_preprocessing_is_refused(seen: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> None:
    with pytest.raises(NetworkError, match="one scaling for each colour"):
        measure_preprocessing(seen)


@pytest.mark.parametrize(
    ("name", "packages"), [("torchvision:resnet18", "torch torchvision"), ("timm:resnet18", "torch timm")]
)
def test_a_missing_framework_is_named(
    name: str, packages: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=f"{name}: .*pip install {packages}"):
        boxless.attach(name, tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


def test_an_unknown_framework(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"tf:ResNet50: no such file .*keras:NAME, torchvision:NAME"):
        boxless.attach("tf:ResNet50", tmp_path / "out.onnx")


@pytest.fixture
def keras() -> ModuleType:
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed: pip install tf2onnx")
    keras: ModuleType = pytest.importorskip("keras", reason="Keras is not installed: pip install keras tensorflow-cpu")
    return keras


def test_a_misspelt_name(keras: ModuleType) -> None:
    with pytest.raises(NetworkError, match=r"keras:Resnet50: no such classifier \(such as ResNet50"):
        load_published("keras:Resnet50")


def test_offline(keras: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fails(*_: object, **__: object) -> None:
        raise Exception("URL fetch failure on https://example.org: Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", fails)
    with pytest.raises(NetworkError, match=r"keras:MobileNet: .*URL fetch failure.* internet connection"):
        boxless.attach("keras:MobileNet", tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("suffix", [".onnx", ".keras", ".h5", ".pt"])
def test_a_pipe_is_refused_at_once(suffix: str, tmp_path: Path) -> None:
    pipe = tmp_path / f"network{suffix}"
    os.mkfifo(pipe)
    with pytest.raises(NetworkError, match=r"not a file|no such file"):
        boxless.attach(pipe, tmp_path / "out.onnx")


def test_a_large_flattened_head_is_refused_before_the_export(
    keras: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """VGG16's export takes 20 GB of memory, before the graph could say that nothing is pooled."""
    monkeypatch.setattr("boxless.export.frameworks._convert", lambda *_: pytest.fail("exported"))
    layers = keras.layers
    body = [layers.Input((64, 64, 3)), layers.Conv2D(256, 3, strides=4), layers.Flatten(name="flat")]
    head = [layers.Dense(512, name="fc1"), layers.Dropout(0.5), layers.Dense(2, name="fc2")]
    with pytest.raises(NetworkError, match=r"flat \(None, 16, 16, 256\) is flattened .* \(fc1 .*, fc2 \(512, 2\)\)"):
        boxless.from_keras(keras.Sequential([*body, *head]), tmp_path / "out.onnx")
    assert not list(tmp_path.iterdir())


def test_from_keras_by_name(keras: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNet(weights=None)
    network.save_weights(tmp_path / "local.weights.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "local.weights.h5"))
    made = boxless.attach("keras:MobileNet", tmp_path / "out.onnx")
    card = ModelFile(made.path).card
    assert card == made.card
    assert (card.name, card.source, card.maps) == ("MobileNet", "keras:MobileNet", "exact")
    assert (card.labels, card.class_ids) == (EMBEDDED.labels, EMBEDDED.class_ids)
    assert card.preprocessing == f"{WAYS['tf']}; in the graph"
    for name, preset in card.presets.items():
        assert preset.threshold == EMBEDDED.presets[name].threshold
        assert "efficientnet-lite0" in preset.set_on
    expected = network.predict(
        keras.applications.mobilenet.preprocess_input(PIXELS[None].astype(np.float32)), verbose=0
    )
    found = ModelFile(made.path).run(PIXELS, size=(224, 224), top=1).logits
    assert np.exp(found) / np.exp(found).sum() == pytest.approx(expected[0], rel=1e-3)


def test_what_is_given_counts(keras: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "local.weights.h5"))
    keras.applications.MobileNet(weights=None).save_weights(tmp_path / "local.weights.h5")
    labels = [f"my class {index}" for index in range(1000)]
    made = attach_published("keras:MobileNet", tmp_path / "out.onnx", labels=labels, preprocess="unit", licence="MIT")
    assert list(made.card.labels) == labels
    assert made.card.licence == "MIT"
    assert made.card.preprocessing == f"{WAYS['unit']}; in the graph"


@pytest.fixture
def torch() -> ModuleType:
    torch: ModuleType = pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch")
    torch.manual_seed(0)
    return torch


IMAGENET = f"{parse_preprocessing('imagenet')}; in the graph"


def test_from_torchvision_by_name(torch: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    vision = pytest.importorskip("torchvision", reason="torchvision is not installed: pip install torchvision")
    network = vision.models.resnet18(weights=None).eval()
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", lambda *_, **__: network.state_dict())
    made = boxless.attach("torchvision:resnet18", tmp_path / "out.onnx")
    assert made.card.preprocessing == IMAGENET
    assert made.card.labels[0] == "tench"
    assert made.card.class_ids == EMBEDDED.class_ids
    # The order is that of the WordNet ids: all names but two are those of the embedded model.
    assert sum(one != other for one, other in zip(made.card.labels, EMBEDDED.labels, strict=True)) == 2
    with torch.no_grad():
        expected = network(torch.from_numpy(scaled(PIXELS, WAYS["imagenet"]))[None])[0].numpy()
    found = ModelFile(made.path).run(PIXELS, size=(224, 224), top=1).logits
    assert found == pytest.approx(expected, abs=1e-3 * float(np.abs(expected).max()))


def test_from_timm_by_name(torch: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed: pip install timm")
    network = timm.create_model("resnet18")
    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", lambda *_, **__: network.state_dict())
    made = boxless.attach("timm:resnet18", tmp_path / "out.onnx")
    assert made.card.preprocessing == IMAGENET
    assert (made.card.labels, made.card.class_ids) == (EMBEDDED.labels, EMBEDDED.class_ids)
    assert made.card.licence == "apache-2.0"
    info = timm.data.ImageNetInfo("imagenet-1k")
    assert tuple(info.label_names()) == EMBEDDED.class_ids
    with pytest.raises(NetworkError, match=r"timm:resnt18: no such classifier \(such as resnet18"):
        load_published("timm:resnt18")


def test_from_hugging_face_by_name(torch: ModuleType, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 16, 32], depths=[1] * 4, id2label={0: "ant", 1: "bee", 2: "wasp"}
    )
    folder = tmp_path / "insects"
    transformers.ResNetForImageClassification(config).save_pretrained(folder)
    processor = transformers.ConvNextImageProcessor(
        size={"shortest_edge": 192}, crop_pct=0.9, image_mean=[0.5, 0.25, 0.5], image_std=[0.5, 0.5, 0.25]
    )
    processor.save_pretrained(folder)
    made = boxless.attach(f"hf:{folder}", tmp_path / "out.onnx")
    assert (made.card.name, made.card.maps, made.card.labels) == ("insects", "exact", ("ant", "bee", "wasp"))
    way = Preprocessing((127.5, 63.75, 127.5), (127.5, 127.5, 63.75))
    assert made.card.preprocessing == f"{way}; in the graph"
    assert made.card.preset("fast").scales == (192,)
    with pytest.raises(NetworkError, match=r"hf:nobody/nothing: .* internet connection"):
        load_published("hf:nobody/nothing")
