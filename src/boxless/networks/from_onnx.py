"""Weights out of a boxless model into a Keras network of the same convolutions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from boxless.errors import NetworkError
from boxless.models.zoo import models
from boxless.networks.framework import keras
from boxless.system.extras import missing_extra


def load_folded_weights(network: Any, weights: str | Path) -> None:  # noqa: ANN401
    """Loads the convolutions of an ONNX graph, in their order, into the network, and freezes batch normalisation.

    A folded convolution is W * x + b. Here it is W, then batch normalisation made to add b and no more: its mean 0,
    its variance 1 - epsilon, its factor 1. Frozen, because the means of the images that it would compute anew are
    no longer in the file.

    Args:
        network: convolutions without bias, each followed by the batch normalisation of its name.
        weights: "imagenet" or the name of an embedded model; or the path of one.

    Raises:
        NetworkError: if the convolutions are not the network's.
        MissingExtraError: if onnx is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError:
        raise missing_extra("reading weights", "onnx", "train") from None
    name = "efficientnet-lite0" if str(weights) == "imagenet" else str(weights)
    path = models().get(name, Path(name))
    if not path.is_file():
        raise NetworkError(f"{path}: no such file (expected imagenet, or the path of a boxless model)")
    try:
        graph = onnx.load(path).graph
    # Protobuf's error has no name that is promised.
    except Exception:
        raise NetworkError(f"{path}: not an ONNX file") from None
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    found = [
        [numpy_helper.to_array(tensors[name]) for name in node.input[1:3] if name in tensors]
        for node in graph.node
        if node.op_type == "Conv"
    ]
    wanted = [layer for layer in network.layers if _is_convolution(layer)]
    if len(found) != len(wanted):
        raise NetworkError(f"{path}: {len(found)} convolutions (expected the {len(wanted)} of {network.name})")
    for layer, pair in zip(wanted, found, strict=True):
        if len(pair) != 2:
            raise NetworkError(f"{path}: a convolution without constant weights (expected those of {network.name})")
        kernel, bias = pair
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        # ONNX has (out, in, h, w), depthwise (channels, 1, h, w); Keras (h, w, in, out) and (h, w, channels, 1).
        kernel = kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0)
        expected = tuple(layer.kernel.shape)
        if kernel.shape != expected:
            raise NetworkError(f"{path}: a kernel {kernel.shape} where {layer.name} of {network.name} has {expected}")
        layer.set_weights([kernel])
        norm = network.get_layer(f"{layer.name}_bn")
        ones = np.ones(len(bias), np.float32)
        norm.set_weights([ones, bias, 0 * ones, ones - np.float32(norm.epsilon)])
        norm.trainable = False


def _is_convolution(layer: Any) -> bool:  # noqa: ANN401
    return isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
