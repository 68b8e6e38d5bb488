"""Puts a boxless model together: the image in front of a network, class maps and affinity behind it.

The added parts are written in ONNX's textual syntax, so that what runs is what you read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, parser

from boxless._version import __version__
from boxless.errors import NetworkError
from boxless.export.heads import FEATURES, Head
from boxless.models.card import METADATA_KEY, Card
from boxless.system.files import write_whole

OPSET = 18
_IR_VERSION = 10
NETWORK_PREFIX = "network/"
"""What comes from the network itself is named so; the parts around it are not."""

_HEADER = f'<ir_version: {_IR_VERSION}, opset_import: ["" : {OPSET}]>'

# image -> the network's input. `size` is the (height, width) that the network sees; an image of that size
# passes through untouched. `mean` and `std` hold one value for each of R, G and B.
_IMAGE = """
image (uint8[N, H, W, 3] image, int64[2] size) => (float[N, 3, in_h, in_w] picture_scaled)
<float[1, 3, 1, 1] picture_mean = {{{mean}}}, float[1, 3, 1, 1] picture_std = {{{std}}}>
{{
    picture_resized = Resize <mode = "linear", antialias = 1, axes = [1, 2]> (image, , , size)
    picture_planes = Transpose <perm = [0, 3, 1, 2]> (picture_resized)
    picture_floats = Cast <to = 1> (picture_planes)
    picture_centred = Sub (picture_floats, picture_mean)
    picture_scaled = Div (picture_centred, picture_std)
}}
"""

# `chosen` are the classes that the caller names, then the `top` most probable ones.
_CHOSEN = """
chosen (float[N, K] logits, int64[M] classes, int64[1] top) => (int64[N, k] chosen)
<int64[2] head_one_row = {1, -1}>
{
    head_best_logits, head_best = TopK <axis = 1> (logits, top)
    head_batch = Shape <start = 0, end = 1> (logits)
    head_named_count = Shape (classes)
    head_named_shape = Concat <axis = 0> (head_batch, head_named_count)
    head_row = Reshape (classes, head_one_row)
    head_named = Expand (head_row, head_named_shape)
    chosen = Concat <axis = 1> (head_named, head_best)
}
"""

# class_maps = W[chosen] @ F, so that mean_xy(class_maps) + b[chosen] = logits[chosen].
_CLASS_MAPS = """
class_maps (float[N, C, h, w] head_features, float[N, k, C] head_rows) => (float[N, k, h, w] class_maps)
<int64[3] head_flat_shape = {0, 0, -1}, int64[2] head_keep = {0, 0}>
{
    head_flat = Reshape (head_features, head_flat_shape)
    head_flat_maps = MatMul (head_rows, head_flat)
    head_grid = Shape <start = 2, end = 4> (head_features)
    head_maps_shape = Concat <axis = 0> (head_keep, head_grid)
    class_maps = Reshape (head_flat_maps, head_maps_shape)
}
"""

# One layer's part in the affinity, on one grid: resized to it, its mean over positions removed, at length one.
_LAYER = """
layer (float[N, C, h, w] {name}_in, int64[2] {name}_grid) => (float[N, C, P] {name}_unit)
<int64[3] {name}_flat_shape = {{0, 0, -1}}, int64[1] {name}_positions = {{2}}, int64[1] {name}_channels = {{1}},
 float {name}_tiny = {{1e-6}}>
{{
    {name}_resized = Resize <mode = "linear", antialias = 1, axes = [2, 3]> ({name}_in, , , {name}_grid)
    {name}_flat = Reshape ({name}_resized, {name}_flat_shape)
    {name}_mean = ReduceMean ({name}_flat, {name}_positions)
    {name}_centred = Sub ({name}_flat, {name}_mean)
    {name}_length = ReduceL2 ({name}_centred, {name}_channels)
    {name}_safe_length = Max ({name}_length, {name}_tiny)
    {name}_unit = Div ({name}_centred, {name}_safe_length)
}}
"""

# The affinity of fine to coarse positions: the sum over layers of the cosines of their features, clipped at zero,
# raised to the third power, rows summing to one. `boxless.maps.refine.affinity` is the same in NumPy.
_AFFINITY = """
affinity (float[N, C, P] fine_units, float[N, C, Q] coarse_units, int64[2] fine_grid, int64[2] coarse_grid)
    => (float[N, u, v, h, w] affinity)
<int64[1] affinity_columns = {2}, float affinity_tiny = {1e-6}, float affinity_power = {3.0},
 int64[1] affinity_batch = {0}>
{
    affinity_rows = Transpose <perm = [0, 2, 1]> (fine_units)
    affinity_cosine = MatMul (affinity_rows, coarse_units)
    affinity_positive = Relu (affinity_cosine)
    affinity_powered = Pow (affinity_positive, affinity_power)
    affinity_total = ReduceSum (affinity_powered, affinity_columns)
    affinity_safe_total = Max (affinity_total, affinity_tiny)
    affinity_flat = Div (affinity_powered, affinity_safe_total)
    affinity_shape = Concat <axis = 0> (affinity_batch, fine_grid, coarse_grid)
    affinity = Reshape (affinity_flat, affinity_shape)
}
"""


@dataclass(frozen=True)
class GapNetwork:
    """A network cut off before its pooling, and what is needed to put boxless around it.

    Attributes:
        model: an ONNX model, opset 18 or later: one input float32 (N, 3, h, w), any of its tensors as outputs.
        features: the name of the last feature map (N, C, h, w), the one that is averaged.
        head: from there to the logits; `dense` of one linear layer.
        layers: the names of mid-level feature maps (N, c, h', w') that the affinity is computed from; with none, the
            model has no affinity.
        grid: the one of `layers` whose positions are the affinity's fine grid; the coarse one is that of the
            class maps, and every layer is resized to both.
        mean, std: of R, G and B on the scale 0-255: the network sees (pixel - mean) / std.
    """

    model: onnx.ModelProto
    features: str
    head: Head
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    layers: tuple[str, ...] = ()
    grid: str = ""


def assemble(network: GapNetwork, card: Card) -> onnx.ModelProto:
    """The boxless model of a network; its weights may still be to come.

    Returns:
        A model with the inputs
            image uint8 (N, H, W, 3) RGB, any H and W;
            size int64 (2,), classes int64 (M,), top int64 (1,);
        and the outputs
            logits float32 (N, K); chosen int64 (N, M + top); class_maps float32 (N, M + top, h, w);
            affinity float32 (N, u, v, h, w), if the network has mid-level layers.
    """
    graph = onnx.GraphProto(name=card.name)
    append_network(graph, network.model, network.mean, network.std)
    if network.layers:
        _append_affinity(graph, network)
    append_head(graph, network.head, NETWORK_PREFIX + network.features)
    return finish(graph, network.model.opset_import, card)


def append_network(
    graph: onnx.GraphProto,
    network: onnx.ModelProto,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
) -> None:
    """Appends the image and a network that takes it as float32 (N, 3, h, w), its tensors named with NETWORK_PREFIX."""
    model = compose.add_prefix(network, NETWORK_PREFIX)
    entry = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["picture_scaled" if name == entry else name for name in node.input]
    append_part(graph, _IMAGE.format(mean=_numbers(mean), std=_numbers(std)))
    graph.node.extend(model.graph.node)
    graph.initializer.extend(model.graph.initializer)


def append_head(graph: onnx.GraphProto, head: Head, features: str) -> None:
    """Appends a head and class maps to a graph that makes `features` (N, C, h, w), and maybe `affinity`.

    Declares what goes in and comes out, too.
    """
    _join(graph, head.logits)
    append_part(graph, _CHOSEN)
    _join(graph, head.rows)
    append_part(graph, _CLASS_MAPS, head_features=features)
    for node in graph.node:
        node.input[:] = [features if name == FEATURES else name for name in node.input]
    graph.input.append(tensor_info("image", TensorProto.UINT8, "N", "H", "W", 3))
    # No defaults (initializers of the same names): some runtimes warn of them, some refuse them (decision 0018).
    for name, length in (("size", 2), ("classes", "M"), ("top", 1)):
        graph.input.append(tensor_info(name, TensorProto.INT64, length))
    graph.output.append(tensor_info("logits", TensorProto.FLOAT, "N", head.classes))
    graph.output.append(tensor_info("chosen", TensorProto.INT64, "N", "k"))
    graph.output.append(tensor_info("class_maps", TensorProto.FLOAT, "N", "k", "h", "w"))
    if any("affinity" in node.output for node in graph.node):
        graph.output.append(tensor_info("affinity", TensorProto.FLOAT, "N", "u", "v", "h", "w"))


def without_defaults(model: onnx.ModelProto) -> bool:
    """Makes plain inputs of those that an older boxless wrote with defaults; whether there were any."""
    names = {each.name for each in model.graph.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in names]
    had = len(kept) < len(model.graph.initializer)
    if had:
        del model.graph.initializer[:]
        model.graph.initializer.extend(kept)
    return had


def finish(graph: onnx.GraphProto, opsets: Sequence[onnx.OperatorSetIdProto], card: Card) -> onnx.ModelProto:
    """The model of a graph, with its card."""
    whole = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
    whole.producer_name, whole.producer_version = "boxless", __version__
    helper.set_model_props(whole, {METADATA_KEY: card.to_json()})
    return whole


def write_model(model: onnx.ModelProto, path: Path) -> None:
    """Writes a model file, whole or not at all."""
    write_whole(path, lambda beside: onnx.save(model, beside))


def write_card(path: Path, card: Card, out: Path | None = None) -> None:
    """Rewrites a model file with another card, whole or not at all; to `out` if given."""
    model = onnx.load(path)
    helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    write_model(model, out or path)


def _append_affinity(graph: onnx.GraphProto, network: GapNetwork) -> None:
    for grid, tensor in (("fine", network.grid), ("coarse", network.features)):
        graph.node.append(helper.make_node("Shape", [NETWORK_PREFIX + tensor], [f"{grid}_grid"], start=2, end=4))
        names = [f"{grid}_{i}" for i in range(len(network.layers))]
        for name, layer in zip(names, network.layers, strict=True):
            wiring = {f"{name}_in": NETWORK_PREFIX + layer, f"{name}_grid": f"{grid}_grid"}
            append_part(graph, _LAYER.format(name=name), **wiring)
        units = [f"{name}_unit" for name in names]
        graph.node.append(helper.make_node("Concat", units, [f"{grid}_units"], axis=1))
    append_part(graph, _AFFINITY)


def append_part(graph: onnx.GraphProto, text: str, **wiring: str) -> None:
    """Appends a graph given as text; `wiring` says which tensors its inputs are, where names differ."""
    part = parser.parse_model(_HEADER + text).graph
    for node in part.node:
        node.input[:] = [wiring.get(name, name) for name in node.input]
    _join(graph, part)


def _join(graph: onnx.GraphProto, part: onnx.GraphProto) -> None:
    graph.node.extend(part.node)
    graph.initializer.extend(part.initializer)


def tensor_info(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    """What a graph says of an input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(str(float(value)) for value in values)


def keep_original(path: Path, out: Path) -> None:
    """Raises a NetworkError where a classifier's own file would be overwritten."""
    if out.exists() and path.exists() and out.samefile(path):
        raise NetworkError(f"{out}: the classifier itself, which would be lost (expected another file to write)")


def scale_for_channels_last(graph: onnx.GraphProto, exact: bool) -> None:
    """Rewrites the image's arithmetic where ONNX Runtime will move it behind a transposition.

    With channels last, subtracting three numbers goes three pixels' numbers at a time and takes a fifth of a small
    network's run. One number for all channels does not; nor does a convolution of one pixel.

    Args:
        graph: of a boxless model; left alone if it has no such arithmetic.
        exact: take one number where all three are the same, which gives the same bits; else a convolution, which
            is faster still before a quantized network.
    """
    made_by = {node.output[0]: node for node in graph.node}
    if not {"picture_centred", "picture_scaled"} <= made_by.keys():
        return
    subtract, divide = made_by["picture_centred"], made_by["picture_scaled"]
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    mean_tensor, std_tensor = tensors[subtract.input[1]], tensors[divide.input[1]]
    mean, std = (numpy_helper.to_array(tensor).ravel() for tensor in (mean_tensor, std_tensor))
    if exact and np.ptp(mean) == 0 and np.ptp(std) == 0:
        mean_tensor.CopyFrom(numpy_helper.from_array(mean[:1], mean_tensor.name))
        std_tensor.CopyFrom(numpy_helper.from_array(std[:1], std_tensor.name))
        return
    weight = np.asarray(1 / std, np.float32).reshape(3, 1, 1, 1)
    for tensor in (mean_tensor, std_tensor):
        graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(weight, "picture_weight"))
    graph.initializer.append(numpy_helper.from_array(np.asarray(-mean / std, np.float32), "picture_bias"))
    inputs = [subtract.input[0], "picture_weight", "picture_bias"]
    divide.CopyFrom(helper.make_node("Conv", inputs, ["picture_scaled"], group=3))
    graph.node.remove(subtract)
