"""Finds the pooling of a classifier by what it does: the part of a graph that takes the mean of a feature map.

There are many ways to write a mean: GlobalAveragePool; ReduceMean over one axis and then the other; a reshape to a row,
its shape computed, and a mean over that; a sum, and a division by the number of cells. So the nodes between a feature
map and a vector are run on random numbers, and what comes out is compared with the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper

from boxless.export.flow import Flow
from boxless.models.arena import bounded

Layout = Literal["nchw", "nhwc", "ncl", "nlc"]
Shapes = Mapping[str, tuple[int, ...]]
Floats = NDArray[np.float32]

SPACE: dict[Layout, tuple[int, ...]] = {"nchw": (2, 3), "nhwc": (1, 2), "ncl": (2,), "nlc": (1,)}
"""The axes of a feature map's cells: rows and columns, or tokens in a row."""

_PLAIN = {"GlobalAveragePool", "ReduceMean", "GlobalMaxPool", "ReduceMax"}
"""What pools at any size, as it is."""

_WEIGHTED = frozenset(["Conv", "Gemm", "MatMul", "Softmax", "LayerNormalization", "BatchNormalization", "ConvInteger",
                       "MatMulInteger", "InstanceNormalization", "Attention", "MultiHeadAttention"])  # fmt: skip
_MOST_NODES = 32
_MOST_CELLS = 2**26


@dataclass(frozen=True)
class Pooling:
    """A pooling.

    Attributes:
        features: the feature map, a tensor (N, C, h, w), (N, h, w, C), or of tokens (N, C, L), (N, L, C).
        pooled: the tensor of its mean over cells.
        layout: of the feature map.
        dims: of the pooled tensor but the batch: (C,), (C, 1, 1) or (1, 1, C).
        maximum: whether it takes the maximum instead of the mean.
        nodes: that do it, as they can stand in a graph that takes feature maps of any size.
        words: what it is called.
    """

    features: str
    pooled: str
    layout: Layout
    dims: tuple[int, ...]
    maximum: bool
    nodes: tuple[onnx.NodeProto, ...]
    words: str = ""

    @property
    def channels(self) -> int:
        """C."""
        return int(np.prod(self.dims))


def find_pooling(flow: Flow, goal: str, shapes: Shapes) -> Pooling | None:
    """The last pooling through which everything goes from the image to the goal; None if there is none."""
    cuts = [name for name in flow.cuts(goal) if name in flow.maker]
    for least in (2, 1):  # maps of a single cell only where there are no others
        for end in range(len(cuts) - 1, 0, -1):
            # Maps before tokens: a mean over rows and then columns is one over a map, not over a row of tokens.
            for rank in (4, 3):
                start = next(
                    (i for i in range(end - 1, -1, -1) if _cells(shapes.get(cuts[i], ()), rank) >= least), None
                )
                found = None if start is None else _first(flow, cuts[start : end + 1], shapes)
                if found is not None:
                    return found
    return None


def _first(flow: Flow, cuts: Sequence[str], shapes: Shapes) -> Pooling | None:
    """The feature map's first mean among what follows it: what follows that is read node by node."""
    features = cuts[0]
    for pooled in cuts[1:]:
        nodes = flow.nodes_to([pooled], stop=[features])
        own = [node for node in nodes if flow.from_image.intersection(node.output)]
        if len(own) > _MOST_NODES or any(node.op_type in _WEIGHTED for node in own):
            return None
        if not (found := _pooling(flow, features, pooled, shapes, nodes)):
            continue
        words = " -> ".join(node.op_type for node in own if node.op_type not in ("Shape", "Constant"))
        plain = len(own) == 1 and own[0].op_type in _PLAIN  # bit for bit
        return replace(found, words=words, nodes=tuple(nodes) if plain else found.nodes)
    return None


def _cells(shape: Sequence[int], rank: int) -> int:
    """At least so many cells a feature map of that shape has, whichever its layout."""
    if len(shape) != rank:
        return 0
    return min(shape[1] * shape[2], shape[2] * shape[3]) if rank == 4 else min(shape[1:])


def _pooling(flow: Flow, features: str, pooled: str, shapes: Shapes, nodes: Sequence[onnx.NodeProto]) -> Pooling | None:
    shape, after = shapes.get(features, ()), shapes.get(pooled)
    if any(flow.entry in node.input for node in nodes) or np.prod(shape) > _MOST_CELLS:
        return None
    layouts: tuple[Layout, ...] = ("nchw", "nhwc") if len(shape) == 4 else ("ncl", "nlc")
    for layout in layouts:
        channels = shape[1] if layout in ("nchw", "ncl") else shape[-1]
        if after is not None and np.prod(after) != channels:
            continue
        shown = shape
        if np.prod([shape[axis] for axis in SPACE[layout]]) == 1:  # one cell is its own mean; others tell
            shown = tuple(2 + axis if axis in SPACE[layout] else size for axis, size in enumerate(shape))
        values = np.random.default_rng(0).normal(size=shown).astype(np.float32)
        said = _run(flow, nodes, features, pooled, values)
        if said is None or said.size != channels:
            continue
        for maximum, reduce in ((False, np.mean), (True, np.max)):
            if np.allclose(said.ravel(), reduce(values, axis=SPACE[layout]).ravel(), rtol=1e-4, atol=1e-5):
                return _made(features, pooled, layout, said.shape[1:], maximum)
    return None


def _run(flow: Flow, nodes: Sequence[onnx.NodeProto], features: str, pooled: str, values: Floats) -> Floats | None:
    """What the nodes make of these features; None if they cannot be run on them."""
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        list(nodes),
        "pooling",
        [helper.make_tensor_value_info(features, TensorProto.FLOAT, [None] * values.ndim)],
        [helper.make_empty_tensor_value_info(pooled)],
        [tensor for name, tensor in flow.initializers.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=flow.opsets, ir_version=10)
    options = bounded(ort.SessionOptions())
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return np.asarray(session.run([pooled], {features: values})[0])
    # ONNX Runtime's errors have no common class of their own.
    except Exception:
        return None


def _made(features: str, pooled: str, layout: Layout, dims: tuple[int, ...], maximum: bool) -> Pooling:
    """The pooling with nodes that do the same at any size."""
    kept, shape, axes = (f"{pooled}_{part}" for part in ("kept", "kept_shape", "kept_axes"))
    nodes = (
        helper.make_node("Constant", [], [axes], value_ints=list(SPACE[layout])),
        helper.make_node("ReduceMax" if maximum else "ReduceMean", [features, axes], [kept], keepdims=0),
        helper.make_node("Constant", [], [shape], value_ints=[-1, *dims]),
        helper.make_node("Reshape", [kept, shape], [pooled]),
    )
    return Pooling(features, pooled, layout, dims, maximum, nodes)
