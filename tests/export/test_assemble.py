"""A small network put together, each step in the graph held to its NumPy reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from boxless import Card, ModelFile
from boxless.export.assemble import GapNetwork, assemble, without_defaults, write_model
from boxless.export.heads import dense
from boxless.maps.class_maps import class_maps, logits
from boxless.maps.refine import affinity, resize_features
from boxless.models.model_file import inputs
from boxless.models.presets import PRESETS

random = np.random.default_rng(0)
CLASSES, CHANNELS = 7, 6
MEAN, STD = (10.0, 20.0, 30.0), (50.0, 60.0, 70.0)
CARD = Card("small", tuple("abcdefg"), PRESETS, "as the test says", "Apache-2.0", "random")


def noise(*shape: int) -> np.ndarray:
    return random.normal(size=shape).astype(np.float32)


def convolutions() -> onnx.ModelProto:
    """Two strided convolutions with ReLU: `half` at stride 2 and `quarter` at stride 4."""
    weights = {"w1": noise(4, 3, 3, 3), "w2": noise(CHANNELS, 4, 3, 3)}
    stride: dict[str, Any] = {"strides": [2, 2], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], **stride),
        helper.make_node("Relu", ["c1"], ["half"]),
        helper.make_node("Conv", ["half", "w2"], ["c2"], **stride),
        helper.make_node("Relu", ["c2"], ["quarter"]),
    ]
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", kind, ["N", 3, "h", "w"])],
        [helper.make_tensor_value_info(name, kind, None) for name in ("quarter", "half")],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


WEIGHT, BIAS = noise(CLASSES, CHANNELS), noise(CLASSES)
NETWORK = GapNetwork(
    model=convolutions(),
    features="quarter",
    head=dense(WEIGHT, BIAS),
    mean=MEAN,
    std=STD,
    layers=("half", "quarter"),
    grid="half",
)
SIZE = (24, 16)
PIXELS = random.integers(0, 256, (2, *SIZE, 3), np.uint8)


def run(model: onnx.ModelProto, **feed: np.ndarray) -> dict[str, np.ndarray]:
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([each.name for each in session.get_outputs()], session.run(None, feed), strict=True))


@pytest.fixture(scope="module")
def outputs() -> dict[str, np.ndarray]:
    feed = {"image": PIXELS, "size": np.array(SIZE), "classes": np.array([4, 2]), "top": np.array([3])}
    return run(assemble(NETWORK, CARD), **feed)


@pytest.fixture(scope="module")
def layers() -> dict[str, np.ndarray]:
    """The network's own layers, of pixels scaled by NumPy."""
    scaled = (PIXELS.astype(np.float32) - MEAN) / STD
    return run(NETWORK.model, x=scaled.transpose(0, 3, 1, 2).astype(np.float32))


def test_logits(outputs: dict[str, np.ndarray], layers: dict[str, np.ndarray]) -> None:
    for found, features in zip(outputs["logits"], layers["quarter"], strict=True):
        assert found == pytest.approx(logits(features, WEIGHT, BIAS), rel=1e-4, abs=1e-4)


def test_the_named_classes_come_first_then_the_most_probable(outputs: dict[str, np.ndarray]) -> None:
    for chosen, scores in zip(outputs["chosen"], outputs["logits"], strict=True):
        assert chosen.tolist() == [4, 2, *np.argsort(-scores)[:3]]


def test_class_maps(outputs: dict[str, np.ndarray], layers: dict[str, np.ndarray]) -> None:
    for found, chosen, features in zip(outputs["class_maps"], outputs["chosen"], layers["quarter"], strict=True):
        assert found.shape == (5, 6, 4)
        assert found == pytest.approx(class_maps(features, WEIGHT[chosen]), rel=1e-4, abs=1e-4)


def test_completeness(outputs: dict[str, np.ndarray]) -> None:
    for i, chosen in enumerate(outputs["chosen"]):
        told = outputs["class_maps"][i].mean(axis=(1, 2)) + BIAS[chosen]
        assert told == pytest.approx(outputs["logits"][i, chosen], rel=1e-4, abs=1e-4)


def test_affinity(outputs: dict[str, np.ndarray], layers: dict[str, np.ndarray]) -> None:
    for i in range(len(PIXELS)):
        expected = affinity([layers["half"][i], layers["quarter"][i]], fine=(12, 8), coarse=(6, 4), power=3.0)
        assert outputs["affinity"][i] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size", [(12, 8), (48, 16), (24, 40)])
def test_the_image_is_resized_inside(size: tuple[int, int]) -> None:
    found = run(assemble(NETWORK, CARD), **inputs(PIXELS[0], size=size))
    planes = resize_features(PIXELS[0].transpose(2, 0, 1).astype(np.float32), *size)
    resized = planes.round().astype(np.uint8).transpose(1, 2, 0)[None]
    expected = run(assemble(NETWORK, CARD), **inputs(resized[0], size=size))
    # The graph rounds to whole pixel values after each axis, so that a pixel may differ by one of 255.
    assert found["logits"] == pytest.approx(expected["logits"], rel=0.01, abs=0.1)


def test_a_file_of_an_older_boxless_with_defaults_runs_alike_and_loses_them() -> None:
    old = assemble(NETWORK, CARD)
    for name, default in (("size", [16, 32]), ("classes", []), ("top", [4])):
        old.graph.initializer.append(onnx.numpy_helper.from_array(np.array(default, np.int64), name))
    feed = inputs(PIXELS[0], size=SIZE, classes=[4], top=2)
    expected = run(old, **feed)
    assert without_defaults(old)
    assert not without_defaults(old)
    assert all(np.array_equal(found, expected[name]) for name, found in run(old, **feed).items())


def test_a_network_without_mid_level_layers_has_no_affinity() -> None:
    model = assemble(replace(NETWORK, layers=(), grid=""), CARD)
    assert "affinity" not in run(model, **inputs(PIXELS[0], size=SIZE))


def test_the_file_opens_and_keeps_its_card(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    write_model(assemble(NETWORK, CARD), path)
    model = ModelFile(path)
    assert model.card == CARD
    output = model.run(PIXELS[0], size=SIZE, classes=[6], top=0)
    assert output.chosen.tolist() == [6]
    assert output.affinity is not None
    assert output.affinity.shape == (12, 8, 6, 4)
