"""Values that are linear in a vector, up to numbers that only the image knows.

    value(p) = sum over scales s of  s * (A_s @ p + c_s),   s = 1 (None) or a number of the image's own

A and c are kept as one array, c the last column, so that whatever moves or mixes numbers does it to both at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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
