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
            graph.node.extend(_Expanded(node, tensors, graph).nodes())
        else:
            graph.node.append(node)


class _Expanded:
    """The standard nodes of an eight-bit one."""

    def __init__(self, node: onnx.NodeProto, tensors: dict[str, onnx.TensorProto], graph: onnx.GraphProto) -> None:
        self._node, self._tensors, self._graph = node, tensors, graph
        self._name = node.output[0]
        self._made: list[onnx.NodeProto] = []

    def nodes(self) -> list[onnx.NodeProto]:
        """In their order."""
        inputs = [*self._node.input, "", "", ""]
        settings: dict[str, Any] = {name: value for name, value in attributes(self._node).items() if name not in _OWN}
        if self._node.op_type == "QLinearConcat":
            kind, ends = "Concat", inputs[:2]
            operands = [self._real(inputs[i : i + 3], None) for i in range(2, len(inputs) - 3, 3)]
        else:
            kind, count = _QUANTIZED[self._node.op_type]
            axis = {"Conv": 0, "MatMul": 1, "Gemm": 0 if settings.get("transB") else 1}.get(kind)
            operands = [self._real(inputs[3 * i : 3 * i + 3], axis if i else None) for i in range(count)]
            rest = inputs[3 * count :]
            if kind == "Gemm":
                operands += [self._bias(rest[0], inputs)] if rest[0] else []
                ends = rest[1:3]
            else:
                ends = rest[:2]
                operands += [self._bias(rest[2], inputs)] if kind == "Conv" and rest[2] else []
        result = f"{self._name}_float" if ends[0] else self._name
        self._made.append(helper.make_node(kind, operands, [result], **settings))
        if ends[0]:
            self._made.append(helper.make_node("QuantizeLinear", [result, *filter(None, ends)], [self._name]))
        return self._made

    def _real(self, operand: list[str], axis: int | None) -> str:
        real = f"{self._name}_{len(self._made)}_real"
        name, scale, zero = operand
        by_axis: dict[str, Any] = {} if axis is None or not self._several(scale) else {"axis": axis}
        self._made.append(helper.make_node("DequantizeLinear", [name, scale, *filter(None, [zero])], [real], **by_axis))
        return real

    def _several(self, scale: str) -> bool:
        return scale in self._tensors and int(np.prod(self._tensors[scale].dims)) > 1

    def _bias(self, name: str, inputs: list[str]) -> str:
        """A bias of 32 bits, whose scale is the product of the operands' scales."""
        real = f"{self._name}_bias_real"
        one, other = (numpy_helper.to_array(self._tensors[each]) for each in (inputs[1], inputs[4]))
        value = np.asarray(numpy_helper.to_array(self._tensors[name]), np.float32) * np.asarray(one * other, np.float32)
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), real))
        return real
