"""A boxless model as a backbone: the same features, another head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.export.small import EXACT, LINEARISED, classifier, saved

from boxless import ModelFile, ModelFileError
from boxless.evaluation.features import FeatureNetwork
from boxless.export import attach
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.export.localization_head import ClassMapHead, LocalizationHead
from boxless.imaging.read import read_image, resize_pixels
from boxless.localizer import Localizer
from boxless.maps.refine import resize_maps
from boxless.models.presets import LocalizationPass, Preset
from boxless.models.zoo import DEFAULT_MODEL

SIZE = (96, 64)


def test_pooled_features_are_those_of_the_network(coffee: Path) -> None:
    pixels = resize_pixels(read_image(coffee).pixels, 224, 224)
    pooled = Backbone(DEFAULT_MODEL).pool(pixels, (224, 224))
    network = FeatureNetwork(DEFAULT_MODEL, threads=1)
    assert pooled.shape == (1280,)
    assert network.weight @ pooled + network.bias == pytest.approx(
        ModelFile(DEFAULT_MODEL, threads=1).run(pixels, size=(224, 224)).logits, abs=1e-3
    )


def test_another_head_keeps_everything_else(coffee: Path, tmp_path: Path) -> None:
    old = ModelFile(DEFAULT_MODEL, threads=1)
    network = FeatureNetwork(DEFAULT_MODEL, threads=1)
    path = tmp_path / "same.onnx"
    write_model(with_head(DEFAULT_MODEL, network.weight, network.bias, old.card), path)
    pixels = read_image(coffee).pixels
    before, after = (each.run(pixels, size=(224, 288), top=3) for each in (old, ModelFile(path, threads=1)))
    assert after.logits == pytest.approx(before.logits, abs=1e-4)
    assert after.chosen.tolist() == before.chosen.tolist()
    assert after.class_maps == pytest.approx(before.class_maps, abs=1e-3)
    assert after.affinity == pytest.approx(before.affinity, abs=1e-5)


def test_a_localization_head_says_of_each_cell_what_its_layer_says(coffee: Path, tmp_path: Path) -> None:
    """Against the layer on all features resized to the finest grid, and with no other output changed."""
    trunk = Backbone(DEFAULT_MODEL)
    random = np.random.default_rng(0)
    pixels, size = read_image(coffee).pixels, (128, 160)
    weights = tuple(random.normal(0, 0.1, (3, width)).astype(np.float32) for width in trunk.layer_widths)
    bias = np.array([0, 1, -1], np.float32)
    naming = random.normal(size=(3, trunk.width)).astype(np.float32), np.zeros(3, np.float32)
    card = replace(trunk.card, labels=("a", "b", "c"), class_ids=())
    write_model(with_head(DEFAULT_MODEL, *naming, card, LocalizationHead(weights, bias)), tmp_path / "head.onnx")
    write_model(with_head(DEFAULT_MODEL, *naming, card), tmp_path / "plain.onnx")
    output = ModelFile(tmp_path / "head.onnx", 1).run(pixels, size=size, classes=[2, 0], top=1)
    plain = ModelFile(tmp_path / "plain.onnx", 1).run(pixels, size=size, classes=[2, 0], top=1)

    layers = trunk.cells(pixels, size).layers
    grid = layers[0].shape[1:]
    assert grid == (16, 20)
    cells = np.concatenate([resize_maps(layer, *grid) for layer in layers])
    logits = np.tensordot(np.concatenate(weights, axis=1), cells, 1) + bias[:, None, None]
    assert output.localization_maps == pytest.approx(1 / (1 + np.exp(-logits[output.chosen])), abs=1e-4)
    assert plain.localization_maps is None
    for name in ("logits", "chosen", "class_maps", "affinity"):
        np.testing.assert_allclose(getattr(output, name), getattr(plain, name), atol=1e-4)


def test_a_class_map_head_makes_class_maps_of_its_own(coffee: Path, tmp_path: Path) -> None:
    trunk = Backbone(DEFAULT_MODEL)
    random = np.random.default_rng(0)
    naming = random.normal(size=(3, trunk.width)).astype(np.float32), np.zeros(3, np.float32)
    other = random.normal(size=(3, trunk.width)).astype(np.float32)
    card = replace(trunk.card, labels=("a", "b", "c"), class_ids=())
    write_model(with_head(DEFAULT_MODEL, *naming, card, class_map_head=ClassMapHead(other)), tmp_path / "head.onnx")
    pixels, size = read_image(coffee).pixels, (128, 160)
    output = ModelFile(tmp_path / "head.onnx", 1).run(pixels, size=size, classes=[2, 0], top=1)
    features = trunk.cells(pixels, size).features
    expected = np.tensordot(other[output.chosen], features, 1)
    assert output.localization_class_maps == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert output.localization_maps is None


def test_one_file_has_both_heads(coffee: Path, tmp_path: Path) -> None:
    """Some classes are localized by one, some by the other, and each says what it says alone."""
    trunk = Backbone(DEFAULT_MODEL)
    random = np.random.default_rng(0)
    weights = tuple(random.normal(0, 0.1, (3, width)).astype(np.float32) for width in trunk.layer_widths)
    cells = LocalizationHead(weights, np.zeros(3, np.float32))
    maps = ClassMapHead(random.normal(size=(3, trunk.width)).astype(np.float32))
    linear = random.normal(size=(3, trunk.width)).astype(np.float32), np.zeros(3, np.float32)
    passes = LocalizationPass(128, (0,), "head"), LocalizationPass(128, (1, 2), "class_maps")
    presets = {"balanced": Preset((96, 128), 2, localization=passes)}
    card = replace(trunk.card, labels=("a", "b", "c"), class_ids=(), presets=presets)
    found = []
    for name, heads in (("both", (cells, maps)), ("cells", (cells, None)), ("maps", (None, maps))):
        write_model(with_head(DEFAULT_MODEL, *linear, card, *heads), tmp_path / f"{name}.onnx")
        predictions = Localizer(tmp_path / f"{name}.onnx").locate(coffee, classes=["a", "b", "c"]).predictions
        found.append({each.label: each.class_map for each in predictions})
    both, by_cells, by_maps = found
    np.testing.assert_array_equal(both["a"], by_cells["a"])
    for label in "bc":
        np.testing.assert_array_equal(both[label], by_maps[label])
        with pytest.raises(AssertionError):
            np.testing.assert_array_equal(both[label], by_cells[label])


@pytest.mark.parametrize("end", [EXACT["gemm"], EXACT["layer normalisation"], LINEARISED["hard-swish"]])
def test_any_attached_network_is_a_backbone(end: str, tmp_path: Path) -> None:
    made = attach(saved(classifier(end), tmp_path), tmp_path / "attached.onnx", input_size=SIZE)
    trunk = Backbone(made.path)
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (*SIZE, 3), np.uint8)
    pooled = trunk.pool(pixels, SIZE)
    weight, bias = random.normal(size=(3, trunk.width)).astype(np.float32), np.zeros(3, np.float32)
    path = tmp_path / "new.onnx"
    card = replace(made.card, labels=("a", "b", "c"))
    write_model(with_head(made.path, weight, bias, card), path)
    output = ModelFile(path, threads=1).run(pixels, size=SIZE, top=3)
    assert output.logits == pytest.approx(weight @ pooled, abs=1e-3)
    assert output.class_maps.mean(axis=(1, 2)) == pytest.approx(output.logits[output.chosen], abs=1e-3)


def test_what_is_no_boxless_model(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", [value],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])  # fmt: skip
    onnx.save(helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "a.onnx")
    with pytest.raises(ModelFileError, match="no boxless model"):
        Backbone(tmp_path / "a.onnx")
    with pytest.raises(ModelFileError, match="no model 'nothing'"):
        Backbone("nothing")
