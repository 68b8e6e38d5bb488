"""Cuts a classifier before its pooling, and gives what follows names of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxless.errors import NetworkError
from boxless.export.assemble import NETWORK_PREFIX, GapNetwork
from boxless.export.find import Found, find_head
from boxless.export.flow import NO_IMAGE, Flow, attributes
from boxless.export.heads import FEATURES, ROWS, Head, behind
from boxless.export.mid_level import Layer, find_layers
from boxless.export.pooling import Layout
from boxless.export.preprocessing import Preprocessing
from boxless.export.shapes import shapes
from boxless.export.slopes import HeadAlone
from boxless.export.source import Classifier
from boxless.export.weights import hollow

_ENTRY = "boxless_picture"
_TAIL_PREFIX = "tail/"


def cut(
    classifier: Classifier, size: tuple[int, int], colours: Preprocessing, allow_max: bool
) -> tuple[GapNetwork, Found, tuple[Layer, ...]]:
    """The classifier, cut before its pooling, with its own nodes as the head; what was found; mid-level feature maps.

    Large weights stay in the classifier, see `boxless.export.weights`. `size` is the (height, width) of its images.

    Raises:
        NetworkError: if there is no pooling, or what follows cannot be read.
    """
    graph, entry = classifier.model.graph, classifier.entry
    channels_first = classifier.layout == "nchw"
    shape = (1, 3, *size) if channels_first else (1, *size, 3)
    known = shapes(classifier.model, entry, shape, classifier.output)
    flow = Flow(graph, entry, classifier.model.opset_import)
    found = find_head(flow, classifier.output, known, allow_max)
    features, layout = found.pooling.features, found.pooling.layout
    maker = flow.maker.get(features)
    turned = attributes(maker).get("perm") if maker is not None and maker.op_type == "Transpose" else None
    if layout == "nhwc" and maker is not None and turned == [0, 2, 3, 1]:
        features, layout = maker.input[0], "nchw"
    layers, grid = find_layers(flow, features, known, size, "nhwc" if layout == "nhwc" else "nchw")

    part = onnx.GraphProto(name="network")
    part.input.append(helper.make_tensor_value_info(_ENTRY, TensorProto.FLOAT, ["N", 3, "h", "w"]))
    _enter(part, entry, colours.bgr, channels_first)
    needed = flow.nodes_to([found.pooling.features, features, *(layer.name for layer in layers), *_outside(found)])
    part.node.extend(needed)
    names = {each.name: _planes(part, each.name, each.layout) for each in layers}
    if layout in ("ncl", "nlc"):
        names[features] = _token_planes(part, features, layout, known[features], size)
    else:
        names[features] = _planes(part, features, layout)
    used = {name for node in needed for name in node.input}
    part.initializer.extend(hollow(tensor) for tensor in graph.initializer if tensor.name in used)
    for name in dict.fromkeys([*names.values(), found.pooling.features]):
        part.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    model = helper.make_model(part, opset_imports=classifier.model.opset_import, ir_version=10)

    return (
        GapNetwork(
            model=model,
            features=names[features],
            head=_head(flow, found),
            mean=colours.mean,
            std=colours.std,
            layers=tuple(names[layer.name] for layer in layers),
            grid=names.get(grid, ""),
        ),
        found,
        layers,
    )


def _outside(found: Found) -> list[str]:
    """The tensors whose shapes count behind the pooling, as in x.view(x.size(0), -1)."""
    own = [*found.pooling.nodes, *found.tail.nodes]
    made = {name for node in own for name in node.output}
    return sorted({name for node in own if node.op_type in NO_IMAGE for name in node.input} - made)


def _planes(part: onnx.GraphProto, name: str, layout: str) -> str:
    """The name of a feature map (N, C, h, w)."""
    if layout == "nchw":
        return name
    planes = f"{name}_boxless_planes"
    if not any(planes in node.output for node in part.node):
        part.node.append(helper.make_node("Transpose", [name], [planes], perm=[0, 3, 1, 2]))
    return planes


def _token_planes(part: onnx.GraphProto, name: str, layout: Layout, shape: Sequence[int], size: tuple[int, int]) -> str:
    """The name of a feature map (N, C, h, w) made of tokens, which are its cells row by row.

    Raises:
        NetworkError: if they are not those of a grid.
    """
    cells, channels = (shape[1], shape[2]) if layout == "nlc" else (shape[2], shape[1])
    stride = next((s for s in range(1, min(size) + 1) if -(-size[0] // s) * -(-size[1] // s) == cells), None)
    if stride is None:
        raise NetworkError(
            f"a mean over {cells} tokens, which are no grid over {size[0]} x {size[1]} pixels (expected one token a "
            "patch, without a class token or registers among them)"
        )
    in_rows, shape_of, grid, dims, planes = (
        f"{name}_boxless_{each}" for each in ("rows", "size", "grid", "dims", "planes")
    )
    part.initializer.append(numpy_helper.from_array(np.array([stride, stride], np.int64), f"{name}_boxless_stride"))
    part.initializer.append(numpy_helper.from_array(np.array([stride - 1] * 2, np.int64), f"{name}_boxless_up"))
    part.initializer.append(numpy_helper.from_array(np.array([-1, channels], np.int64), f"{name}_boxless_channels"))
    part.node.extend(
        [
            helper.make_node("Shape", [_ENTRY], [shape_of], start=2, end=4),
            helper.make_node("Add", [shape_of, f"{name}_boxless_up"], [f"{grid}_up"]),
            helper.make_node("Div", [f"{grid}_up", f"{name}_boxless_stride"], [grid]),
            helper.make_node("Concat", [f"{name}_boxless_channels", grid], [dims], axis=0),
        ]
    )
    if layout == "nlc":
        part.node.append(helper.make_node("Transpose", [name], [in_rows], perm=[0, 2, 1]))
    part.node.append(helper.make_node("Reshape", [in_rows if layout == "nlc" else name, dims], [planes]))
    return planes


def _enter(part: onnx.GraphProto, entry: str, bgr: bool, channels_first: bool) -> None:
    """What leads from RGB planes to what the network takes."""
    name = _ENTRY
    if bgr:
        part.initializer.append(numpy_helper.from_array(np.array([2, 1, 0], np.int64), "boxless_bgr"))
        part.node.append(helper.make_node("Gather", [name, "boxless_bgr"], ["boxless_reversed"], axis=1))
        name = "boxless_reversed"
    if channels_first:
        part.node.append(helper.make_node("Identity", [name], [entry]))
    else:
        part.node.append(helper.make_node("Transpose", [name], [entry], perm=[0, 2, 3, 1]))


def head_alone(head: Head, found: Found, opsets: Sequence[onnx.OperatorSetIdProto]) -> HeadAlone:
    """A head without its network, to prove it by itself."""
    scales = tuple(f"{_TAIL_PREFIX}{name}" for name in found.tail.measured)
    whole, held = onnx.GraphProto(name="head"), onnx.GraphProto(name="head")
    for graph, given, made in ((whole, [], [ROWS, *scales]), (held, scales, [])):
        entry = f"{NETWORK_PREFIX}{found.pooling.features}"
        # One image more or less is all that shapes say behind the pooling, and the feature map says it, too.
        for name in {entry, *(f"{NETWORK_PREFIX}{each}" for each in _outside(found))}:
            graph.node.append(helper.make_node("Identity", ["features"], [name]))
        graph.input.extend(helper.make_tensor_value_info(e, TensorProto.FLOAT, None) for e in ("features", *given))
        graph.output.extend(helper.make_empty_tensor_value_info(name) for name in ("logits", *made))
        graph.initializer.extend(head.logits.initializer)
    whole.node.extend([*head.logits.node, *head.rows.node])
    whole.initializer.extend(head.rows.initializer)
    whole.input.append(helper.make_tensor_value_info("chosen", TensorProto.INT64, [1, "k"]))
    held.node.extend(each for node in head.logits.node for each in _held(node, scales))
    model, fixed = (helper.make_model(each, opset_imports=opsets, ir_version=10) for each in (whole, held))
    return HeadAlone(model, fixed, scales, found.pooling.features, found.pooling.layout)


def _held(node: onnx.NodeProto, scales: Sequence[str]) -> list[onnx.NodeProto]:
    """A node as it is where scales are given instead of measured."""
    if not set(scales).intersection(node.output):
        return [node]
    if node.op_type != "LayerNormalization":
        return []
    normalised, mean, scale = node.output[:3]
    again = onnx.NodeProto()
    again.CopyFrom(node)
    again.output[:] = [f"{normalised}_unused", mean, f"{scale}_unused"]
    names = [f"{normalised}_{each}" for each in ("centred", "scaled")] + [normalised]
    steps = [("Sub", mean), ("Mul", scale), ("Mul", node.input[1])]
    if len(node.input) > 2:
        names.insert(2, f"{normalised}_gained")
        steps.append(("Add", node.input[2]))
    before = [node.input[0], *names]
    return [again, *(helper.make_node(k, [a, by], [b]) for (k, by), a, b in zip(steps, before, names, strict=False))]


def _head(flow: Flow, found: Found) -> Head:
    """The pooling and all that follows, under names of their own."""
    own = [*found.pooling.nodes, *found.tail.nodes]
    own = list({node.output[0]: node for node in own}.values())
    made = {name for node in own for name in node.output if name}
    constant = {name for node in own for name in node.input if name in flow.initializers}

    def renamed(name: str) -> str:
        if not name:
            return ""
        return f"{_TAIL_PREFIX}{name}" if name in made or name in constant else f"{NETWORK_PREFIX}{name}"

    logits = onnx.GraphProto()
    for node in own:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = ""
        copy.input[:] = [renamed(name) for name in node.input]
        copy.output[:] = [renamed(name) for name in node.output]
        logits.node.append(copy)
    for name in sorted(constant):
        tensor = onnx.TensorProto()
        tensor.CopyFrom(flow.initializers[name])
        tensor.name = renamed(name)
        logits.initializer.append(tensor)
    stages, width = found.tail.stages, found.tail.stages[-1].width
    logits.initializer.append(numpy_helper.from_array(np.array([-1, width], np.int64), "tail/boxless_logits_shape"))
    logits.node.append(helper.make_node("Reshape", [renamed(found.logits), "tail/boxless_logits_shape"], ["logits"]))
    bends = [
        replace(
            bend,
            start=renamed(bend.start),
            end=renamed(bend.end),
            nodes=tuple(logits.node[_index(own, node)] for node in bend.nodes),
        )
        for bend in found.tail.bends
    ]
    scaled = [
        replace(stage, weights={None if s is None else renamed(s): matrix for s, matrix in stage.weights.items()})
        for stage in stages
    ]
    assert FEATURES not in made
    assert found.pooling.pooled in made
    return behind(logits, scaled, bends)


def _index(nodes: Sequence[onnx.NodeProto], node: onnx.NodeProto) -> int:
    return next(i for i, each in enumerate(nodes) if each.output[0] == node.output[0])
