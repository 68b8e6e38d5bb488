"""Novelty: how far each position's features are from those of the pictures that a model learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from boxless.export.assemble import append_part, tensor_info

Floats = NDArray[np.float32]

_SHRINKAGE = 0.05
"""This share of the mean variance is added to each: few pictures must not make any direction impossible."""

# The Mahalanobis distance: the length of (whitening @ (features - mean)), position by position.
_NOVELTY = """
novelty (float[N, C, u, v] cells, float[C, C] novelty_whitening, float[C, 1] novelty_mean) => (float[N, u, v] novelty)
<int64[3] novelty_flat_shape = {0, 0, -1}, int64[1] novelty_batch = {0}, int64[1] novelty_channels = {1}>
{
    novelty_flat = Reshape (cells, novelty_flat_shape)
    novelty_centred = Sub (novelty_flat, novelty_mean)
    novelty_white = MatMul (novelty_whitening, novelty_centred)
    novelty_row = ReduceL2 <keepdims = 0> (novelty_white, novelty_channels)
    novelty_grid = Shape <start = 2, end = 4> (cells)
    novelty_shape = Concat <axis = 0> (novelty_batch, novelty_grid)
    novelty = Reshape (novelty_row, novelty_shape)
}
"""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """What positions of pictures of a kind are made of: the normal distribution of their features.

    Attributes:
        mean: (C,).
        whitening: (C, C), so that whitening @ (x - mean) has the identity as its covariance.
    """

    mean: Floats
    whitening: Floats

    @classmethod
    def of(cls, cells: Floats) -> Gaussian:
        """That of features (n, C); the covariance is shrunk a little towards equal variances."""
        covariance = np.cov(cells.T.astype(np.float64))
        covariance += _SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        # With L L' = C^-1, |L' (x - mean)| is the Mahalanobis distance.
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)).T
        return cls(cells.mean(axis=0, dtype=np.float64).astype(np.float32), whitening.astype(np.float32))


def append_novelty(graph: onnx.GraphProto, gaussian: Gaussian, cells: str) -> None:
    """Appends the output `novelty` float32 (N, u, v).

    Args:
        graph: makes `cells`.
        gaussian: of the features of `cells`.
        cells: the name of a feature map (N, C, u, v).
    """
    graph.initializer.append(numpy_helper.from_array(gaussian.whitening, "novelty_whitening"))
    graph.initializer.append(numpy_helper.from_array(gaussian.mean[:, None], "novelty_mean"))
    append_part(graph, _NOVELTY, cells=cells)
    graph.output.append(tensor_info("novelty", TensorProto.FLOAT, "N", "u", "v"))
