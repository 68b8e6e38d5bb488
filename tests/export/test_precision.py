"""Classifiers that do not compute in float32: attached with their answer kept, within what they round."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from tests.export.small import EXACT, LINEARISED, WEIGHTS, classifier, saved

from boxless import Localizer
from boxless.export import attach

SIZE = (64, 64)
ENDS = {
    name: EXACT[name]
    for name in (
        *("gemm", "softmax", "channels last", "1 x 1 convolution behind", "two dense layers"),
        "a view with the batch of the feature map",
    )
}
ENDS |= {"relu": LINEARISED["relu"]}


class Smooth(CalibrationDataReader):  # type: ignore[misc]
    """Inputs as the proof shows them."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        cells = [random.normal(size=(n, n, 3)).astype(np.float32) for n in (2, 4, 5, 8, 10, 16) for _ in range(5)]
        self._feeds = iter([{"x": cv2.resize(each, SIZE).transpose(2, 0, 1)[None]} for each in cells])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._feeds, None)


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("end", ENDS)
def test_eight_bits(end: str, form: str, tmp_path: Path) -> None:
    path, quantized = saved(classifier(ENDS[end]), tmp_path), tmp_path / "int8.onnx"
    quantize_static(path, quantized, Smooth(), quant_format=QuantFormat[form], per_channel=True, reduce_range=True)
    made = attach(quantized, tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.rounded == "int8"
    assert made.card.maps == ("linearised" if end == "relu" else "exact")
    assert made.card.fixed_size is None
    kinds = {node.op_type for node in onnx.load(made.path).graph.node}
    assert "QuantizeLinear" in kinds  # the network's own kernels
    found = Localizer(made.path).locate(np.random.default_rng(1).integers(0, 256, (90, 120, 3)).astype(np.uint8))
    assert found.predictions[0].class_map is not None


def test_eight_bits_with_types_in_the_file(tmp_path: Path) -> None:
    """Those of what is computed in float32 once it is attached."""
    path, quantized = saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "int8.onnx"
    quantize_static(path, quantized, Smooth(), quant_format=QuantFormat.QDQ)
    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(quantized)), quantized)
    made = attach(quantized, tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert (made.card.maps, made.rounded) == ("exact", "int8")


def test_weights_that_are_quantized_in_the_graph(tmp_path: Path) -> None:
    model = classifier(EXACT["layer normalisation"].replace("gain,", "real,"))
    for node in (
        helper.make_node("QuantizeLinear", ["gain", "scale"], ["bits"]),
        helper.make_node("DequantizeLinear", ["bits", "scale"], ["real"]),
    )[::-1]:
        model.graph.node.insert(0, node)
    for name, value in (("gain", WEIGHTS["gain"]), ("scale", np.float32(0.01))):
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert made.card.maps == "exact"


def test_eight_bits_whose_ranges_are_found_as_it_runs(tmp_path: Path) -> None:
    quantize_dynamic(saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "int8.onnx")
    made = attach(tmp_path / "int8.onnx", tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert (made.card.maps, made.rounded) == ("exact", "int8")


@pytest.mark.parametrize("outside", [TensorProto.FLOAT, TensorProto.FLOAT16])
@pytest.mark.parametrize("end", ["gemm", "layer normalisation", "softmax"])
def test_half_precision(end: str, outside: int, tmp_path: Path) -> None:
    """Inside only, between two casts, or from the input to the output."""
    model = classifier(EXACT[end])
    graph = model.graph
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float16), tensor.name))
    graph.input[0].type.tensor_type.elem_type = graph.output[0].type.tensor_type.elem_type = outside
    if outside == TensorProto.FLOAT:
        for node in graph.node:
            node.input[:] = ["half" if name == "x" else name for name in node.input]
            node.output[:] = ["half_y" if name == "y" else name for name in node.output]
        graph.node.insert(0, helper.make_node("Cast", ["x"], ["half"], to=TensorProto.FLOAT16))
        graph.node.append(helper.make_node("Cast", ["half_y"], ["y"], to=TensorProto.FLOAT))
    made = attach(saved(model, tmp_path), tmp_path / "out.onnx", preprocess="tf", input_size=SIZE)
    assert (made.card.maps, made.rounded) == ("exact", "float16")
    assert made.proof.difference < 0.02
    assert not any(tensor.data_type == TensorProto.FLOAT16 for tensor in onnx.load(made.path).graph.initializer)
