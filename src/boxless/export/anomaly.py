"""Anomaly score: how far each position's features are from those of the images that a model learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from boxless.export.assemble import append_part, tensor_info

Floats = NDArray[np.float32]

_SHRINKAGE = 0.05
"""This share of the mean variance is added to each: few images must not make any direction impossible."""

# The Mahalanobis distance: the length of (whitening @ (features - mean)), position by position.
_ANOMALY = """
anomaly (float[N, C, u, v] cells, float[C, C] anomaly_whitening, float[C, 1] anomaly_mean) => (float[N, u, v] anomaly)
<int64[3] anomaly_flat_shape = {0, 0, -1}, int64[1] anomaly_batch = {0}, int64[1] anomaly_channels = {1}>
{
    anomaly_flat = Reshape (cells, anomaly_flat_shape)
    anomaly_centred = Sub (anomaly_flat, anomaly_mean)
    anomaly_white = MatMul (anomaly_whitening, anomaly_centred)
    anomaly_row = ReduceL2 <keepdims = 0> (anomaly_white, anomaly_channels)
    anomaly_grid = Shape <start = 2, end = 4> (cells)
    anomaly_shape = Concat <axis = 0> (anomaly_batch, anomaly_grid)
    anomaly = Reshape (anomaly_row, anomaly_shape)
}
"""


@dataclass(frozen=True, eq=False)
class Gaussian:
    """What positions of images of a kind are made of: the normal distribution of their features.

    Attributes:
        mean: (C,).
        whitening: (C, C), so that whitening @ (x - mean) has the identity as its covariance.
    """

    mean: Floats
    whitening: Floats

    def distances(self, cells: Floats) -> Floats:
        """The Mahalanobis distance (u, v) of cells (C, u, v); the NumPy reference of the graph's `anomaly`."""
        centred = cells.reshape(len(cells), -1) - self.mean[:, None]
        return np.asarray(np.linalg.norm(self.whitening @ centred, axis=0).reshape(cells.shape[1:]), np.float32)

    @classmethod
    def of(cls, cells: Floats) -> Gaussian:
        """That of features (n, C); the covariance is shrunk a little towards equal variances."""
        covariance = np.cov(cells.T.astype(np.float64))
        covariance += _SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        # With L L' = C^-1, |L' (x - mean)| is the Mahalanobis distance.
        whitening = np.linalg.cholesky(np.linalg.inv(covariance)).T
        return cls(cells.mean(axis=0, dtype=np.float64).astype(np.float32), whitening.astype(np.float32))


def append_anomaly(graph: onnx.GraphProto, gaussian: Gaussian, cells: str) -> None:
    """Appends the output `anomaly` float32 (N, u, v), of the features of the tensor `cells` (N, C, u, v)."""
    graph.initializer.append(numpy_helper.from_array(gaussian.whitening, "anomaly_whitening"))
    graph.initializer.append(numpy_helper.from_array(gaussian.mean[:, None], "anomaly_mean"))
    append_part(graph, _ANOMALY, cells=cells)
    graph.output.append(tensor_info("anomaly", TensorProto.FLOAT, "N", "u", "v"))
