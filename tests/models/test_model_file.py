from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from tests.small_detector import CLASSES, write_detector

from boxless import Localizer, ModelFile, ModelFileError, UnknownPresetError
from boxless.models import zoo
from boxless.models.card import FORMAT, METADATA_KEY

MODEL = zoo.models()[zoo.DEFAULT_MODEL]


@pytest.fixture(scope="module")
def embedded() -> ModelFile:
    return ModelFile(zoo.DEFAULT_MODEL, threads=1)


def test_the_embedded_models_class_maps_are_complete(embedded: ModelFile) -> None:
    biases = next(
        onnx.numpy_helper.to_array(each) for each in onnx.load(MODEL).graph.initializer if each.name == "head_bias"
    )
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    output = embedded.run(pixels, size=(192, 256), top=1000)
    told = output.class_maps.mean(axis=(1, 2)) + biases[output.chosen]
    assert told == pytest.approx(output.logits[output.chosen], abs=1e-3)


def test_maps_grow_with_the_image_while_the_weights_stay(embedded: ModelFile) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    for size, grid in (((224, 224), (7, 7)), ((448, 448), (14, 14)), ((32, 96), (1, 3))):
        output = embedded.run(pixels, size=size)
        assert output.class_maps.shape == (1, *grid)
        assert output.affinity is not None
        assert output.affinity.shape == (2 * grid[0], 2 * grid[1], *grid)


def test_named_classes_come_in_their_order(embedded: ModelFile) -> None:
    output = embedded.run(np.zeros((64, 64, 3), np.uint8), size=(64, 64), classes=[9, 3], top=0)
    assert output.chosen.tolist() == [9, 3]


def with_card(path: Path, card: str | None) -> Path:
    model = onnx.load(MODEL)
    del model.metadata_props[:]
    if card is not None:
        helper.set_model_props(model, {METADATA_KEY: card})
    onnx.save(model, path)
    return path


def changed_card(**changes: object) -> str:
    data = json.loads(ModelFile(MODEL).card.to_json())
    return json.dumps(data | changes)


def refusal(path: Path) -> str:
    with pytest.raises(ModelFileError) as error:
        ModelFile(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_boxless_model_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    assert "not a model" in refusal(text)
    assert "no card" in refusal(with_card(tmp_path / "plain.onnx", None))
    assert "damaged card" in refusal(with_card(tmp_path / "damaged.onnx", "{"))
    assert "damaged card" in refusal(with_card(tmp_path / "odd.onnx", changed_card(presets={"fast": {}})))
    assert "presets is an object of 0" in refusal(with_card(tmp_path / "empty.onnx", changed_card(presets={})))


def test_a_card_that_the_graph_contradicts_is_refused(tmp_path: Path) -> None:
    assert "1000 logits for 2 labels" in refusal(
        with_card(tmp_path / "few.onnx", changed_card(labels=["a", "b"], class_ids=[]))
    )
    model = onnx.load(MODEL)
    model.graph.node.add(op_type="Cast", input=["logits"], output=["wide"]).attribute.add(name="to", i=11, type=2)
    model.graph.output[0].name, model.graph.output[0].type.tensor_type.elem_type = "wide", 11
    model.graph.output.add().CopyFrom(model.graph.output[0])
    onnx.save(model, tmp_path / "type.onnx")
    assert "type.onnx: " in refusal(tmp_path / "type.onnx")


def test_metadata_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = with_card(tmp_path / "bytes.onnx", "@" * 64)
    path.write_bytes(path.read_bytes().replace(b"@" * 64, b"\xff" * 64))
    # ONNX Runtime refuses the whole file, or hands the bytes on, as its protobuf was built.
    assert re.search("bytes.onnx: (its metadata is not UTF-8 text|not a model .*parsing failed)", refusal(path))


def test_what_a_damaged_graph_says_is_not_believed(embedded: ModelFile, tmp_path: Path) -> None:
    """Its outputs are declared rightly, and come otherwise."""
    model = onnx.load(MODEL)
    for node in model.graph.node:
        if "chosen" in node.output:
            node.output[0] = "really_chosen"
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(10**6, np.int64), "far"))
    model.graph.node.add(op_type="Add", input=["really_chosen", "far"], output=["chosen"])
    for node in model.graph.node:
        node.input[:] = ["really_chosen" if name == "chosen" else name for name in node.input]
    nodes = sorted(model.graph.node, key=lambda node: node.output[0] == "chosen")
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, tmp_path / "far.onnx")
    with pytest.raises(ModelFileError, match="not those of the classes asked for"):
        ModelFile(tmp_path / "far.onnx").run(np.zeros((64, 64, 3), np.uint8), size=(64, 64))


@pytest.mark.parametrize("name", ["boxes", "box_scores", "box_classes"])
def test_a_detector_without_an_output_is_refused(name: str, tmp_path: Path) -> None:
    model = onnx.load(write_detector(tmp_path / "whole.onnx"))
    model.graph.output.remove(next(each for each in model.graph.output if each.name == name))
    onnx.save(model, tmp_path / "less.onnx")
    assert refusal(tmp_path / "less.onnx").endswith(f"less.onnx: a boxless model without its {name}")


def test_a_detector_with_odd_inputs_and_outputs_is_refused(tmp_path: Path) -> None:
    model = onnx.load(write_detector(tmp_path / "whole.onnx"))
    model.graph.input.append(helper.make_tensor_value_info("extra", onnx.TensorProto.FLOAT, [1]))
    onnx.save(model, tmp_path / "inputs.onnx")
    assert refusal(tmp_path / "inputs.onnx").endswith("a damaged model (inputs extra, image, size, not image, size)")
    model = onnx.load(tmp_path / "whole.onnx")
    for name in ("boxes", "box_scores"):
        model.graph.output.remove(next(each for each in model.graph.output if each.name == name))
    onnx.save(model, tmp_path / "outputs.onnx")
    assert refusal(tmp_path / "outputs.onnx").endswith("a boxless model without its box_scores, boxes")
    model = onnx.load(tmp_path / "whole.onnx")
    scores = next(each for each in model.graph.output if each.name == "box_scores")
    model.graph.output.remove(scores)
    next(node for node in model.graph.node if "box_scores" in node.output).output[:] = ["flat"]
    model.graph.node.add(op_type="Unsqueeze", input=["flat", "first"], output=["box_scores"])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0], np.int64), "first"))
    model.graph.output.append(helper.make_tensor_value_info("box_scores", onnx.TensorProto.FLOAT, [1, None]))
    onnx.save(model, tmp_path / "rank.onnx")
    said = "a damaged model (box_scores is tensor(float) of 2 dimensions, not tensor(float) of 1)"
    assert refusal(tmp_path / "rank.onnx").endswith(said)


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("box_classes", CLASSES, "its boxes, scores and classes do not fit"),
        ("box_classes", -CLASSES, "its boxes, scores and classes do not fit"),
        ("boxes", np.nan, "its boxes are not finite on this image"),
        ("box_scores", np.inf, "its box_scores are not finite on this image"),
        ("logits", np.nan, "its logits are not finite on this image"),
    ],
)
def test_what_a_damaged_detector_says_is_not_believed(name: str, start: float, said: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = write_detector(tmp_path / "whole.onnx")
    highest = int(ModelFile(path, 1).detect(pixels, size=(64, 64)).classes.max())
    model = onnx.load(path)
    maker = next(node for node in model.graph.node if name in node.output)
    maker.output[list(maker.output).index(name)] = "before"
    kind = np.int64 if name == "box_classes" else np.float32
    model.graph.initializer.append(
        onnx.numpy_helper.from_array(np.array(start - highest if start == CLASSES else start, kind), "added")
    )
    model.graph.node.add(op_type="Add", input=["before", "added"], output=[name])
    onnx.save(model, tmp_path / "damaged.onnx")
    with pytest.raises(ModelFileError, match=rf"damaged.onnx: a damaged model \({said}\)$"):
        ModelFile(tmp_path / "damaged.onnx", 1).detect(pixels, size=(64, 64))


def test_a_detector_has_no_maps_to_run(tmp_path: Path) -> None:
    detector = ModelFile(write_detector(tmp_path / "tiny.onnx"), 1)
    with pytest.raises(ModelFileError, match="boxes and no class maps, which what you asked for needs"):
        detector.run(np.zeros((64, 64, 3), np.uint8), size=(64, 64))


def test_pickle_keeps_path_threads_and_device(embedded: ModelFile) -> None:
    again = pickle.loads(pickle.dumps(embedded))
    assert (again.path, again.device, again.on_one_core) == (embedded.path, "cpu", again), "one thread, as before"
    assert ModelFile(MODEL).on_one_core.__reduce__()[1] == (MODEL.absolute(), 1, "cpu")


def test_a_detector_with_fewer_scores_than_boxes_is_refused(tmp_path: Path) -> None:
    model = onnx.load(write_detector(tmp_path / "whole.onnx"))
    maker = next(node for node in model.graph.node if "box_scores" in node.output)
    maker.output[list(maker.output).index("box_scores")] = "all_scores"
    for bound, value in (("from", 1), ("to", 1000)):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([value], np.int64), bound))
    model.graph.node.add(op_type="Slice", input=["all_scores", "from", "to"], output=["box_scores"])
    onnx.save(model, tmp_path / "fewer.onnx")
    with pytest.raises(ModelFileError, match="its boxes, scores and classes do not fit"):
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        ModelFile(tmp_path / "fewer.onnx", 1).detect(pixels, size=(64, 64))


@pytest.mark.parametrize(
    ("name", "kind", "axis", "said"),
    [
        ("class_maps", "Concat", 1, "its class maps are not those of the classes asked for"),
        ("class_maps", "Slice", 2, "its class maps are not those of the classes asked for"),
        ("logits", "Concat", 0, "1000 logits for 1000 labels"),
    ],
)
def test_outputs_of_another_size_are_refused(name: str, kind: str, axis: int, said: str, tmp_path: Path) -> None:
    """Twice as many maps or rows of logits, or maps without a row."""
    model = onnx.load(MODEL)
    maker = next(node for node in model.graph.node if name in node.output)
    maker.output[list(maker.output).index(name)] = "before"
    for node in model.graph.node:
        node.input[:] = ["before" if each == name else each for each in node.input]
    if kind == "Concat":
        model.graph.node.append(helper.make_node("Concat", ["before", "before"], [name], axis=axis))
    else:
        for each, value in (("start", 0), ("end", 0), ("axis", axis)):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([value], np.int64), each))
        model.graph.node.append(helper.make_node("Slice", ["before", "start", "end", "axis"], [name]))
    onnx.save(model, tmp_path / "odd.onnx")
    with pytest.raises(ModelFileError, match=rf"odd.onnx: a damaged model \({said}\)$"):
        ModelFile(tmp_path / "odd.onnx", 1).run(np.zeros((64, 64, 3), np.uint8), size=(64, 64))


def test_a_graph_that_asks_for_all_memory_once_it_runs(embedded: ModelFile, tmp_path: Path) -> None:
    """How much is computed from the image's size, so nothing in the file says so."""
    model = onnx.load(MODEL)
    maker = next(node for node in model.graph.node if "logits" in node.output)
    maker.output[list(maker.output).index("logits")] = "few"
    for node in model.graph.node:
        node.input[:] = ["few" if name == "logits" else name for name in node.input]
    many = onnx.numpy_helper.from_array(np.array([10**9], np.int64), "many")
    model.graph.initializer.append(many)
    add = model.graph.node.add
    add(op_type="Mul", input=["size", "many"], output=["sizes"])
    add(op_type="ReduceMax", input=["sizes"], output=["longest"])
    add(op_type="ConstantOfShape", input=["longest"], output=["nothing"])
    add(op_type="ReduceSum", input=["nothing"], output=["zero"])
    add(op_type="Add", input=["few", "zero"], output=["many_logits"])
    add(op_type="Reshape", input=["many_logits", "logits_shape"], output=["logits"])
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 1000], np.int64), "logits_shape"))
    onnx.save(model, tmp_path / "hungry.onnx")
    pixels = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ModelFileError, match=r"it asks for 256.0 GB at once; models get"):
        ModelFile(tmp_path / "hungry.onnx").run(pixels, size=(64, 64))
    assert embedded.run(pixels, size=(64, 64)).logits.shape == (1000,), "others go on"


def test_names_of_nodes_stay_off_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """ONNX Runtime writes errors to standard error too, with whatever a node is called."""
    model = onnx.load(MODEL)
    maker = next(node for node in model.graph.node if "logits" in node.output)
    maker.output[list(maker.output).index("logits")] = "own"
    for node in model.graph.node:
        node.input[:] = ["own" if name == "logits" else name for name in node.input]
    model.graph.node.add(op_type="Reshape", name="\x1b[2Jnode", input=["own", "size"], output=["logits"])
    onnx.save(model, tmp_path / "fails.onnx")
    with pytest.raises(ModelFileError, match="cannot be run on this image"):
        ModelFile(tmp_path / "fails.onnx").run(np.zeros((64, 64, 3), np.uint8), size=(64, 64))
    assert capfd.readouterr().err == ""


def test_a_model_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    said = refusal(with_card(tmp_path / "newer.onnx", changed_card(format=FORMAT + 1, presets="of another kind")))
    assert f"format {FORMAT + 1}" in said
    assert "pip install --upgrade boxless" in said


def test_unknown_models_and_presets_are_refused() -> None:
    with pytest.raises(ModelFileError, match=r"no model 'resnet'.*efficientnet-lite0"):
        Localizer("resnet")
    with pytest.raises(UnknownPresetError, match=r"no preset 'quick'.*fast, balanced, best"):
        Localizer(preset="quick")
