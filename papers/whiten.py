"""Global contrast normalisation and ZCA whitening, as the first layer of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.networks.framework import keras, layers

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_FLOOR = 0.1
_CONTRAST_FLOOR = 1e-6


class Whitening(layers.Layer):  # type: ignore[misc]
    """What Network in Network does to pictures, after Goodfellow et al. (Maxout Networks, ICML 2013).

    Each picture, as one long vector, less its mean and over its deviation; then turned to the principal components of
    the training pictures, each divided by the root of its variance plus a floor, and turned back.

    Input shape: (N, h, w, 3), 0-255. Output shape: the same, around zero.

    Args:
        side: h = w.
        mean: (h * w * 3,), of the training pictures after contrast normalisation.
        matrix: square, as long; turns, divides and turns back.
    """

    def __init__(self, side: int, mean: Floats, matrix: Floats) -> None:
        super().__init__(name="whitening", trainable=False, dtype="float32")
        self.side = side
        self._mean = keras.ops.convert_to_tensor(mean)
        self._matrix = keras.ops.convert_to_tensor(matrix)

    @classmethod
    def of(cls, train: Pixels) -> Whitening:
        """The whitening that training pictures (n, h, w, 3) amount to."""
        flat = train.reshape(len(train), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= flat.std(axis=1, keepdims=True) + _CONTRAST_FLOOR
        mean = flat.mean(axis=0)
        flat -= mean
        variance, axes = np.linalg.eigh(flat.T @ flat / len(flat))
        return cls(
            train.shape[1], mean, ((axes / np.sqrt(np.maximum(variance, 0) + _FLOOR)) @ axes.T).astype(np.float32)
        )

    def call(self, images: Any) -> Any:  # noqa: ANN401
        """The pictures, whitened."""
        ops = keras.ops
        flat = ops.reshape(images, (-1, self.side * self.side * 3))
        flat = flat - ops.mean(flat, axis=1, keepdims=True)
        flat = flat / (ops.std(flat, axis=1, keepdims=True) + _CONTRAST_FLOOR)
        return ops.reshape(ops.matmul(flat - self._mean, self._matrix), (-1, self.side, self.side, 3))


def whitened(network: Any, whitening: Whitening) -> Any:  # noqa: ANN401
    """A network of `boxless.networks` that is shown whitened pictures: a Keras model from 0-255 to logits.

    The network's own first layer, which is made for pixels, is undone.
    """
    own = network.get_layer("normalisation")
    image = keras.Input((whitening.side, whitening.side, 3), name="picture")
    undone = layers.Rescaling(
        1 / np.asarray(own.scale), -np.asarray(own.offset) / np.asarray(own.scale), name="undone", dtype="float32"
    )
    return keras.Model(image, network(undone(whitening(image))), name=f"whitened_{network.name}")
