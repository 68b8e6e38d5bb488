"""Every way in which networks end: attached with the answer kept, or refused with a reason."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper, parser
from tests.export.small import (
    BATCH_OF_THE_IMAGE,
    CHANNELS,
    CLASSES,
    EXACT,
    LINEARISED,
    NORMALISED,
    REFUSED,
    WEIGHTS,
    classifier,
    saved,
)

from boxless import Localizer, ModelFile, NetworkError
from boxless.evaluation.faithfulness import faithfulness
from boxless.export import attach
from boxless.export.measure import measure, multiplications
from boxless.export.preprocessing import Preprocessing, Triple, parse_preprocessing
from boxless.models.card import Activation
from boxless.models.zoo import DEFAULT_MODEL, models

random = np.random.default_rng(0)
SIZE = (64, 64)


def run(path: Path, pixels: np.ndarray, *outputs: str) -> list[np.ndarray]:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    size = np.array(pixels.shape[:2])
    feed = {"image": pixels[None], "size": size, "classes": np.arange(CLASSES), "top": np.array([0])}
    return [np.asarray(each) for each in session.run(list(outputs), feed)]


def features_of(model: onnx.ModelProto, name: str, pixels: np.ndarray) -> list[np.ndarray]:
    """A tensor of the classifier, and its answer."""
    model.graph.output.append(helper.make_empty_tensor_value_info(name))
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [np.asarray(e) for e in session.run([name, "y"], {"x": scaled(pixels)})]


def scaled(pixels: np.ndarray) -> np.ndarray:
    """What preprocessing "tf" makes of an image."""
    planes = ((pixels.astype(np.float32) - 127.5) / 127.5).transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None])


@pytest.mark.parametrize("end", EXACT.values(), ids=EXACT.keys())
def test_exact_heads(end: str, tmp_path: Path) -> None:
    made = attach(saved(classifier(end), tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.maps == "exact"
    assert made.proof.bit_for_bit or made.proof.difference < 1e-6
    assert made.proof.completeness is not None
    assert made.proof.completeness < 1e-5
    assert len(made.stages) == 3
    assert made.card.fixed_size is None
    # Another size than the one it was attached at, and the original's answer to it.
    pixels = random.integers(0, 256, (96, 160, 3)).astype(np.uint8)
    logits, maps = run(made.path, pixels, "logits", "class_maps")
    said = features_of(classifier(end), "f", pixels)[1].ravel()
    ways = [logits[0], np.exp(logits[0]) / np.exp(logits[0]).sum(), 1 / (1 + np.exp(-logits[0]))]
    ways.append(np.log(ways[1]))
    assert min(np.abs(way - said).max() for way in ways) < 1e-5
    assert maps.shape == (1, CLASSES, 3, 5)


def test_the_maps_are_weights_times_features(tmp_path: Path) -> None:
    made = attach(saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "out.onnx", preprocess="tf")
    pixels = random.integers(0, 256, (64, 96, 3)).astype(np.uint8)
    features = features_of(classifier(EXACT["gemm"]), "f", pixels)[0][0]
    maps, affinity = run(made.path, pixels, "class_maps", "affinity")
    assert maps[0] == pytest.approx(np.tensordot(WEIGHTS["w"], features, axes=(1, 0)), abs=1e-4)
    assert affinity.shape == (1, 4, 6, 2, 3)


def test_large_weights_arrive(tmp_path: Path) -> None:
    """They are written behind the rest of the file, one by one."""
    wide, narrow = (random.normal(size=shape).astype(np.float32) for shape in ((200, 3, 5, 5), (5, 200, 3, 3)))
    path = saved(classifier(EXACT["softmax"], w1=wide, w2=narrow), tmp_path)
    made = attach(path, tmp_path / "out.onnx", input_size=SIZE)
    assert made.proof.bit_for_bit
    onnx.checker.check_model(str(made.path), full_check=True)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(made.path).graph.initializer}
    assert np.array_equal(weights["network/w1"], wide)
    assert np.array_equal(weights["network/w2"], narrow)


@pytest.mark.parametrize("end", LINEARISED.values(), ids=LINEARISED.keys())
def test_linearised_heads_are_the_slope(end: str, tmp_path: Path) -> None:
    """A map is the change of the logit, cell by cell, as far as the pooled vector moves along the features."""
    model = classifier(end)
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.maps == "linearised"
    assert made.proof.difference < 1e-6  # the order of fused operations may differ
    assert made.proof.completeness is None
    assert made.proof.slopes is not None
    assert made.proof.slopes < 0.05
    pixels = np.random.default_rng(3).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    (maps,) = run(made.path, pixels, "class_maps")
    features = features_of(classifier(end), "f", pixels)[0]
    tail = onnx.utils.Extractor(onnx.shape_inference.infer_shapes(classifier(end))).extract_model(["f"], ["y"])
    session = ort.InferenceSession(tail.SerializeToString(), providers=["CPUExecutionProvider"])
    # Moving one cell moves the pooled vector: compare with a difference quotient.
    step = 0.02
    for row, column in ((0, 0), (1, 1)):
        moved = np.zeros_like(features)
        moved[:, :, row, column] = features[:, :, row, column]
        ends = [session.run(None, {"f": features + sign * step * moved})[0][0] for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * step) * features.shape[2] * features.shape[3]
        assert maps[0, :, row, column] == pytest.approx(slope, rel=0.05, abs=float(0.02 * np.abs(slope).max() + 1e-3))
    result = Localizer(made.path, threads=1).locate(pixels)
    assert result.maps == "linearised"
    assert result.to_dict()["maps"] == "linearised"


@pytest.mark.parametrize("end", [*NORMALISED.values(), BATCH_OF_THE_IMAGE], ids=[*NORMALISED, "a view"])
def test_more_linearised_heads(end: str, tmp_path: Path) -> None:
    """Behind a normalisation, the slope is that at the normalised vector, divided by the image's own scale."""
    made = attach(saved(classifier(end), tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.maps == "linearised"
    assert made.proof.difference < 1e-6
    assert made.proof.slopes is not None
    assert made.proof.slopes < 0.05


def test_the_slope_behind_a_normalisation(tmp_path: Path) -> None:
    end = NORMALISED["tanh, as MaxViT"]
    made = attach(saved(classifier(end), tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    pixels = np.random.default_rng(3).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    (maps,) = run(made.path, pixels, "class_maps")
    features = features_of(classifier(end), "f", pixels)[0][0]
    pooled = features.mean(axis=(1, 2))
    scale = np.sqrt(pooled.var() + 1e-5)
    bent = ((pooled - pooled.mean()) / scale * WEIGHTS["gain"] + WEIGHTS["shift"]) @ WEIGHTS["u"]
    rows = (WEIGHTS["v"].T * (1 - np.tanh(bent) ** 2)) @ WEIGHTS["u"].T * WEIGHTS["gain"] / scale
    expected = np.tensordot(rows - rows.mean(axis=1, keepdims=True), features, 1)
    assert maps[0] == pytest.approx(expected, rel=1e-2, abs=float(1e-2 * np.abs(expected).max()))


@pytest.mark.parametrize(("end", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(end: str, reason: str, tmp_path: Path) -> None:
    path = saved(classifier(end), tmp_path)
    with pytest.raises(NetworkError, match=re.escape(reason)):
        attach(path, tmp_path / "out.onnx", input_size=SIZE)
    assert list(tmp_path.iterdir()) == [path]


def test_maximum_pooling_when_asked_for(tmp_path: Path) -> None:
    path = saved(classifier(REFUSED["maximum"][0]), tmp_path)
    made = attach(path, tmp_path / "out.onnx", input_size=SIZE, allow_max_pool=True)
    assert made.card.maps == "max-pooled"
    assert made.proof.bit_for_bit


def test_average_pooling_over_the_whole_map_takes_other_sizes(tmp_path: Path) -> None:
    model = classifier(
        "p4 = AveragePool <kernel_shape = [2, 2]> (f)\n p = Flatten (p4)\n y = Gemm <transB = 1> (p, w, b)"
    )
    for dim, value in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], SIZE, strict=True):
        dim.dim_value = value
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx")
    assert made.card.fixed_size is None
    assert made.proof.difference < 1e-6


def test_a_fixed_size(tmp_path: Path) -> None:
    """A network that is made for one size: images are squeezed to it, and presets look once."""
    end = "k = Reshape (f, shape)\n g = Add (k, place)\n p4 = GlobalAveragePool (g)\n p = Flatten (p4)\n"
    model = classifier(
        end + "y = Gemm <transB = 1> (p, w, b)",
        shape=np.array([1, 6, 2, 2], np.int64),
        place=np.ones((1, 6, 2, 2), np.float32),
    )
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", input_size=SIZE)
    assert made.card.fixed_size == SIZE
    assert ModelFile(made.path).card.fixed_size == SIZE
    found = Localizer(made.path, preset="best").locate(random.integers(0, 256, (50, 200, 3)).astype(np.uint8))
    class_map = found.predictions[0].class_map
    assert class_map is not None
    assert class_map.shape == (4, 4)
    assert "at 64 x 64" in measure(made.path)
    assert {each.min_probability for each in made.card.presets.values()} == {0.5 / CLASSES}
    network = ModelFile(made.path)
    pixels = random.integers(0, 256, (50, 200, 3)).astype(np.uint8)
    assert 0 <= faithfulness(network, Localizer(network, "fast"), pixels).drop <= 1


def test_keras_input(tmp_path: Path) -> None:
    """Channels last, in the order BGR."""
    model = classifier(EXACT["gemm"])
    model.graph.input[0].name = "images"
    model.graph.node.insert(0, helper.make_node("Transpose", ["images"], ["x"], perm=[0, 3, 1, 2]))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[1].dim_param, dims[3].dim_value = "h", 3
    dims[2].dim_param = "w"
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="keras-caffe", input_size=SIZE)
    assert made.proof.difference < 1e-6
    pixels = random.integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    planes = (pixels.astype(np.float32) - [123.68, 116.779, 103.939])[..., ::-1].transpose(2, 0, 1)[None]
    session = ort.InferenceSession(classifier(EXACT["gemm"]).SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": np.ascontiguousarray(planes, np.float32)})
    assert run(made.path, pixels, "logits")[0] == pytest.approx(expected, rel=1e-4)


def test_shapes_that_cannot_be_inferred(tmp_path: Path) -> None:
    """Channels are shuffled through shapes that are computed, in a way that shape inference does not follow."""
    end = """
    s0 = Shape (f)
    s1 = Cast <to = 1> (s0)
    s2 = Mul (s1, half)
    s3 = Cast <to = 7> (s2)
    c = Gather <axis = 0> (s3, place)
    s = Shape <start = 2> (f)
    wide = Concat <axis = 0> (head, c, s)
    r = Reshape (f, wide)
    t = Transpose <perm = [0, 2, 1, 3, 4]> (r)
    back = Concat <axis = 0> (keep, s)
    g = Reshape (t, back)
    p = ReduceMean <keepdims = 0> (g, space)
    """
    model = classifier(
        end + "y = Gemm <transB = 1> (p, w, b)",
        half=np.array(0.5, np.float32),
        place=np.array([1], np.int64),
        head=np.array([0, 2], np.int64),
        keep=np.array([0, CHANNELS], np.int64),
    )
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", input_size=SIZE)
    assert made.proof.difference < 1e-6
    assert made.card.fixed_size is None


def test_stages_of_cells_with_a_way_past(tmp_path: Path) -> None:
    """As in NASNet, where no feature map is passed by all: concatenations are the ends of cells."""
    graph = parser.parse_graph("""
cells (float[N, 3, h, w] x) => (float[N, K] y) {
    c1 = Conv <strides = [4, 4], pads = [1, 1, 1, 1], kernel_shape = [5, 5]> (x, w1)
    c2 = Conv <strides = [2, 2], pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (c1, w2)
    p2 = AveragePool <strides = [2, 2], kernel_shape = [2, 2]> (c1)
    j2 = Concat <axis = 1> (c2, p2)
    c3 = Conv <strides = [2, 2], pads = [1, 1, 1, 1], kernel_shape = [3, 3]> (j2, w3)
    p3 = AveragePool <strides = [4, 4], kernel_shape = [4, 4]> (c1)
    j3 = Concat <axis = 1> (c3, p3)
    p4 = AveragePool <strides = [4, 4], kernel_shape = [4, 4]> (j2)
    q4 = AveragePool <strides = [2, 2], kernel_shape = [2, 2]> (j3)
    f = Concat <axis = 1> (p4, q4)
    p = ReduceMean <keepdims = 0> (f, space)
    y = MatMul (p, wt)
}""")
    shapes = {"w1": (4, 3, 5, 5), "w2": (5, 4, 3, 3), "w3": (6, 9, 3, 3), "wt": (19, CLASSES)}
    weights = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    graph.initializer.append(numpy_helper.from_array(WEIGHTS["space"], "space"))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", input_size=SIZE)
    assert made.stages == ("stride 8, 9 channels", "stride 16, 10 channels", "stride 32, 19 channels")
    assert made.proof.difference < 1e-6


def test_windows_along_the_batch_are_no_stage(tmp_path: Path) -> None:
    """Transformers attend within windows that they lay along the batch (Hiera)."""
    model = classifier(EXACT["gemm"])
    (relu,) = [node for node in model.graph.node if node.output[0] == "r2"]
    relu.input[0], relu.output[0] = "apart", "apart_relu"
    place = list(model.graph.node).index(relu)
    model.graph.node.insert(place, helper.make_node("Reshape", ["c2", "windows"], ["apart"]))
    model.graph.node.insert(place + 2, helper.make_node("Reshape", ["apart_relu", "whole"], ["r2"]))
    for name, shape in (("windows", (4, 5, 4, 4)), ("whole", (1, 5, 8, 8))):
        model.graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), name))
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.fixed_size == SIZE
    assert "stride 16, 5 channels" not in made.stages


def test_nodes_out_of_order(tmp_path: Path) -> None:
    """Converters to float16 append their casts at the end; ONNX Runtime does not mind."""
    model = classifier(EXACT["gemm"])
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes[::-1])
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.maps == "exact"


def test_an_old_opset_is_converted(tmp_path: Path) -> None:
    model = classifier(EXACT["gemm"], opset=11)
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", input_size=SIZE)
    assert made.converted_from == 11
    assert made.proof.difference < 1e-6


def test_several_outputs(tmp_path: Path) -> None:
    model = classifier(EXACT["gemm"])
    model.graph.output.append(helper.make_tensor_value_info("p", onnx.TensorProto.FLOAT, ["N", 6]))
    path = saved(model, tmp_path)
    with pytest.raises(NetworkError, match=r"2 outputs \(y, p\); choose one with --output"):
        attach(path, tmp_path / "out.onnx")
    assert attach(path, tmp_path / "out.onnx", output="y", input_size=SIZE).proof.bit_for_bit


def test_labels(tmp_path: Path) -> None:
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    with pytest.raises(NetworkError, match="2 labels for 5 classes"):
        attach(path, tmp_path / "out.onnx", labels=["a", "b"])
    made = attach(path, tmp_path / "out.onnx", labels=list("abcde"), input_size=SIZE)
    assert ModelFile(made.path).card.labels == tuple("abcde")


def test_a_single_logit_means_sigmoid(tmp_path: Path) -> None:
    """A softmax over one class is 100 % whatever there is to see."""
    path = saved(classifier(EXACT["gemm"], w=WEIGHTS["w"][:1], b=WEIGHTS["b"][:1]), tmp_path)
    made = attach(path, tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.activation == "sigmoid"
    found = Localizer(made.path, "fast").locate(random.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    assert 0 < found.predictions[0].probability < 1
    with pytest.raises(NetworkError, match="--activation sigmoid"):
        attach(path, tmp_path / "out.onnx", activation="softmax", input_size=SIZE)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
def test_an_activation_by_name(activation: Activation, tmp_path: Path) -> None:
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    made = attach(path, tmp_path / "out.onnx", activation=activation, input_size=SIZE)
    assert made.card.activation == activation
    top = Localizer(made.path, "fast").locate(random.integers(0, 256, (64, 64, 3)).astype(np.uint8), top=CLASSES)
    assert all(0 <= each.probability <= 1 for each in top.predictions)


def test_what_is_not_finite_is_refused(tmp_path: Path) -> None:
    """Maps alone, too: the slope of a logarithm near zero, where the logit is well."""
    log = "e = Add (p, tiny)\n r = Log (e)\n" + EXACT["gemm"].split("\n")[-1].replace("(p,", "(r,")
    end = "\n".join(EXACT["gemm"].split("\n")[:-1]) + "\n" + log
    path = saved(classifier(end, tiny=np.array(1e-3, np.float32), w4=WEIGHTS["w4"] / 1000), tmp_path)
    with pytest.raises(NetworkError, match="would not be finite"):
        attach(path, tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    path = saved(classifier(EXACT["gemm"], b=np.array([0, 1, np.nan, 0, 0], np.float32)), tmp_path)
    with pytest.raises(NetworkError, match="not finite"):
        attach(path, tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert list(tmp_path.iterdir()) == [path]


def test_the_classifier_is_not_written_over(tmp_path: Path) -> None:
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    before = path.read_bytes()
    with pytest.raises(NetworkError, match="the classifier itself, which would be lost"):
        attach(path, tmp_path / "." / path.name, input_size=SIZE)
    assert path.read_bytes() == before


def test_channels_that_are_elsewhere(tmp_path: Path) -> None:
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    with pytest.raises(NetworkError, match="channels are not where --layout nhwc says"):
        attach(path, tmp_path / "out.onnx", layout="nhwc")


def test_a_size_of_nothing(tmp_path: Path) -> None:
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    with pytest.raises(NetworkError, match="input size 0 x 64"):
        attach(path, tmp_path / "out.onnx", input_size=(0, 64))


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = saved(classifier(EXACT["gemm"]), tmp_path)
    with pytest.raises(NetworkError, match="cannot be written"):
        attach(path, tmp_path / "file" / "out.onnx", input_size=SIZE)


def test_weights_in_a_file_beside(tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    onnx.save(classifier(EXACT["gemm"]), path, save_as_external_data=True, location="small.bin", size_threshold=0)
    made = attach(path, tmp_path / "elsewhere" / "out.onnx", input_size=SIZE)
    assert made.proof.bit_for_bit
    assert ModelFile(made.path).card.maps == "exact"


def test_files_that_are_too_large(tmp_path: Path) -> None:
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(2**31)  # takes no room on the disk
    with pytest.raises(NetworkError, match=r"2\.1 GB \(an ONNX file holds at most 2 GB\)"):
        attach(tmp_path / "large.onnx", tmp_path / "out.onnx")


@pytest.mark.parametrize(
    ("text", "mean", "std"),
    [
        ("mean=1,2,3,std=4,5,6", (1, 2, 3), (4, 5, 6)),
        ("mean=0, std=1", (0, 0, 0), (1, 1, 1)),
        ("mean=0.5,std=0.25", (127.5, 127.5, 127.5), (63.75, 63.75, 63.75)),  # as PyTorch has them, of 0-1
    ],
)
def test_preprocessing_in_numbers(text: str, mean: Triple, std: Triple) -> None:
    assert parse_preprocessing(text) == Preprocessing(mean, std)


def test_operations(tmp_path: Path) -> None:
    made = attach(saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "out.onnx", input_size=SIZE)
    # Grids of 64 / 4 = 16, 8, 4 and 2; filters of 5 x 5 and 3 x 3; one dense layer.
    convolutions = 16 * 16 * 4 * 75 + 8 * 8 * 5 * 36 + 4 * 4 * 6 * 45 + 2 * 2 * 6 * 54
    assert multiplications(onnx.load(made.path), SIZE) == convolutions + 6 * CLASSES


def test_operations_of_the_embedded_model() -> None:
    """Its padding is computed as it runs; the paper says 407 million with the additions of its batch normalisation."""
    counted = multiplications(onnx.load(models()[DEFAULT_MODEL]), (224, 224))
    assert counted == pytest.approx(390e6, rel=0.03)


def test_files_that_are_no_classifiers(tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    model = classifier(EXACT["gemm"])
    made = attach(saved(model, tmp_path), tmp_path / "attached.onnx", input_size=SIZE)
    text, empty = tmp_path / "text.onnx", tmp_path / "empty.onnx"
    text.write_text("no network at all")
    empty.write_bytes(b"")
    looped = classifier(
        "p4 = GlobalAveragePool (f)\n p = Flatten (p4)\n z = Gemm <transB = 1> (p, w, b)\n y = Identity (z)"
    )
    branch = helper.make_graph(
        [helper.make_node("Identity", ["z"], ["same"])],
        "branch",
        [],
        [helper.make_tensor_value_info("same", onnx.TensorProto.FLOAT, None)],
    )
    looped.graph.initializer.append(numpy_helper.from_array(np.array(True), "yes"))
    looped.graph.node[-1].CopyFrom(helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch))
    outside = tmp_path / "outside.onnx"
    onnx.save(model, outside, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    for path, reason in (
        (tmp_path / "none.onnx", "no such file"),
        (text, "not an ONNX file"),
        (empty, "not an ONNX file"),
        (made.path, "a boxless model already"),
        (saved(looped, tmp_path, "if"), "dynamic control flow (If)"),
        (outside, "weights.bin, missing beside it"),
    ):
        with pytest.raises(NetworkError, match=re.escape(reason)):
            attach(path, out)
    assert not out.exists()


def test_a_wrong_preprocessing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="preprocessing 'vgg'"):
        attach(saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "out.onnx", preprocess="vgg")


def test_pixels_of_the_wrong_scale_are_noticed(tmp_path: Path, images: Path) -> None:
    model = classifier(EXACT["gemm"])
    paths = sorted(images.glob("*.jpg"))
    path = saved(model, tmp_path)
    made = attach(path, tmp_path / "out.onnx", preprocess="none", images=paths, input_size=SIZE)
    assert made.proof.real
    assert any("on all 3 images" in warning for warning in made.proof.warnings)


TOKENS = """
    e = Conv <strides = [16, 16], kernel_shape = [16, 16]> (x, patch)
    r = Reshape (e, row_of)
    t = Transpose <perm = [0, 2, 1]> (r)
    k = Transpose <perm = [0, 2, 1]> (t)
    s = MatMul (t, k)
    a = Softmax (s)
    m = MatMul (a, t)
    n = Add (t, m)
    f = LayerNormalization (n, gain, shift)
"""


def transformer(end: str) -> onnx.ModelProto:
    """Patches, one layer of attention, a normalisation, and an end."""
    text = '<ir_version: 8, opset_import: ["" : 18]> vit (float[N, 3, h, w] x) => (float[N, K] y) {'
    model = parser.parse_model(f"{text}{TOKENS}{end}}}")
    values = {
        **WEIGHTS,
        "patch": np.random.default_rng(5).normal(size=(CHANNELS, 3, 16, 16)).astype(np.float32) / 16,
        "row_of": np.array([0, CHANNELS, -1], np.int64),
        "one_axis": np.array([1], np.int64),
    }
    used = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in values.items() if name in used)
    return model


@pytest.mark.parametrize(
    "end",
    [
        "p = ReduceMean <keepdims = 0> (f, one_axis)\n y = Gemm <transB = 1> (p, w, b)",
        "c = Transpose <perm = [0, 2, 1]> (f)\n g = GlobalAveragePool (c)\n p = Flatten (g)\n "
        "y = Gemm <transB = 1> (p, w, b)",
        "q = ReduceMean <keepdims = 0> (f, one_axis)\n p = LayerNormalization (q, gain, shift)\n"
        "y = Gemm <transB = 1> (p, w, b)",
    ],
    ids=["mean", "pooled, as Swin", "normalised behind"],
)
def test_a_transformer_that_averages(end: str, tmp_path: Path) -> None:
    """The mean over tokens is average pooling on their grid."""
    made = attach(saved(transformer(end), tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=(64, 96))
    assert made.card.maps == "exact"
    assert made.card.fixed_size is None
    pixels = np.full((64, 96, 3), 127, np.uint8)
    pixels[16:32, 64:80] = np.random.default_rng(0).integers(0, 256, (16, 16, 3))
    (maps,) = run(made.path, pixels, "class_maps")
    assert maps.shape == (1, CLASSES, 4, 6)
    # The token that differs stands where its patch is.
    unlike = np.abs(maps[0] - np.median(maps[0], axis=(1, 2), keepdims=True)).sum(axis=0)
    assert np.unravel_index(unlike.argmax(), unlike.shape) == (1, 4)


def test_a_class_token_is_refused(tmp_path: Path) -> None:
    end = "c = Gather <axis = 1> (f, none)\n y = Gemm <transB = 1> (c, w, b)"
    model = transformer(end)
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.int64), "none"))
    with pytest.raises(NetworkError, match="a class token"):
        attach(saved(model, tmp_path), tmp_path / "out.onnx", input_size=(64, 96))
