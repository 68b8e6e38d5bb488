"""Finds where a classifier pools its last feature map, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from boxless.errors import NetworkError
from boxless.export.flow import NO_IMAGE, Flow
from boxless.export.pooling import Pooling, Shapes, find_pooling
from boxless.export.precision import dequantize
from boxless.export.tail import Tail, read_tail

_PASSING = frozenset(["Identity", "Cast", "Flatten", "Reshape", "Squeeze", "QuantizeLinear", "DequantizeLinear"])
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
        pooling: of the last feature map.
        tail: what follows.
    """

    logits: str
    activation: Literal["softmax", "sigmoid"] | None
    pooling: Pooling
    tail: Tail


def find_head(flow: Flow, output: str, shapes: Shapes, allow_max: bool = False) -> Found:
    """Finds the last pooling through which everything goes to the class scores `output`, and reads what follows.

    Raises:
        NetworkError: if there is no such pooling, or what follows cannot be read; says what there is instead.
    """
    if output not in flow.from_image:
        raise NetworkError(f"the output {output} does not depend on the image")
    logits, activation = _before_activation(flow, output)
    pooling = find_pooling(flow, logits, shapes)
    if pooling is None:
        raise NetworkError(_what_instead(flow, logits, shapes))
    if pooling.maximum and not allow_max:
        raise NetworkError(
            f"maximum pooling ({pooling.words}): a logit then stands on one cell a channel, "
            "and class maps do not add up to it; attach with --allow-max-pool for maps all the same"
        )
    dequantize(flow.nodes_to([logits], stop=[pooling.pooled], closed=NO_IMAGE), flow)
    return Found(logits, activation, pooling, read_tail(flow, pooling.pooled, pooling.dims, shapes, logits))


def _before_activation(flow: Flow, output: str) -> tuple[str, Literal["softmax", "sigmoid"] | None]:
    name = output
    while (node := flow.maker.get(name)) is not None and node.op_type in (*_PASSING, *_ACTIVATIONS):
        if node.op_type in _ACTIVATIONS:
            return node.input[0], _ACTIVATIONS[node.op_type]
        name = node.input[0]
    return output, None


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
        if node.op_type in _LINEAR and node.input[0] in flow.from_image:
            spread = _spread_out(flow, node.input[0], shapes)
            weight = flow.constant(node.input[1])
            if spread and weight is not None:
                dense = [each for each in nodes if each.op_type in _LINEAR]
                names = ", ".join(f"{e.name or e.output[0]} {_dims(flow, e.input[1], shapes)}" for e in dense)
                return flattened_head(f"{spread[0]} {spread[1]}", names)
    pools = sorted({node.op_type for node in nodes if "Pool" in node.op_type or node.op_type.startswith("Reduce")})
    seen = f"; there are {', '.join(pools)}, but not everything goes through one of them" if pools else ""
    return (
        f"no global average pooling through which everything goes, from the image to {logits} "
        f"(a mean over height and width, however it is written){seen}"
    )


def flattened_head(feature: str, layers: str) -> str:
    """Why a network whose feature map is flattened is refused, by the names and shapes of both."""
    return (
        f"no global average pooling: the feature map {feature} is flattened into fully connected layers ({layers}), "
        "which have separate weights for every cell (as VGG16 and AlexNet do). Train a head with pooling in their "
        "place: boxless train --network vgg16_gap"
    )


def _dims(flow: Flow, name: str, shapes: Shapes) -> tuple[int, ...]:
    constant = flow.constant(name)
    return shapes.get(name, ()) if constant is None else constant.shape


def _spread_out(flow: Flow, name: str, shapes: Shapes) -> tuple[str, tuple[int, ...]] | None:
    """The feature map of more than one cell that was flattened into this tensor."""
    while (node := flow.maker.get(name)) is not None:
        before = shapes.get(node.input[0], ())
        if node.op_type in ("Flatten", "Reshape") and len(before) == 4:
            spread = min(np.prod(before[1:3]), np.prod(before[2:]))  # cells, whichever the layout
            return (node.input[0], before) if spread > 1 else None
        if node.op_type not in (*_PASSING, "Transpose", "Dropout", "Relu"):
            return None
        name = node.input[0]
    return None
