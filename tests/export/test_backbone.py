"""A boxless model as a backbone: the same features, another head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.export.small import EXACT, LINEARISED, classifier, saved

from boxless import Localizer, ModelFile, ModelFileError
from boxless.evaluation.features import FeatureNetwork
from boxless.export import attach
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.imaging.read import read_picture, resize_pixels
from boxless.models.presets import Preset, Search
from boxless.models.zoo import DEFAULT_MODEL

SIZE = (96, 64)


def test_pooled_features_are_those_of_the_network(coffee: Path) -> None:
    pixels = resize_pixels(read_picture(coffee).pixels, 224, 224)
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
    pixels = read_picture(coffee).pixels
    before, after = (each.run(pixels, size=(224, 288), top=3) for each in (old, ModelFile(path, threads=1)))
    assert after.logits == pytest.approx(before.logits, abs=1e-4)
    assert after.chosen.tolist() == before.chosen.tolist()
    assert after.class_maps == pytest.approx(before.class_maps, abs=1e-3)
    assert after.affinity == pytest.approx(before.affinity, abs=1e-5)


def test_a_finder_makes_maps_and_no_logits(coffee: Path, tmp_path: Path) -> None:
    """Its maps are those of a layer of its own, and exact: their mean is that layer on the average of the features."""
    random = np.random.default_rng(0)
    naming, finder = random.normal(size=(2, 3, 1280)).astype(np.float32)
    card = replace(
        ModelFile(DEFAULT_MODEL).card,
        labels=("a", "b", "c"),
        class_ids=(),
        finders=1,
        presets={"balanced": Preset((64,), 1, searches=(Search(128, 0, (1,), 1),))},
    )
    path = tmp_path / "finder.onnx"
    write_model(with_head(DEFAULT_MODEL, naming, np.zeros(3, np.float32), card, [finder]), path)
    pixels = read_picture(coffee).pixels
    asked = [1, card.finder_class(1, 0)]
    output = ModelFile(path, threads=1).run(pixels, size=(128, 160), classes=asked, top=0)
    pooled = Backbone(DEFAULT_MODEL).pool(pixels, (128, 160))
    assert output.logits.shape == (3,)
    assert output.class_maps.mean(axis=(1, 2)) == pytest.approx([naming[1] @ pooled, finder[1] @ pooled], abs=1e-2)
    found = Localizer(path).locate(coffee, classes=["b"]).predictions[0]
    assert (found.label, found.class_index) == ("b", 1)
    again = FeatureNetwork(path, threads=1).run(pixels, size=(128, 160), classes=asked, top=0)
    assert again.class_maps == pytest.approx(output.class_maps, abs=1e-3)


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
