"""Values that are linear in a vector, up to numbers that only the image knows, and what ONNX's operators do to them.

    value(p) = sum over scales s of  s * (A_s @ p + c_s),   s = 1 (None) or a number of the image's own

A and c are kept as one array, c the last column, so that whatever moves or mixes numbers does it to both at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import onnx
from numpy.typing import NDArray

from boxless.export.flow import Flow, attributes

Floats = NDArray[np.float32]
Dims = tuple[int, ...]


class NotUnderstoodError(Exception):
    """A node is none of those that can be read; the message says why, the caller says which."""


@dataclass(frozen=True)
class Linear:
    """A tensor that is linear in the vector p (C,); what makes one raises a NotUnderstoodError where it is not.

    Attributes:
        terms: by scale, (*dims, C + 1): A, and c in the last column.
        dims: of the tensor, without the batch.
        root: the tensor of which this one is a function number by number; "" of a constant.
    """

    terms: Mapping[str | None, Floats]
    dims: Dims
    root: str

    @property
    def width(self) -> int:
        """C."""
        return int(next(iter(self.terms.values())).shape[-1]) - 1

    @cached_property
    def fixed(self) -> bool:
        """Whether it does not depend on the vector, but through its scales."""
        return not any(term[..., :-1].any() for term in self.terms.values())

    @property
    def scaled(self) -> bool:
        """Whether a number of the image's own is in it."""
        return set(self.terms) != {None}

    def mapped(self, change: Callable[[Floats], Floats], root: str) -> Linear:
        """With every term changed by a linear function that leaves the last axis alone."""
        terms = {scale: change(term) for scale, term in self.terms.items()}
        return Linear(terms, next(iter(terms.values())).shape[:-1], root)

    def reshaped(self, dims: Dims) -> Linear:
        """In other dimensions, as many numbers."""
        return self.mapped(lambda term: term.reshape(*dims, term.shape[-1]), self.root)


def begin(name: str, dims: Dims) -> Linear:
    """The vector itself."""
    width = int(np.prod(dims))
    return Linear({None: np.eye(width, width + 1, dtype=np.float32).reshape(*dims, width + 1)}, dims, name)


def constant(value: NDArray[np.generic], dims: Dims, width: int) -> Linear:
    """A constant beside a tensor of those dimensions; of an axis for the batch it is freed."""
    c = np.asarray(value, np.float32)
    if c.ndim > len(dims):
        if c.shape[: c.ndim - len(dims)] != (1,) * (c.ndim - len(dims)):
            raise NotUnderstoodError(f"a constant of {c.shape} beside {dims} mixes the images of a batch")
        c = c.reshape(c.shape[c.ndim - len(dims) :])
    term = np.zeros((*c.shape, width + 1), np.float32)
    term[..., -1] = c
    return Linear({None: term}, c.shape, "")


def number(name: str, dims: Dims, width: int) -> Linear:
    """A number of the image's own, known by the name of its tensor."""
    if np.prod(dims) != 1:
        raise NotUnderstoodError("it mixes what is not linear")
    term = np.zeros((*dims, width + 1), np.float32)
    term[..., -1] = 1
    return Linear({name: term}, dims, name)


def times(value: Linear, factor: Linear, root: str) -> Linear:
    """A product, number by number, with what is fixed; either may be the wider."""
    if value.scaled and factor.scaled:
        raise NotUnderstoodError("it multiplies two numbers of the image's own")
    terms: dict[str | None, Floats] = {}
    for one, term in value.terms.items():
        for other, by in factor.terms.items():
            product = term * by[..., -1:]
            scale = one or other
            terms[scale] = terms[scale] + product if scale in terms else product
    return Linear(terms, _together(value, factor), root)


def plus(one: Linear, other: Linear, sign: int, root: str) -> Linear:
    """A sum, or with sign -1 a difference."""
    dims = _together(one, other)
    terms: dict[str | None, Floats] = {}
    for value, by in ((one, 1), (other, sign)):
        for scale, term in value.terms.items():
            before = terms.get(scale, np.zeros((), np.float32))
            terms[scale] = np.broadcast_to(before + term * np.float32(by), (*dims, term.shape[-1]))
    return Linear(terms, dims, root)


def _together(one: Linear, other: Linear) -> Dims:
    """The dimensions of two tensors, broadcast; a constant (no root) may have fewer."""
    if len(one.dims) != len(other.dims) and one.root and other.root:
        raise NotUnderstoodError(f"tensors of {one.dims} and {other.dims} mix the images of a batch")
    try:
        return np.broadcast_shapes(one.dims, other.dims)
    except ValueError:
        raise NotUnderstoodError(f"tensors of {one.dims} and {other.dims} do not fit") from None


def transposed(node: onnx.NodeProto, value: Linear) -> Linear:
    """Transpose."""
    rank = len(value.dims) + 1
    perm = [int(axis) for axis in np.ravel(np.asarray(attributes(node).get("perm", range(rank)[::-1])))]
    if perm[0] != 0:
        raise NotUnderstoodError("it moves the batch")
    return value.mapped(lambda term: term.transpose(*(axis - 1 for axis in perm[1:]), rank - 1), node.output[0])


def reduced_axes(node: onnx.NodeProto, dims: Dims, flow: Flow) -> tuple[tuple[int, ...], bool, Dims]:
    """The axes that a reduction takes together, the batch not counted, whether they are kept, and what is left."""
    settings, rank = attributes(node), len(dims) + 1
    axes = settings.get("axes")
    if axes is None and len(node.input) > 1:
        axes = flow.constant(node.input[1])
    if axes is None:
        raise NotUnderstoodError("its axes are not constant")
    inner = tuple(sorted((int(axis) % rank) - 1 for axis in np.ravel(np.asarray(axes))))
    if -1 in inner:
        raise NotUnderstoodError("it reduces the batch")
    keep = bool(settings.get("keepdims", 1))
    return inner, keep, tuple(1 if i in inner else d for i, d in enumerate(dims) if keep or i not in inner)


def reduced(node: onnx.NodeProto, value: Linear, flow: Flow) -> Linear:
    """ReduceMean and ReduceSum."""
    axes, keep, _ = reduced_axes(node, value.dims, flow)
    reduce = np.mean if node.op_type == "ReduceMean" else np.sum
    return value.mapped(lambda term: np.asarray(reduce(term, axis=axes, keepdims=keep)), node.output[0])


def mixed(node: onnx.NodeProto, value: Linear, flow: Flow) -> Linear:
    """Gemm, MatMul and 1 x 1 Conv: W.T @ x + b for a constant W (in, out)."""
    settings = attributes(node)
    weight, bias = _weights(flow, node.input[1]), _bias(flow, node)
    if node.op_type == "Conv":
        if set(weight.shape[2:]) != {1} or set(value.dims[1:]) != {1} or settings.get("group", 1) != 1:
            raise NotUnderstoodError(f"a convolution of {weight.shape} on {value.dims} (expected 1 x 1, dense)")
        matrix, dims = weight.reshape(weight.shape[:2]).T, (len(weight), *value.dims[1:])
    elif node.op_type == "Gemm":
        if settings.get("transA", 0) or len(value.dims) != 1:
            raise NotUnderstoodError("it takes its matrix the other way round")
        alpha, beta = (float(settings.get(name, 1.0)) for name in ("alpha", "beta"))  # type: ignore[arg-type]
        matrix, bias = (weight.T if settings.get("transB", 0) else weight) * alpha, bias * beta
        dims = (np.size(matrix, 1),)
    else:
        matrix = weight
        if weight.ndim != 2 or value.dims[-1] != len(weight):
            raise NotUnderstoodError(f"a product of {value.dims} with {weight.shape}")
        dims = (*value.dims[:-1], np.size(weight, 1))
    if len(matrix) != np.prod(value.dims):
        raise NotUnderstoodError(f"a product of {value.dims} with {matrix.shape}")
    name = node.output[0]
    product = value.mapped(lambda term: _product(matrix, term).reshape(*dims, term.shape[-1]), name)
    shift = constant(bias.reshape(dims) if bias.size > 1 else bias, dims, value.width)
    return plus(product, shift, 1, name)


def batch_normalised(node: onnx.NodeProto, value: Linear, flow: Flow) -> Linear:
    """BatchNormalization: the first axis behind the batch is that of the channels."""
    gain, shift, mean, variance = (_weights(flow, name).astype(np.float64) for name in node.input[1:5])
    factor = gain / np.sqrt(variance + float(attributes(node).get("epsilon", 1e-5)))  # type: ignore[arg-type]
    along = (-1, *[1] * (len(value.dims) - 1))
    scaled = times(value, constant(factor.reshape(along), value.dims, value.width), value.root)
    offset = constant((shift - mean * factor).reshape(along), value.dims, value.width)
    return plus(scaled, offset, 1, value.root)


def layer_normalised(node: onnx.NodeProto, value: Linear, flow: Flow) -> Linear:
    """LayerNormalization over the whole vector. Its third output, the scale, is added where it is left out."""
    gain = _weights(flow, node.input[1])
    shift = _weights(flow, node.input[2]) if len(node.input) > 2 else np.zeros((), np.float32)
    axis = int(attributes(node).get("axis", -1)) % (len(value.dims) + 1)  # type: ignore[call-overload]
    if np.prod(value.dims[axis - 1 :]) != np.prod(value.dims):
        raise NotUnderstoodError("a normalisation that is not over the whole vector")
    while len(node.output) < 3:
        node.output.append(f"{node.output[0]}_{('mean', 'inverse_deviation')[len(node.output) - 1]}")
    name, axes = node.output[0], tuple(range(axis - 1, len(value.dims)))
    centred = value.mapped(lambda term: term - term.mean(axis=axes, keepdims=True), name)
    scaled = times(centred, number(node.output[2], (1,) * len(value.dims), value.width), name)
    gained = times(scaled, constant(gain, value.dims, value.width), name)
    return plus(gained, constant(shift, value.dims, value.width), 1, name)


def _product(matrix: Floats, term: Floats) -> Floats:
    """W.T (out, in) @ term (in, C + 1); by what is still the vector itself nothing needs multiplying."""
    flat = term.reshape(-1, term.shape[-1])
    if np.array_equal(flat, np.eye(*flat.shape, dtype=np.float32)):
        return np.pad(matrix.T, ((0, 0), (0, flat.shape[1] - flat.shape[0])))
    return np.asarray(matrix.T @ flat)


def _weights(flow: Flow, name: str) -> Floats:
    value = flow.constant(name)
    if value is None:
        raise NotUnderstoodError(f"its weights {name} are not constant")
    return np.asarray(value, np.float32)


def _bias(flow: Flow, node: onnx.NodeProto) -> Floats:
    has = node.op_type != "MatMul" and len(node.input) > 2 and node.input[2]
    return _weights(flow, node.input[2]).reshape(-1) if has else np.zeros((), np.float32)
