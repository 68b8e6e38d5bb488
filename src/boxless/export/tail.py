"""What happens to the pooled vector until it is logits, read from the graph's nodes.

Linear layers, normalisations, biases and reshapes in any order and number are one linear *stage*. A function
that takes each number by itself (hard-swish, ReLU) is a *bend* between two stages. A number that is computed from
the image and multiplies a whole vector (the scale of a layer normalisation) is known after the forward pass:
it is kept as the name of its tensor, and the stage stays linear, term by term (see `boxless.export.linear`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from boxless.errors import NetworkError
from boxless.export import linear
from boxless.export.flow import NO_IMAGE, Flow
from boxless.export.linear import Dims, Floats, Linear, NotUnderstoodError, begin, constant, number, plus, times

BENDS = frozenset(
    ["Relu", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Clip", "Tanh", "Erf", "Exp", "Log", "Elu", "Selu",
     "Celu", "Gelu", "Softplus", "Softsign", "Mish", "Sqrt", "Reciprocal", "Pow", "Abs", "Min", "Max", "Swish", "PRelu",
     "ThresholdedRelu"]
)  # fmt: skip
"""The operators that take each number by itself, and are not linear."""

_SHAPING = frozenset(["Flatten", "Reshape", "Squeeze", "Unsqueeze"])
_SAME = frozenset(["Identity", "Dropout", "Cast"])
_ARITHMETIC = frozenset(["Add", "Sub", "Mul", "Div"])
_REDUCING = frozenset(["ReduceMean", "ReduceSum", "ReduceL2"])
_MAX_WIDTH = 8192


@dataclass(frozen=True)
class Stage:
    """A linear stage; see the module.

    Attributes:
        weights: for each scale, A (out, in); without those that are zero.
        width: out.
    """

    weights: Mapping[str | None, Floats]
    width: int


@dataclass(frozen=True)
class Bend:
    """A function that takes each number by itself.

    Attributes:
        start, end: the tensors before and behind.
        nodes: between them.
        width: of both.
        root: whether it is a root of the pooled vector itself, as in generalised mean pooling. With f(z) / z in the
            place of its slope, maps add up to the logit: they are exact.
    """

    start: str
    end: str
    nodes: tuple[onnx.NodeProto, ...]
    width: int
    root: bool = False


@dataclass(frozen=True)
class Tail:
    """What stands between a pooled vector and the logits.

    Attributes:
        stages: n + 1 of them, the one behind the pooling first.
        bends: n of them.
        nodes: all of them, and those that had to be added for a scale.
        measured: the tensors that measure the image's own scales: variances, or their inverse roots.
    """

    stages: tuple[Stage, ...]
    bends: tuple[Bend, ...]
    nodes: tuple[onnx.NodeProto, ...]
    measured: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the class maps' means are the logits, up to a bias; else they are linearised."""
        return all(bend.root for bend in self.bends)


def read_tail(flow: Flow, pooled: str, dims: Dims, shapes: Mapping[str, Dims], logits: str) -> Tail:
    """Reads the nodes between the tensors of a pooled vector and of the logits; `dims` are without the batch.

    Raises:
        NetworkError: at a node that is none of these; the message names it.
    """
    return _Reader(flow, pooled, dims, shapes, logits).tail()


@dataclass(frozen=True)
class _Bent:
    """A tensor that is a function of each number of `root` by itself."""

    dims: Dims
    root: str


_Value = Linear | _Bent


class _Reader:
    """Goes through the nodes in order and notes what each tensor is."""

    def __init__(self, flow: Flow, pooled: str, dims: Dims, shapes: Mapping[str, Dims], logits: str) -> None:
        self._flow = flow
        self._pooled = pooled
        self._shapes = shapes
        self._logits = logits
        self._nodes = flow.nodes_to([logits], stop=[pooled], closed=NO_IMAGE)
        self._stages: list[Stage] = []
        self._bends: list[Bend] = []
        self._measured: list[str] = []
        self._values: dict[str, _Value] = {}
        self._begin(pooled, dims)

    def tail(self) -> Tail:
        for node in list(self._nodes):
            # A shape is known before: what is computed of it depends on the image's size, not on the image.
            if node.op_type not in NO_IMAGE and any(name in self._values for name in node.input):
                try:
                    self._values[node.output[0]] = self._value(node)
                except NotUnderstoodError as reason:
                    raise NetworkError(
                        f"between the pooling ({self._pooled}) and the output stands {node.op_type} "
                        f"({node.name or node.output[0]}): {reason}"
                    ) from None
        value = self._values.get(self._logits)
        if not isinstance(value, Linear):
            last = self._flow.maker[self._logits].op_type if self._logits in self._flow.maker else "nothing"
            raise NetworkError(f"the output is behind {last}, with no linear layer after it; class maps need one")
        self._stages.append(_stage(value))
        return Tail(tuple(self._stages), tuple(self._bends), tuple(self._nodes), tuple(self._measured))

    def _begin(self, name: str, dims: Dims) -> Linear:
        """A new stage, at a vector; nothing before it counts any more."""
        self._width = int(np.prod(dims))
        if self._width > _MAX_WIDTH:
            raise NetworkError(f"{self._width} pooled channels (at most {_MAX_WIDTH})")
        begun = begin(name, dims)
        self._values = {name: begun}
        return begun

    def _value(self, node: onnx.NodeProto) -> _Value:
        kind = node.op_type
        if kind in _SAME or self._repeated(node):
            return self._values[node.input[0]]
        if kind in _SHAPING:
            return self._shaped(node)
        if kind in _ARITHMETIC or kind == "Neg":
            return self._arithmetic(node)
        if kind in _REDUCING:
            return self._reduced(node)
        if kind in BENDS:
            return self._bent(node, self._operands(node))
        if kind == "Transpose":
            return linear.transposed(node, self._vector(node))
        if kind in ("Gemm", "MatMul", "Conv"):
            return linear.mixed(node, self._vector(node), self._flow)
        if kind == "BatchNormalization":
            return linear.batch_normalised(node, self._vector(node), self._flow)
        if kind == "LayerNormalization":
            value = linear.layer_normalised(node, self._vector(node), self._flow)
            self._measured.append(node.output[2])
            return value
        raise NotUnderstoodError("no linear layer, and none that takes each number by itself")

    def _repeated(self, node: onnx.NodeProto) -> bool:
        """Whether a node repeats one of the image's own numbers, as the division by it would anyway."""
        value = self._values.get(node.input[0])
        return node.op_type == "Expand" and isinstance(value, Linear) and value.fixed and np.prod(value.dims) == 1

    def _shaped(self, node: onnx.NodeProto) -> _Value:
        value = self._values[node.input[0]]
        shape = self._shapes.get(node.output[0])
        dims = shape[1:] if shape is not None and node.op_type != "Flatten" else (int(np.prod(value.dims)),)
        if np.prod(dims) != np.prod(value.dims):
            raise NotUnderstoodError(f"it makes {dims} of {value.dims}, across images")
        return _Bent(dims, value.root) if isinstance(value, _Bent) else value.reshaped(dims)

    def _reduced(self, node: onnx.NodeProto) -> Linear:
        value = self._values[node.input[0]]
        if isinstance(value, Linear) and node.op_type != "ReduceL2":
            return linear.reduced(node, value, self._flow)
        self._measured.append(node.output[0])
        return number(node.output[0], linear.reduced_axes(node, value.dims, self._flow)[2], self._width)

    def _operands(self, node: onnx.NodeProto) -> list[_Value]:
        """What a node takes, constants among it."""
        dims = max((self._values[name].dims for name in node.input if name in self._values), key=len)
        return [
            self._values[name] if name in self._values else self._constant(name, dims) for name in node.input if name
        ]

    def _constant(self, name: str, dims: Dims) -> Linear:
        value = self._flow.constant(name)
        if value is None:
            raise NotUnderstoodError(f"its operand {name} is not constant")
        return constant(value, dims, self._width)

    def _arithmetic(self, node: onnx.NodeProto) -> _Value:
        """Sums, and products with what is fixed, are linear; the rest bends, or is a number of the image's own."""
        values = self._operands(node)
        known = [value for value in values if isinstance(value, Linear)]
        if len(known) < len(values):
            return self._bent(node, values)
        # A constant leaves each number where it is; anything else makes a tensor that is a function of itself only.
        roots = {value.root for value in known if value.root}
        root = roots.pop() if len(roots) == 1 else node.output[0]
        one, other = known[0], known[-1]
        if node.op_type == "Neg":
            return times(one, constant(np.array(-1), (), self._width), root)
        if node.op_type in ("Add", "Sub"):
            return plus(one, other, 1 if node.op_type == "Add" else -1, root)
        if node.op_type == "Mul" and (one.fixed or other.fixed) and not (one.scaled and other.scaled):
            return times(one, other, root) if other.fixed else times(other, one, root)
        if node.op_type == "Div" and other.fixed and not other.scaled:
            with np.errstate(divide="ignore", invalid="ignore"):
                inverse = 1.0 / other.terms[None][..., -1].astype(np.float64)
            return times(one, constant(inverse, one.dims, self._width), root)
        if node.op_type == "Div" and other.fixed and not one.scaled and np.prod(other.dims) == 1:
            return times(one, self._inverse(node.input[1], node.output[0], other.dims), root)
        return self._bent(node, values)

    def _inverse(self, name: str, quotient: str, dims: Dims) -> Linear:
        """Of an image's own number that something is divided by; it becomes a node of its own."""
        inverse = f"{quotient}_inverse"
        maker = self._flow.maker.get(name)
        single = maker.input[0] if maker is not None and maker.op_type == "Expand" else name
        self._nodes.append(onnx.helper.make_node("Reciprocal", [single], [inverse]))
        return number(inverse, dims, self._width)

    def _bent(self, node: onnx.NodeProto, values: list[_Value]) -> _Value:
        """A function of each number of one tensor; of an image's own number, another such number."""
        if all(isinstance(value, Linear) and value.fixed for value in values):
            return number(node.output[0], max((value.dims for value in values), key=len), self._width)
        roots = {value.root for value in values if value.root}
        if len(roots) != 1:
            raise NotUnderstoodError("it mixes what several layers computed")
        return _Bent(max((value.dims for value in values), key=lambda dims: int(np.prod(dims))), roots.pop())

    def _vector(self, node: onnx.NodeProto) -> Linear:
        """A node's first operand, for a layer that mixes its numbers: behind a bend, a new stage begins."""
        name = node.input[0]
        if name not in self._values:
            raise NotUnderstoodError("the vector is its second operand")
        value = self._values[name]
        if isinstance(value, Linear):
            return value
        start = self._values[value.root]
        if not isinstance(start, Linear) or np.prod(start.dims) != np.prod(value.dims):
            raise NotUnderstoodError("a bend that begins nowhere")
        if any(bend.start == value.root for bend in self._bends):
            raise NotUnderstoodError("two ways through it")
        self._stages.append(_stage(start))
        inside = self._flow.nodes_to([name], stop=[value.root])
        constants = any(term[..., -1].any() for term in start.terms.values())
        root = value.root == self._pooled and not constants and self._is_root(inside)
        self._bends.append(Bend(value.root, name, tuple(inside), int(np.prod(value.dims)), root))
        return self._begin(name, value.dims)

    def _is_root(self, nodes: Sequence[onnx.NodeProto]) -> bool:
        """Whether nodes take a root of each number, and nothing else."""
        own = [node for node in nodes if node.output[0] in self._flow.from_image]
        bent = [node for node in own if node.op_type not in (*_SAME, *_SHAPING)]
        if len(bent) != 1:
            return False
        if bent[0].op_type == "Sqrt":
            return True
        power = self._flow.constant(bent[0].input[1]) if bent[0].op_type == "Pow" else None
        return power is not None and float(np.min(power)) > 0 and float(np.max(power)) <= 1


def _stage(value: Linear) -> Stage:
    if value.fixed:
        raise NetworkError("the output does not depend on the pooled features (their weights are zero)")
    width = int(np.prod(value.dims))
    weights = {scale: term[..., :-1].reshape(width, -1) for scale, term in value.terms.items()}
    return Stage({scale: matrix for scale, matrix in weights.items() if matrix.any()}, width)
