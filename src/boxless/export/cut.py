"""Cuts a classifier before its pooling, and gives what follows names of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxless.export.assemble import NETWORK_PREFIX, GapNetwork
from boxless.export.find import Found, find_head
from boxless.export.flow import Flow
from boxless.export.heads import FEATURES, Head, behind
from boxless.export.mid_level import Layer, find_layers
from boxless.export.preprocessing import Preprocessing
from boxless.export.shapes import shapes
from boxless.export.source import Classifier
from boxless.export.weights import hollow

_ENTRY = "boxless_picture"
_TAIL_PREFIX = "tail/"


def cut(
    classifier: Classifier, size: tuple[int, int], colours: Preprocessing, allow_max: bool
) -> tuple[GapNetwork, Found, tuple[Layer, ...]]:
    """The classifier, cut before its pooling, with its own nodes as the head.

    Args:
        classifier: as it came; large weights stay in it (see `boxless.export.weights`).
        size: (height, width) that it is looked at with.
        colours: what it wants pixels to be.
        allow_max: take maximum pooling too.

    Returns:
        The network, what was found at its end, and its mid-level feature maps.

    Raises:
        NetworkError: if there is no pooling, or what follows cannot be read.
    """
    graph, entry = classifier.model.graph, classifier.entry
    channels_first = classifier.layout == "nchw"
    shape = (1, 3, *size) if channels_first else (1, *size, 3)
    known = shapes(classifier.model, entry, shape, classifier.output)
    flow = Flow(graph, entry)
    found = find_head(flow, classifier.output, known, allow_max)
    features, turned = found.features, found.layout == "nhwc"
    maker = flow.maker.get(features)
    if turned and maker is not None and maker.op_type == "Transpose" and _perm(maker) == [0, 2, 3, 1]:
        features, turned = maker.input[0], False
    layers, grid = find_layers(flow, features, known, size, "nhwc" if turned else "nchw")

    part = onnx.GraphProto(name="network")
    part.input.append(helper.make_tensor_value_info(_ENTRY, TensorProto.FLOAT, ["N", 3, "h", "w"]))
    _enter(part, entry, colours.bgr, channels_first)
    needed = flow.nodes_to([found.features, features, *(layer.name for layer in layers)])
    part.node.extend(needed)
    names: dict[str, str] = {}
    for name, way in ((features, "nhwc" if turned else "nchw"), *((each.name, each.layout) for each in layers)):
        names[name] = name if way == "nchw" else f"{name}_boxless_planes"
        if way == "nhwc" and not any(names[name] in node.output for node in part.node):
            part.node.append(helper.make_node("Transpose", [name], [names[name]], perm=[0, 3, 1, 2]))
    used = {name for node in needed for name in node.input}
    part.initializer.extend(hollow(tensor) for tensor in graph.initializer if tensor.name in used)
    for name in dict.fromkeys([*names.values(), found.features]):
        part.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    model = helper.make_model(part, opset_imports=classifier.model.opset_import, ir_version=10)

    return (
        GapNetwork(
            model=model,
            features=names[features],
            weight=np.zeros((0, 0), np.float32),
            bias=np.zeros(0, np.float32),
            mean=colours.mean,
            std=colours.std,
            layers=tuple(names[layer.name] for layer in layers),
            grid=names.get(grid, ""),
            head=_head(flow, found),
        ),
        found,
        layers,
    )


def _perm(node: onnx.NodeProto) -> list[int]:
    return [int(axis) for attribute in node.attribute if attribute.name == "perm" for axis in attribute.ints]


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


def _head(flow: Flow, found: Found) -> Head:
    """The pooling and all that follows, under names of their own."""
    pooled = found.pooling.output[0]
    own = [*flow.nodes_to(found.pooling.input[1:]), found.pooling, *found.tail.nodes]
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
        if node is found.pooling and node.op_type == "AveragePool":  # over the whole map, whatever its size
            copy.op_type = "GlobalAveragePool"
            copy.ClearField("attribute")
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
    assert pooled in made
    return behind(logits, scaled, bends)


def _index(nodes: Sequence[onnx.NodeProto], node: onnx.NodeProto) -> int:
    return next(i for i, each in enumerate(nodes) if each.output[0] == node.output[0])
