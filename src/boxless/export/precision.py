"""Classifiers that compute in float16 or in eight bits.

Half precision becomes float32: processors have no kernels for it, and maps would be rounded. A network in eight bits
stays as it is up to its last feature map; behind that it computes in float32, as what `boxless quantize` writes does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxless.export.flow import Flow, attributes

HALF = frozenset([TensorProto.FLOAT16, TensorProto.BFLOAT16])

_BITS = frozenset(["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"])

# What an operator on eight-bit numbers is in float32, and how many of its operands come with a scale and a zero point.
_QUANTIZED = {
    "QLinearConv": ("Conv", 2),
    "QLinearMatMul": ("MatMul", 2),
    "QGemm": ("Gemm", 2),
    "QLinearAdd": ("Add", 2),
    "QLinearMul": ("Mul", 2),
    "QLinearGlobalAveragePool": ("GlobalAveragePool", 1),
    "QLinearAveragePool": ("AveragePool", 1),
    "QLinearReduceMean": ("ReduceMean", 1),
    "QLinearSigmoid": ("Sigmoid", 1),
    "QLinearLeakyRelu": ("LeakyRelu", 1),
    "QLinearSoftmax": ("Softmax", 1),
}
_UNUSED = "_boxless_unused"
_MIXING = frozenset(["Gemm", "MatMul", "Conv", "MatMulInteger"])
_OWN = frozenset(["channels_last", "opset", "alpha_from"])
"""Attributes that the operators in float32 do not have."""


def in_float32(model: onnx.ModelProto) -> str | None:
    """Makes a model compute in float32 where it computes in half precision, and eight-bit operators standard ones.

    Returns what it computed in, "float16" or "int8"; None if that is float32 throughout.
    """
    had_half = _without_half(model)
    _standard(model.graph)
    if any(node.op_type in _BITS for node in model.graph.node):
        return "int8"
    return "float16" if had_half else None


def dequantize(nodes: Iterable[onnx.NodeProto], flow: Flow) -> None:
    """Makes nodes of a graph compute in float32 that compute in eight bits, with the same weights."""
    nodes = list(nodes)
    del flow.graph.value_info[:]  # the types of what is changed here would be wrong
    mixing = [i for i, node in enumerate(nodes) if node.op_type in _MIXING] or [0]
    for i, node in enumerate(nodes):
        if node.op_type == "DequantizeLinear" and node.input[0] in flow.from_image:
            node.CopyFrom(helper.make_node("Identity", node.input[:1], node.output[:1]))
        elif node.op_type == "QuantizeLinear" and node.input[0] in flow.from_image:
            # Between two layers, one whose least number is zero is a ReLU too: quantizers take that away.
            kind = "Relu" if mixing[0] < i < mixing[-1] and _from_zero(node, flow) else "Identity"
            node.CopyFrom(helper.make_node(kind, node.input[:1], node.output[:1]))
        elif node.op_type == "MatMulInteger":
            _matmul(node, flow)


def _from_zero(node: onnx.NodeProto, flow: Flow) -> bool:
    """Whether a QuantizeLinear makes zero of whatever is negative."""
    zero = flow.constant(node.input[2]) if len(node.input) > 2 else np.zeros((), np.uint8)
    return zero is not None and zero.dtype.kind in "iu" and bool((zero == np.iinfo(str(zero.dtype)).min).all())


def _matmul(node: onnx.NodeProto, flow: Flow) -> None:
    """Makes MatMulInteger of a DynamicQuantizeLinear a MatMul of what that takes.

    Its result is multiplied afterwards with the scale that was computed from the image, which becomes 1.
    """
    quantized = flow.maker.get(node.input[0])
    weight = flow.constant(node.input[1])
    zero = flow.constant(node.input[3]) if len(node.input) > 3 and node.input[3] else np.zeros((), np.int32)
    if quantized is None or quantized.op_type != "DynamicQuantizeLinear" or weight is None or zero is None:
        return
    name = f"{node.output[0]}_weight"
    flow.initializers[name] = numpy_helper.from_array(weight.astype(np.float32) - zero.astype(np.float32), name)
    flow.graph.initializer.append(flow.initializers[name])
    node.CopyFrom(helper.make_node("MatMul", [quantized.input[0], name], node.output[:1]))
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    scale = quantized.output[1]
    if scale.endswith(_UNUSED):  # two layers take the same numbers
        return
    constant = helper.make_node("Constant", [], [scale], value=one)
    quantized.output[1] = f"{scale}{_UNUSED}"
    flow.insert(constant, quantized)


def _without_half(model: onnx.ModelProto) -> bool:
    graph, had = model.graph, False
    constants = [each.t for node in graph.node for each in node.attribute if each.HasField("t")]
    for tensor in [*graph.initializer, *constants]:
        if tensor.data_type in HALF:
            had = True
            value = np.asarray(numpy_helper.to_array(tensor), np.float32)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i in HALF:
                had = True
                attribute.i = TensorProto.FLOAT
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in HALF:
            had = True
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    if had:
        del graph.value_info[:]
    return had


def _standard(graph: onnx.GraphProto) -> None:
    """Writes QLinearConv and its kind as their operands dequantized, the operator, and its result quantized."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes = list(graph.node)
    if not any(node.op_type in _QUANTIZED or node.op_type == "QLinearConcat" for node in nodes):
        return
    del graph.node[:]
    for node in nodes:
        if node.op_type in _QUANTIZED or node.op_type == "QLinearConcat":
            graph.node.extend(_expanded(node, tensors, graph))
        else:
            graph.node.append(node)


def _expanded(
    node: onnx.NodeProto, tensors: dict[str, onnx.TensorProto], graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """The standard nodes of an eight-bit one, in their order."""
    made: list[onnx.NodeProto] = []
    output, inputs = node.output[0], [*node.input, "", "", ""]
    settings: dict[str, Any] = {name: value for name, value in attributes(node).items() if name not in _OWN}

    def real(first: int, axis: int | None = None) -> str:
        """An operand, dequantized: its numbers, scale and zero point are three of the inputs."""
        name, scale, zero = inputs[first : first + 3]
        several = scale in tensors and int(np.prod(tensors[scale].dims)) > 1
        by_axis: dict[str, Any] = {"axis": axis} if several and axis is not None else {}
        found = f"{output}_{len(made)}_real"
        made.append(helper.make_node("DequantizeLinear", [name, scale, *filter(None, [zero])], [found], **by_axis))
        return found

    if node.op_type == "QLinearConcat":
        kind, ends = "Concat", inputs[:2]
        operands = [real(i) for i in range(2, len(inputs) - 3, 3)]
    else:
        kind, count = _QUANTIZED[node.op_type]
        axis = {"Conv": 0, "MatMul": 1, "Gemm": 0 if settings.get("transB") else 1}.get(kind)
        operands = [real(3 * i, axis if i else None) for i in range(count)]
        rest = inputs[3 * count :]
        bias, ends = (rest[0], rest[1:3]) if kind == "Gemm" else (rest[2] if kind == "Conv" else "", rest[:2])
        if bias:  # of 32 bits, its scale the product of the operands' scales
            value, *scales = (numpy_helper.to_array(tensors[each]) for each in (bias, inputs[1], inputs[4]))
            value = np.asarray(value, np.float32) * np.asarray(scales[0] * scales[1], np.float32)
            operands.append(f"{output}_bias_real")
            graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), operands[-1]))
    result = f"{output}_float" if ends[0] else output
    made.append(helper.make_node(kind, operands, [result], **settings))
    if ends[0]:
        made.append(helper.make_node("QuantizeLinear", [result, *filter(None, ends)], [output]))
    return made
