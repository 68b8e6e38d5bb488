"""What happens to the pooled vector until it is logits, read from the graph's nodes.

Linear layers, normalisations, biases and reshapes in any order and number are one linear *stage*. A function
that takes each number by itself (hard-swish, ReLU) is a *bend* between two stages. A number that is computed from
the picture and multiplies a whole vector (the scale of a layer normalisation) is known after the forward pass:
it is kept as the name of its tensor, and the stage stays linear, term by term:

    stage(p) = sum over scales s of  s * (A_s @ p + c_s),   s = 1 (None) or a picture's own number
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from boxless.errors import NetworkError
from boxless.graph.flow import Flow, attributes

Floats = NDArray[np.float32]
Terms = Mapping[str | None, tuple[Floats, Floats]]

BENDS = frozenset(
    [
        "Relu",
        "LeakyRelu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Clip",
        "Tanh",
        "Erf",
        "Exp",
        "Log",
        "Elu",
        "Selu",
        "Celu",
        "Gelu",
        "Softplus",
        "Softsign",
        "Mish",
        "Sqrt",
        "Reciprocal",
        "Pow",
        "Abs",
        "Min",
        "Max",
        "Swish",
        "PRelu",
        "Neg",
        "ThresholdedRelu",
    ]
)
"""The operators that take each number by itself, and are not linear."""

_SHAPING = frozenset(["Flatten", "Reshape", "Squeeze", "Unsqueeze"])
_SAME = frozenset(["Identity", "Dropout", "Cast"])
_ARITHMETIC = frozenset(["Add", "Sub", "Mul", "Div"])
_MAX_WIDTH = 8192


@dataclass(frozen=True)
class Stage:
    """A linear stage; see the module.

    Attributes:
        terms: for each scale, A (out, in) and c (out,).
        width: out.
    """

    terms: Terms
    width: int


@dataclass(frozen=True)
class Bend:
    """A function that takes each number by itself.

    Attributes:
        start, end: the tensors before and behind.
        nodes: between them.
        width: of both.
    """

    start: str
    end: str
    nodes: tuple[onnx.NodeProto, ...]
    width: int


@dataclass(frozen=True)
class _Linear:
    """A tensor that is linear in the vector at the beginning of its stage: A (*dims, C) and c dims, by scale."""

    terms: Terms
    dims: tuple[int, ...]
    root: str

    @property
    def fixed(self) -> bool:
        """Whether it does not depend on the vector, but by its scales."""
        return not any(matrix.any() for matrix, _ in self.terms.values())


@dataclass(frozen=True)
class _Bent:
    """A tensor that is a function of each number of `root` by itself."""

    dims: tuple[int, ...]
    root: str


_Value = _Linear | _Bent


class _NotUnderstoodError(Exception):
    pass


class Tail:
    """Reads the nodes between a pooled vector and the logits.

    Args:
        flow: the graph.
        pooled: the name of the pooled tensor.
        dims: its dimensions but the batch, (C, 1, 1), (1, 1, C) or (C,).
        shapes: of the graph's tensors, for one picture.

    Raises:
        NetworkError: at a node that is none of these; the message names it.
    """

    def __init__(
        self, flow: Flow, pooled: str, dims: tuple[int, ...], shapes: Mapping[str, tuple[int, ...]], logits: str
    ) -> None:
        self.stages: list[Stage] = []
        self.bends: list[Bend] = []
        self.nodes = flow.nodes_to([logits], stop=[pooled])
        self._flow = flow
        self._shapes = shapes
        self._values: dict[str, _Value] = {}
        self._begin(pooled, dims)
        for node in self.nodes:
            if any(name in self._values for name in node.input):
                try:
                    self._values[node.output[0]] = self._value(node)
                except _NotUnderstoodError as reason:
                    raise NetworkError(
                        f"between the pooling ({pooled}) and the output stands {node.op_type} "
                        f"({node.name or node.output[0]}): {reason}"
                    ) from None
        value = self._values.get(logits)
        if not isinstance(value, _Linear):
            last = flow.maker[logits].op_type if logits in flow.maker else "nothing"
            raise NetworkError(f"the output is behind {last}, with no linear layer after it; class maps need one")
        self.stages.append(self._stage(value))

    @property
    def exact(self) -> bool:
        """Whether the class maps' means are the logits, up to a bias; else they are linearised."""
        return not self.bends

    @property
    def scaled(self) -> bool:
        """Whether a number of the picture's own is in it (layer normalisation)."""
        return any(scale is not None for stage in self.stages for scale in stage.terms)

    def _begin(self, name: str, dims: tuple[int, ...]) -> None:
        width = int(np.prod(dims))
        if width > _MAX_WIDTH:
            raise NetworkError(f"{width} pooled channels (at most {_MAX_WIDTH})")
        eye = np.eye(width, dtype=np.float32).reshape(*dims, width)
        self._values[name] = _Linear({None: (eye, np.zeros(dims, np.float32))}, dims, name)
        self._width = width

    def _stage(self, value: _Linear) -> Stage:
        if value.fixed:
            raise NetworkError("the output does not depend on the pooled features (their weights are zero)")
        width = int(np.prod(value.dims))
        terms = {scale: (matrix.reshape(width, -1), c.reshape(width)) for scale, (matrix, c) in value.terms.items()}
        return Stage(terms, width)

    def _value(self, node: onnx.NodeProto) -> _Value:
        kind = node.op_type
        if kind in _SAME:
            return self._values[node.input[0]]
        if kind in _SHAPING:
            return self._shaped(node)
        if kind in _ARITHMETIC:
            return self._arithmetic(node)
        if kind in ("ReduceMean", "ReduceSum", "Transpose"):
            return self._moved(node)
        if kind in ("Gemm", "MatMul", "Conv"):
            return self._mixed(node)
        if kind == "BatchNormalization":
            return self._normalised(node)
        if kind == "LayerNormalization":
            return self._layer_normalised(node)
        if kind in BENDS:
            return self._bent(node)
        raise _NotUnderstoodError("no linear layer, and none that takes each number by itself")

    def _shaped(self, node: onnx.NodeProto) -> _Value:
        value = self._values[node.input[0]]
        shape = self._shapes.get(node.output[0])
        dims = shape[1:] if shape is not None and node.op_type != "Flatten" else (int(np.prod(value.dims)),)
        if np.prod(dims) != np.prod(value.dims):
            raise _NotUnderstoodError(f"it makes {dims} of {value.dims}, across pictures")
        if isinstance(value, _Bent):
            return _Bent(dims, value.root)
        terms = {
            scale: (matrix.reshape(*dims, self._width), c.reshape(dims)) for scale, (matrix, c) in value.terms.items()
        }
        return _Linear(terms, dims, value.root)

    def _moved(self, node: onnx.NodeProto) -> _Value:
        """Reductions and transpositions of what is not the batch."""
        value = self._values[node.input[0]]
        settings, rank = attributes(node), len(value.dims) + 1
        if node.op_type == "Transpose":
            perm = list(settings.get("perm", range(rank)[::-1]))  # type: ignore[call-overload]
            linear = self._linear(value, node.input[0])
            if perm[0] != 0:
                raise _NotUnderstoodError("it moves the batch")
            order = [axis - 1 for axis in perm[1:]]
            terms = {s: (a.transpose(*order, rank - 1), c.transpose(order)) for s, (a, c) in linear.terms.items()}
            return _Linear(terms, tuple(linear.dims[i] for i in order), node.output[0])
        axes = settings.get("axes")
        if axes is None and len(node.input) > 1:
            axes = self._flow.constant(node.input[1])
        if axes is None:
            raise _NotUnderstoodError("its axes are not constant")
        inner = tuple(sorted((int(axis) % rank) - 1 for axis in np.ravel(np.asarray(axes))))
        if -1 in inner:
            raise _NotUnderstoodError("it reduces the batch")
        keep = bool(settings.get("keepdims", 1))
        dims = tuple(1 if i in inner else d for i, d in enumerate(value.dims) if keep or i not in inner)
        if isinstance(value, _Bent) or any(scale is not None for scale in value.terms):
            return self._scale(node.output[0], dims)
        reduce = np.mean if node.op_type == "ReduceMean" else np.sum
        terms = {
            s: (reduce(a, axis=inner, keepdims=keep), np.asarray(reduce(c, axis=inner, keepdims=keep)))
            for s, (a, c) in value.terms.items()
        }
        return _Linear(terms, dims, node.output[0])

    def _mixed(self, node: onnx.NodeProto) -> _Value:
        """Layers with weights: A x + c for a constant A."""
        if node.input[0] not in self._values:
            raise _NotUnderstoodError("the vector is its second operand")
        weight = self._weights(node.input[1])
        if weight is None:
            raise _NotUnderstoodError("its weights are not constant")
        settings = attributes(node)
        value = self._linear(self._values[node.input[0]], node.input[0])
        bias: Floats | None = np.zeros((), np.float32)
        factor = 1.0
        if node.op_type == "Conv":
            if set(weight.shape[2:]) != {1} or set(value.dims[1:]) != {1} or settings.get("group", 1) != 1:
                raise _NotUnderstoodError(f"a convolution of {weight.shape} on {value.dims} (expected 1 x 1, dense)")
            matrix = weight.reshape(weight.shape[:2]).T
            if len(node.input) > 2:
                bias = self._weights(node.input[2])
            dims: tuple[int, ...] = (len(weight), *value.dims[1:])
        elif node.op_type == "Gemm":
            if settings.get("transA", 0) or len(value.dims) != 1:
                raise _NotUnderstoodError("it takes its matrix the other way round")
            matrix = weight.T if settings.get("transB", 0) else weight
            factor = float(settings.get("alpha", 1.0))  # type: ignore[arg-type]
            if len(node.input) > 2:
                bias = self._weights(node.input[2])
                beta = float(settings.get("beta", 1.0))  # type: ignore[arg-type]
                bias = None if bias is None else np.asarray(bias * np.float32(beta)).reshape(-1)
            dims = (np.size(matrix, 1),)
        else:
            matrix = weight
            if weight.ndim != 2 or value.dims[-1] != len(weight):
                raise _NotUnderstoodError(f"a product of {value.dims} with {weight.shape}")
            dims = (*value.dims[:-1], np.size(weight, 1))
        if bias is None:
            raise _NotUnderstoodError("its bias is not constant")
        if len(matrix) != np.prod(value.dims):
            raise _NotUnderstoodError(f"a product of {value.dims} with {matrix.shape}")
        terms = {}
        for scale, (a, c) in value.terms.items():
            flat = a.reshape(-1, self._width)
            eye = flat.shape[0] == self._width and np.array_equal(flat, np.eye(self._width, dtype=np.float32))
            mixed = (matrix.T if eye else matrix.T @ flat) * np.float32(factor)
            terms[scale] = (
                mixed.reshape(*dims, self._width),
                (c.reshape(-1) @ matrix * np.float32(factor)).reshape(dims),
            )
        a, c = terms.get(None, (np.zeros((*dims, self._width), np.float32), np.zeros(dims, np.float32)))
        terms[None] = (a, (c.reshape(-1) + bias).reshape(dims).astype(np.float32))
        return _Linear(terms, dims, node.output[0])

    def _weights(self, name: str) -> Floats | None:
        value = self._flow.constant(name)
        return None if value is None else np.asarray(value, np.float32)

    def _normalised(self, node: onnx.NodeProto) -> _Value:
        found = [self._flow.constant(name) for name in node.input[1:5]]
        constants = [each for each in found if each is not None]
        if len(constants) != 4:
            raise _NotUnderstoodError("its statistics are not constant")
        gain, shift, mean, variance = (each.astype(np.float64) for each in constants)
        value = self._linear(self._values[node.input[0]], node.input[0])
        factor = gain / np.sqrt(variance + float(attributes(node).get("epsilon", 1e-5)))  # type: ignore[arg-type]
        along = (-1, *[1] * (len(value.dims) - 1))
        scaled = _times(value, _known(factor.reshape(along), self._width))
        return _plus(scaled, _known((shift - mean * factor).reshape(along), self._width), 1, value.root)

    def _layer_normalised(self, node: onnx.NodeProto) -> _Value:
        value = self._linear(self._values[node.input[0]], node.input[0])
        rank = len(value.dims) + 1
        axis = int(attributes(node).get("axis", -1)) % rank  # type: ignore[call-overload]
        gain = self._flow.constant(node.input[1])
        shift = self._flow.constant(node.input[2]) if len(node.input) > 2 else np.zeros((), np.float32)
        if gain is None or shift is None:
            raise _NotUnderstoodError("its gain is not constant")
        if np.prod(value.dims[axis - 1 :]) != np.prod(value.dims) or set(value.terms) != {None}:
            raise _NotUnderstoodError("a normalisation that is not over the whole vector")
        while len(node.output) < 3:
            node.output.append(f"{node.output[0]}_{('mean', 'inverse_deviation')[len(node.output) - 1]}")
        (matrix, c), axes = value.terms[None], tuple(range(axis - 1, len(value.dims)))
        centred = _Linear(
            {None: (matrix - matrix.mean(axis=axes, keepdims=True), c - c.mean(axis=axes, keepdims=True))},
            value.dims,
            value.root,
        )
        scaled = _times(_times(centred, self._scale(node.output[2], (1,))), _known(gain, self._width))
        return _plus(scaled, _known(shift, self._width), 1, node.output[0])

    def _bent(self, node: onnx.NodeProto) -> _Value:
        values = [self._values[name] for name in node.input if name in self._values]
        if all(isinstance(value, _Linear) and value.fixed for value in values):
            return self._scale(node.output[0], values[0].dims)
        return self._same_root(node, values)

    def _same_root(self, node: onnx.NodeProto, values: list[_Value]) -> _Bent:
        roots = {value.root for value in values if not (isinstance(value, _Linear) and value.fixed)}
        width = max(int(np.prod(value.dims)) for value in values)
        others = [self._flow.constant(name) for name in node.input if name and name not in self._values]
        if len(roots) != 1 or any(isinstance(v, _Linear) and v.fixed for v in values) or any(o is None for o in others):
            raise _NotUnderstoodError("it mixes what several layers computed")
        return (
            _Bent(max((value.dims for value in values), key=lambda dims: int(np.prod(dims))), roots.pop())
            if width
            else _Bent((), "")
        )

    def _arithmetic(self, node: onnx.NodeProto) -> _Value:
        values: list[_Value] = []
        for name in node.input:
            constant = None if name in self._values else self._flow.constant(name)
            if name in self._values:
                values.append(self._values[name])
            elif constant is not None:
                values.append(_known(constant, self._width))
            else:
                raise _NotUnderstoodError(f"its operand {name} is not constant")
        one, other = values
        variable = [value for name, value in zip(node.input, values, strict=True) if name in self._values]
        if isinstance(one, _Linear) and isinstance(other, _Linear):
            root = next((v.root for v in variable if isinstance(v, _Linear) and not v.fixed), node.output[0])
            if len({v.root for v in variable if isinstance(v, _Linear) and not v.fixed}) > 1:
                root = node.output[0]
            if node.op_type in ("Add", "Sub"):
                return _plus(one, other, 1 if node.op_type == "Add" else -1, root)
            if node.op_type == "Mul" and (one.fixed or other.fixed):
                first, second = (one, other) if other.fixed else (other, one)
                if None in (*first.terms, *second.terms) and min(_scales(first), _scales(second)) == 0:
                    product = _times(first, second)
                    return _Linear(product.terms, product.dims, root if _scales(product) == 0 else node.output[0])
            if node.op_type == "Div" and other.fixed and set(other.terms) == {None}:
                with np.errstate(divide="ignore"):
                    inverse = _known(1.0 / other.terms[None][1].astype(np.float64), self._width)
                product = _times(one, inverse)
                return _Linear(product.terms, product.dims, root)
            if node.op_type == "Div" and other.fixed and set(one.terms) == {None} and np.prod(other.dims) == 1:
                return self._divided(node, one)
            if one.fixed and other.fixed:
                return self._scale(node.output[0], one.dims)
        return self._same_root(node, variable)

    def _divided(self, node: onnx.NodeProto, value: _Linear) -> _Linear:
        """A vector divided by a picture's own number; the number's inverse becomes a node of its own."""
        name = f"{node.output[0]}_inverse"
        inverse = onnx.helper.make_node("Reciprocal", [node.input[1]], [name])
        self.nodes.append(inverse)
        product = _times(value, self._scale(name, (1,)))
        return _Linear(product.terms, product.dims, node.output[0])

    def _scale(self, name: str, dims: tuple[int, ...]) -> _Linear:
        """A number of the picture's own."""
        if np.prod(dims) != 1:
            raise _NotUnderstoodError("it mixes what is not linear")
        zero = np.zeros((*dims, self._width), np.float32)
        return _Linear({name: (zero, np.ones(dims, np.float32))}, dims, name)

    def _linear(self, value: _Value, name: str) -> _Linear:
        """The value for a layer that mixes: behind a bend, a new stage begins."""
        if isinstance(value, _Linear):
            return value
        start = self._values[value.root]
        if not isinstance(start, _Linear) or np.prod(start.dims) != np.prod(value.dims):
            raise _NotUnderstoodError("a bend that begins nowhere")
        if any(bend.start == value.root for bend in self.bends):
            raise _NotUnderstoodError("two ways through it")
        inside = self._flow.nodes_to([name], stop=[value.root])
        self.stages.append(self._stage(start))
        self.bends.append(Bend(value.root, name, tuple(inside), int(np.prod(value.dims))))
        self._values.clear()
        self._begin(name, value.dims)
        begun = self._values[name]
        assert isinstance(begun, _Linear)
        return begun


def _known(value: NDArray[np.generic], width: int) -> _Linear:
    """A constant; a leading axis of one, where the batch is, is left out later by broadcasting."""
    c = np.asarray(value, np.float32)
    return _Linear({None: (np.zeros((*c.shape, width), np.float32), c)}, c.shape, "")


def _scales(value: _Linear) -> int:
    return sum(scale is not None for scale in value.terms)


def _times(value: _Linear, factor: _Linear) -> _Linear:
    """Products of terms; the factor does not depend on the vector."""
    terms: dict[str | None, tuple[Floats, Floats]] = {}
    dims = value.dims
    for one, (matrix, c) in value.terms.items():
        for other, (_, by) in factor.terms.items():
            by = _fitting(by, len(value.dims))
            dims = np.broadcast_shapes(value.dims, by.shape)
            product = (matrix * by[..., None], c * by)
            scale = one or other
            terms[scale] = product if scale not in terms else tuple(map(np.add, terms[scale], product))  # type: ignore[assignment]
    return _Linear(terms, dims, value.root)


def _plus(one: _Linear, other: _Linear, sign: int, root: str) -> _Linear:
    rank = max(len(one.dims), len(other.dims)) if not (one.root and other.root) else len(one.dims)
    rank = len(one.dims) if one.root else len(other.dims) if other.root else rank
    dims = np.broadcast_shapes(
        _fitting(np.empty(one.dims, np.float32), rank).shape, _fitting(np.empty(other.dims, np.float32), rank).shape
    )
    terms: dict[str | None, tuple[Floats, Floats]] = {}
    for value, by in ((one, 1), (other, sign)):
        for scale, (matrix, c) in value.terms.items():
            c = _fitting(c, rank)
            matrix = matrix.reshape(*c.shape, matrix.shape[-1]) * np.float32(by)
            a_zero, c_zero = terms.get(scale, (np.float32(0), np.float32(0)))
            terms[scale] = (
                np.broadcast_to(a_zero + matrix, (*dims, matrix.shape[-1])),
                np.broadcast_to(c_zero + c * np.float32(by), dims),
            )
    return _Linear(terms, dims, root)


def _fitting(c: Floats, rank: int) -> Floats:
    """Without the batch's axis of one, where a constant brings it along."""
    return c[0] if c.ndim == rank + 1 and c.shape[0] == 1 else c
