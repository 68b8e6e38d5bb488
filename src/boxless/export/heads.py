"""Heads: how logits come out of the last feature map, and the rows of weights that class maps are made of.

    class_maps (k, h, w) = rows (k, C) @ features (C, h, w)

The rows of one linear layer are its weights, the same for every image. Behind a layer normalisation they are
the weights divided by the image's own scale: exact still. Behind a non-linear layer they are the slope at the
image's own pooled vector: *linearised*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from boxless.export.tail import Bend, Stage

Floats = NDArray[np.float32]

FEATURES = "head_features"
"""The name by which a head's nodes call the last feature map (N, C, h, w)."""

ROWS = "head_rows"

_STEP = 2.0**-6
"""Half the width of the difference that stands for a slope: exact for pieces of parabolas (hard-swish)."""

_TINY = 1e-30
"""What a root is divided by where the pooled number is zero; the map is zero there too."""


@dataclass(frozen=True)
class Head:
    """Parts of a graph.

    Attributes:
        logits: makes `logits` (N, K) of `head_features`.
        rows: makes `head_rows` (N, k, C) of `chosen` (N, k).
        classes: K.
    """

    logits: onnx.GraphProto
    rows: onnx.GraphProto
    classes: int


def dense(weight: Floats, bias: Floats) -> Head:
    """Average pooling and one linear layer (K, C), (K,): logits = mean_xy(F) @ W.T + b, and rows = W[chosen]."""
    logits, rows = onnx.GraphProto(), onnx.GraphProto()
    logits.initializer.append(numpy_helper.from_array(np.asarray(weight, np.float32), "head_weight"))
    logits.initializer.append(numpy_helper.from_array(np.asarray(bias, np.float32), "head_bias"))
    logits.initializer.append(numpy_helper.from_array(np.array([2, 3], np.int64), "head_space"))
    logits.node.append(helper.make_node("ReduceMean", [FEATURES, "head_space"], ["head_pooled"], keepdims=0))
    logits.node.append(helper.make_node("Gemm", ["head_pooled", "head_weight", "head_bias"], ["logits"], transB=1))
    rows.node.append(helper.make_node("Gather", ["head_weight", "chosen"], [ROWS], axis=0))
    return Head(logits, rows, len(bias))


def behind(logits: onnx.GraphProto, stages: Sequence[Stage], bends: Sequence[Bend]) -> Head:
    """The head of a network that was read from its graph, whose own nodes make the logits.

    The chain rule, from the classes back to the pooled vector: stages are linear, between two of them is a bend.
    """
    rows = _Rows(onnx.GraphProto(), {tensor.name: tensor for tensor in logits.initializer})
    name = rows.gathered(stages[-1])
    for stage, bend in zip(reversed(stages[:-1]), reversed(bends), strict=True):
        name = rows.op("Mul", name, rows.slope(bend))
        name = rows.through(stage, name)
    rows.part.node.append(helper.make_node("Identity", [name], [ROWS]))
    return Head(logits, rows.part, stages[-1].width)


@dataclass
class _Rows:
    """Builds the part of the graph that makes the rows."""

    part: onnx.GraphProto
    shared: dict[str, onnx.TensorProto]
    _count: int = field(default=0)

    def op(self, kind: str, *inputs: str, **settings: Any) -> str:  # noqa: ANN401
        """Adds a node; the name of its output."""
        name = self._name()
        self.part.node.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def constant(self, value: NDArray[np.generic]) -> str:
        """Adds an initializer; its name."""
        name = self._name()
        self.part.initializer.append(numpy_helper.from_array(value, name))
        return name

    def gathered(self, stage: Stage) -> str:
        """Rows (N, k, C) of the chosen classes."""
        return self._sum((self._gather(matrix), scale) for scale, matrix in stage.weights.items())

    def through(self, stage: Stage, rows: str) -> str:
        """Rows (N, k, C) before a linear stage from rows (N, k, H) behind it."""
        weights = stage.weights.items()
        return self._sum((self.op("MatMul", rows, self._matrix(matrix)), scale) for scale, matrix in weights)

    def slope(self, bend: Bend) -> str:
        """The slopes (N, 1, H) of a function that takes each number by itself, where the image has them.

        A central difference: (f(z + d) - f(z - d)) / 2d, the function's own nodes run twice; of a root, f(z) / z.
        """
        shape = self.constant(np.array([-1, 1, bend.width], np.int64))
        if bend.root:
            above = self.op("Max", bend.start, self.constant(np.array(_TINY, np.float32)))
            ends = [self.op("Reshape", name, shape) for name in (bend.end, above)]
            return self.op("Div", *ends)
        step = self.constant(np.array(_STEP, np.float32))
        ends = []
        for direction in ("Add", "Sub"):
            renamed = {bend.start: self.op(direction, bend.start, step)}
            for node in bend.nodes:
                copy = onnx.NodeProto()
                copy.CopyFrom(node)
                copy.name = ""
                copy.input[:] = [renamed.get(name, name) for name in node.input]
                copy.output[:] = [renamed.setdefault(name, self._name()) for name in node.output]
                self.part.node.append(copy)
            ends.append(renamed[bend.end])
        rise = self.op("Sub", *ends)
        slope = self.op("Div", rise, self.constant(np.array(2 * _STEP, np.float32)))
        return self.op("Reshape", slope, shape)

    def _gather(self, matrix: Floats) -> str:
        width = len(matrix)
        if matrix.shape == (width, width) and np.array_equal(matrix, np.eye(width, dtype=np.float32)):
            depth, values = self.constant(np.array(width, np.int64)), self.constant(np.array([0, 1], np.float32))
            return self.op("OneHot", "chosen", depth, values, axis=-1)
        return self.op("Gather", self._matrix(matrix), "chosen", axis=0)

    def _matrix(self, matrix: Floats) -> str:
        """A tensor (out, in): one that the network has already, turned as needed, or a new one."""
        for name, tensor in self.shared.items():
            if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) != matrix.size:
                continue
            value = np.squeeze(numpy_helper.to_array(tensor))
            if value.shape == matrix.shape and np.array_equal(value, matrix):
                same = len(tensor.dims) == 2
                return name if same else self.op("Reshape", name, self.constant(np.array(matrix.shape, np.int64)))
            if value.T.shape == matrix.shape and np.array_equal(value.T, matrix) and len(tensor.dims) == 2:
                return self.op("Transpose", name, perm=[1, 0])
        return self.constant(np.asarray(matrix, np.float32))

    def _sum(self, terms: Iterable[tuple[str, str | None]]) -> str:
        """The sum of rows, each times a number of the image's own where there is one."""
        total = ""
        for rows, scale in terms:
            term = rows
            if scale is not None:
                shape = self.constant(np.array([-1, 1, 1], np.int64))
                term = self.op("Mul", rows, self.op("Reshape", scale, shape))
            total = self.op("Add", total, term) if total else term
        return total

    def _name(self) -> str:
        self._count += 1
        return f"head_rows_{self._count}"
