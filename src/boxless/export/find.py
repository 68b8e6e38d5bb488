"""Finds where a classifier pools its last feature map, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx

from boxless.errors import NetworkError
from boxless.export.flow import Flow, attributes
from boxless.export.source import Layout
from boxless.export.tail import Tail, read_tail

Shapes = Mapping[str, tuple[int, ...]]

_PASSING = frozenset(["Identity", "Cast", "Flatten", "Reshape", "Squeeze"])
_ACTIVATIONS: dict[str, Literal["softmax", "sigmoid"]] = {
    "Softmax": "softmax",
    "LogSoftmax": "softmax",
    "Sigmoid": "sigmoid",
}
_LINEAR = frozenset(["Gemm", "MatMul"])


@dataclass(frozen=True)
class Found:
    """The end of a classifier.

    Attributes:
        logits: the tensor before the final softmax or sigmoid.
        activation: which of the two; None where the network ends in logits.
        pooling: the node that pools.
        features: the feature map that it pools.
        layout: of the feature map.
        tail: what follows.
        max_pooled: whether it takes the maximum instead of the mean.
    """

    logits: str
    activation: Literal["softmax", "sigmoid"] | None
    pooling: onnx.NodeProto
    features: str
    layout: Layout
    tail: Tail
    max_pooled: bool


@dataclass(frozen=True)
class _Pooling:
    node: onnx.NodeProto
    layout: Layout
    dims: tuple[int, ...]
    max_pooled: bool


def find_head(flow: Flow, output: str, shapes: Shapes, allow_max: bool = False) -> Found:
    """Finds the pooling through which everything goes, the last one, and reads what follows.

    Args:
        flow: the graph.
        output: the tensor that names the classes.
        shapes: of the tensors, for one picture.
        allow_max: take maximum pooling too.

    Raises:
        NetworkError: if there is no such pooling, or what follows cannot be read; says what there is instead.
    """
    if output not in flow.from_picture:
        raise NetworkError(f"the output {output} does not depend on the picture")
    logits, activation = _before_activation(flow, output)
    for name in reversed(flow.cuts(logits)):
        pooling = _pooling(flow, flow.maker[name], shapes) if name in flow.maker else None
        if pooling is not None:
            break
    else:
        raise NetworkError(_what_instead(flow, logits, shapes))
    if pooling.max_pooled and not allow_max:
        raise NetworkError(
            f"maximum pooling ({pooling.node.op_type} {pooling.node.name}): a logit then stands on one cell a channel, "
            "and class maps do not add up to it; attach with --allow-max-pool for maps all the same"
        )
    tail = read_tail(flow, name, pooling.dims, shapes, logits)
    return Found(logits, activation, pooling.node, pooling.node.input[0], pooling.layout, tail, pooling.max_pooled)


def _before_activation(flow: Flow, output: str) -> tuple[str, Literal["softmax", "sigmoid"] | None]:
    name = output
    while (node := flow.maker.get(name)) is not None and node.op_type in (*_PASSING, *_ACTIVATIONS):
        if node.op_type in _ACTIVATIONS:
            return node.input[0], _ACTIVATIONS[node.op_type]
        name = node.input[0]
    return output, None


def _pooling(flow: Flow, node: onnx.NodeProto, shapes: Shapes) -> _Pooling | None:
    before, after = shapes.get(node.input[0]) if node.input else None, shapes.get(node.output[0])
    if before is None or len(before) != 4:
        return None
    channels = (before[1], 1, 1)
    if node.op_type in ("GlobalAveragePool", "GlobalMaxPool"):
        return _Pooling(node, "nchw", channels, node.op_type == "GlobalMaxPool")
    if node.op_type in ("AveragePool", "MaxPool"):
        settings = attributes(node)
        whole = list(before[2:]) == list(np.ravel(np.asarray(settings.get("kernel_shape", ()))))
        unpadded = not np.any(np.asarray(settings.get("pads", 0)))
        if whole and unpadded and before[2:] != (1, 1) and after == (before[0], *channels):
            return _Pooling(node, "nchw", channels, node.op_type == "MaxPool")
    if node.op_type in ("ReduceMean", "ReduceMax"):
        settings = attributes(node)
        axes = settings.get("axes")
        if axes is None and len(node.input) > 1:
            axes = flow.constant(node.input[1])
        if axes is None:
            return None
        keep = bool(settings.get("keepdims", 1))
        for layout, space in (("nchw", {2, 3}), ("nhwc", {1, 2})):
            if {int(axis) % 4 for axis in np.ravel(np.asarray(axes))} == space:
                width = before[1] if layout == "nchw" else before[3]
                kept = (width, 1, 1) if layout == "nchw" else (1, 1, width)
                return _Pooling(node, layout, kept if keep else (width,), node.op_type == "ReduceMax")  # type: ignore[arg-type]
    return None


def _what_instead(flow: Flow, logits: str, shapes: Shapes) -> str:
    """Why there is no pooling: the layers that stand in its place."""
    nodes = flow.nodes_to([logits])
    attention = [node for node in nodes if node.op_type == "Softmax" or node.op_type.endswith("Attention")]
    if attention and any(node.op_type == "MatMul" for node in nodes):
        return (
            f"no global average pooling, but attention ({len(attention)} times): a class token or attention pooling "
            "(as in ViT) mixes positions, so there are no class maps in it; take a network with average pooling"
        )
    for node in nodes:
        if node.op_type in _LINEAR and node.input[0] in flow.from_picture:
            spread = _spread_out(flow, node.input[0], shapes)
            weight = flow.constant(node.input[1])
            if spread and weight is not None:
                dense = [each for each in nodes if each.op_type in _LINEAR]
                names = ", ".join(f"{e.name or e.output[0]} {_dims(flow, e.input[1], shapes)}" for e in dense)
                return (
                    f"no global average pooling: the feature map {spread[0]} {spread[1]} is flattened into fully "
                    f"connected layers ({names}), which see every cell with weights of its own (as VGG16 and AlexNet "
                    "do). Train a head with pooling in their place: boxless train --network vgg16_gap"
                )
    pools = sorted({node.op_type for node in nodes if "Pool" in node.op_type or node.op_type.startswith("Reduce")})
    seen = f"; there are {', '.join(pools)}, but not everything goes through one of them" if pools else ""
    return (
        f"no global average pooling through which everything goes, from the picture to {logits} "
        f"(GlobalAveragePool, ReduceMean over height and width, or AveragePool over the whole map){seen}"
    )


def _dims(flow: Flow, name: str, shapes: Shapes) -> tuple[int, ...]:
    constant = flow.constant(name)
    return shapes.get(name, ()) if constant is None else constant.shape


def _spread_out(flow: Flow, name: str, shapes: Shapes) -> tuple[str, tuple[int, ...]] | None:
    """The feature map of more than one cell that was flattened into this tensor."""
    while (node := flow.maker.get(name)) is not None:
        before = shapes.get(node.input[0], ())
        if node.op_type in ("Flatten", "Reshape") and len(before) == 4:
            return (
                (node.input[0], before)
                if min(np.prod(before[1:3]), np.prod(before[2:])) > before[1]
                or (before[2] * before[3] > 1 and before[1] * before[2] > 1)
                else None
            )
        if node.op_type not in (*_PASSING, "Transpose", "Dropout", "Relu"):
            return None
        name = node.input[0]
    return None
