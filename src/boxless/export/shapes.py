"""The shapes of a graph's tensors for one image: inferred, or measured where inference loses sight of them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from boxless.errors import NetworkError
from boxless.export.flow import Flow
from boxless.models.arena import bounded

Shapes = dict[str, tuple[int, ...]]

_SMALL = 1024
"""Weights of more numbers than this are left out: no shape depends on their values."""

_MAX_TENSOR = 2**31
"""Bytes of a tensor for one image. A graph is a program from a stranger: small files can ask for endless work."""


def shapes(model: onnx.ModelProto, entry: str, shape: Sequence[int], goal: str) -> Shapes:
    """The shapes of all tensors that are known, for an image tensor of that shape.

    Where some that everything goes through, to the `goal`, cannot be inferred (as behind a reshape to a shape that is
    computed), the graph is run once without its weights, and asked.

    Raises:
        NetworkError: if a tensor is larger than a classifier needs.
    """
    light = _weightless(model, entry, shape)
    known = _inferred(light)
    for name, dims in known.items():
        if 4 * math.prod(dims) > _MAX_TENSOR:
            words = " x ".join(map(str, dims))
            raise NetworkError(f"its tensor {name} takes {4 * math.prod(dims) / 1e9:.0f} GB for one image ({words})")
    flow = Flow(model.graph, entry)
    if any(name not in known for name in flow.cuts(goal)):
        names = [name for node in flow.nodes_to([goal]) for name in node.output if name in flow.from_image]
        # A graph that cannot run is reported when the whole model is checked.
        with contextlib.suppress(RuntimeError):
            known |= measured(light, names, {entry: np.zeros(shape, np.float32)})
    return known


def measured(model: onnx.ModelProto, names: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> Shapes:
    """The shapes that tensors have in a run of a model, which has no other outputs afterwards.

    Raises:
        RuntimeError: if ONNX Runtime cannot run it.
    """
    asked = {name: f"{name}_shape_asked" for name in names}
    model.graph.node.extend(helper.make_node("Shape", [name], [shape]) for name, shape in asked.items())
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.INT64, [None]) for name in asked.values())
    options = bounded(ort.SessionOptions())
    options.log_severity_level = 4
    # Weights that are made as the graph runs would be made before, and kept.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_cpu_mem_arena = False
    try:
        opened = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        found = opened.run(list(asked.values()), dict(feed))
    # ONNX Runtime's errors have no common class of their own.
    except Exception as error:
        raise RuntimeError(str(error)) from None
    return {name: tuple(map(int, dims)) for name, dims in zip(asked, found, strict=True)}


def _weightless(model: onnx.ModelProto, entry: str, shape: Sequence[int]) -> onnx.ModelProto:
    """A copy that takes images of that shape, whose large weights are zeros, made as the graph runs."""
    copy = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    copy.graph.name = "weightless"
    for tensor in model.graph.initializer:
        if np.prod(tensor.dims) > _SMALL:
            dims = f"{tensor.name}_dims"
            copy.graph.initializer.append(numpy_helper.from_array(np.array(tensor.dims, np.int64), dims))
            zero = helper.make_tensor("zero", tensor.data_type, [1], [0])
            copy.graph.node.append(helper.make_node("ConstantOfShape", [dims], [tensor.name], value=zero))
        else:
            copy.graph.initializer.append(tensor)
    copy.graph.node.extend(model.graph.node)
    kind = next(value.type.tensor_type.elem_type for value in model.graph.input if value.name == entry)
    copy.graph.input.append(helper.make_tensor_value_info(entry, kind, shape))
    for output in model.graph.output:
        copy.graph.output.append(onnx.ValueInfoProto(name=output.name, type=output.type))
        copy.graph.output[-1].type.tensor_type.ClearField("shape")
    return copy


def _inferred(model: onnx.ModelProto) -> Shapes:
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    known = {}
    for value in (*inferred.value_info, *inferred.output, *inferred.input):
        dims = value.type.tensor_type.shape.dim
        if value.type.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims):
            known[value.name] = tuple(dim.dim_value for dim in dims)
    return known
