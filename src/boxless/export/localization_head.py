"""Localization heads: layers beside the one that classifies, whose maps localize.

A `LocalizationHead` says how probably each cell of an image belongs to an object of a class. It is a linear layer on
single cells of the mid-level features, all resized to the grid of the finest of them. Linear layer and bilinear
resizing commute, so the graph applies each feature map's part of the layer on its own grid, and resizes what comes of
it: k maps instead of hundreds of channels. A `ClassMapHead` makes class maps of the last features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from boxless.export.assemble import append_part, tensor_info

Floats = NDArray[np.float32]

# One feature map's part in the logits of the chosen classes, on its own grid.
_PART = """
part (float[N, C, u, v] {name}_in, float[K, C] {name}_weight, int64[N, k] chosen) => (float[N, k, u, v] {name}_maps)
<int64[3] {name}_flat_shape = {{0, 0, -1}}, int64[2] {name}_keep = {{0, 0}}>
{{
    {name}_rows = Gather <axis = 0> ({name}_weight, chosen)
    {name}_flat = Reshape ({name}_in, {name}_flat_shape)
    {name}_flat_maps = MatMul ({name}_rows, {name}_flat)
    {name}_grid = Shape <start = 2, end = 4> ({name}_in)
    {name}_shape = Concat <axis = 0> ({name}_keep, {name}_grid)
    {name}_maps = Reshape ({name}_flat_maps, {name}_shape)
}}
"""

_PROBABILITIES = """
probabilities (float[N, k, u, v] localization_sum, float[K, 1, 1] localization_bias, int64[N, k] chosen)
    => (float[N, k, u, v] localization_maps)
{
    localization_offsets = Gather <axis = 0> (localization_bias, chosen)
    localization_logits = Add (localization_sum, localization_offsets)
    localization_maps = Sigmoid (localization_logits)
}
"""


@dataclass(frozen=True, eq=False)
class LocalizationHead:
    """probability of class k in a cell = sigmoid(sum over feature maps of weights[i][k] @ cell_i + bias[k]).

    Attributes:
        weights: (K, c) for each mid-level feature map of c channels.
        bias: (K,).
    """

    weights: tuple[Floats, ...]
    bias: Floats


@dataclass(frozen=True, eq=False)
class ClassMapHead:
    """Class maps at a scale at which another layer classifies better than the one that classifies the image.

    Attributes:
        weight: (K, C), of the last features; the rows of some classes may be of another layer than those of others.
    """

    weight: Floats


def append_class_map_head(graph: onnx.GraphProto, head: ClassMapHead, features: str) -> None:
    """Appends the output `localization_class_maps` float32 (N, k, h, w), in logits, of the `chosen` classes.

    It is made of the tensor `features` (N, C, h, w), the last ones.
    """
    name = "localization_class"
    graph.initializer.append(numpy_helper.from_array(head.weight, f"{name}_weight"))
    append_part(graph, _PART.format(name=name), **{f"{name}_in": features})
    graph.output.append(tensor_info(f"{name}_maps", TensorProto.FLOAT, "N", "k", "h", "w"))


def append_localization_head(graph: onnx.GraphProto, head: LocalizationHead, layers: Sequence[str]) -> None:
    """Appends the output `localization_maps` float32 (N, k, u, v), in [0, 1], of the `chosen` classes.

    It is made of the tensors `layers` (N, c, h, w), the finest first: its grid is that of the maps.
    """
    names = [f"localization_{i}" for i in range(len(layers))]
    for name, layer, part in zip(names, layers, head.weights, strict=True):
        graph.initializer.append(numpy_helper.from_array(part, f"{name}_weight"))
        append_part(graph, _PART.format(name=name), **{f"{name}_in": layer})
    finest, *coarser = names
    for name in coarser:
        resized = [f"{name}_maps", "", "", f"{finest}_grid"]
        graph.node.append(helper.make_node("Resize", resized, [f"{name}_fine"], mode="linear", axes=[2, 3]))
    summed = [f"{finest}_maps", *(f"{name}_fine" for name in coarser)]
    graph.node.append(helper.make_node("Sum", summed, ["localization_sum"]))
    graph.initializer.append(numpy_helper.from_array(head.bias[:, None, None], "localization_bias"))
    append_part(graph, _PROBABILITIES)
    graph.output.append(tensor_info("localization_maps", TensorProto.FLOAT, "N", "k", "u", "v"))
