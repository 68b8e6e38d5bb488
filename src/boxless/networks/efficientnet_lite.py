"""EfficientNet-Lite0 (Tan, Le, arXiv 1905.11946; Lite: no squeeze-and-excitation, ReLU6), with embedded weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxless.networks.blocks import BN_MOMENTUM, convolution, normalised
from boxless.networks.framework import keras, layers
from boxless.networks.heads import image_input, logits_of_features

_MEAN, _STD = (127.0,) * 3, (128.0,) * 3

# Of each stage: blocks, kernel, stride of the first block, expansion, filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _FEATURES = 32, 1280


def efficientnet_lite0(
    classes: int = 1000, head: str = "gap", size: int = 224, *, weights: str | Path | None = None
) -> Any:  # noqa: ANN401
    """EfficientNet-Lite0: 4,652,008 trainable parameters at 1000 classes; a 7x7 map at 224 px.

    Args:
        classes, head, size: as for `boxless.networks.nin`.
        weights: "imagenet" for those of the model that comes with boxless, or the path of a boxless model with this
            network in it; for all but the last layer. Their batch normalisation was folded into the convolutions,
            so it stays as it is: those layers are frozen.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Raises:
        NetworkError: if the weights are not of this network.
        MissingExtraError: if weights are asked for and onnx is not installed.

    Example:
        >>> efficientnet_lite0(classes=10, weights="imagenet").output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    x = _normed(convolution(normalised(image, _MEAN, _STD), _STEM, 3, "stem", strides=2, **_BARE), "stem")
    number = 0
    for blocks, kernel, first_stride, expansion, filters in _STAGES:
        for index in range(blocks):
            x = _block(x, f"block{number}", kernel, first_stride if index == 0 else 1, expansion, filters)
            number += 1
    features = _normed(convolution(x, _FEATURES, 1, "features", **_BARE), "features")
    network = keras.Model(image, logits_of_features(features, head, classes), name="efficientnet_lite0")
    if weights is not None:
        from boxless.networks.from_onnx import load_folded_weights

        load_folded_weights(network, weights)
    return network


_BARE: dict[str, Any] = {"activation": None, "use_bias": False}


def _block(x: Any, name: str, kernel: int, stride: int, expansion: int, filters: int) -> Any:  # noqa: ANN401
    """An inverted bottleneck (Sandler et al., CVPR 2018): widen, filter each channel, narrow, add what came in."""
    entered, channels = x, x.shape[-1]
    if expansion > 1:
        x = _normed(convolution(x, channels * expansion, 1, f"{name}_expand", **_BARE), f"{name}_expand")
    depthwise = layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, depthwise_initializer="he_normal", name=f"{name}_depthwise"
    )
    x = _normed(depthwise(x), f"{name}_depthwise")
    x = _normed(convolution(x, filters, 1, f"{name}_project", **_BARE), f"{name}_project", bent=False)
    return layers.Add(name=f"{name}_add")([x, entered]) if stride == 1 and channels == filters else x


def _normed(x: Any, name: str, bent: bool = True) -> Any:  # noqa: ANN401
    x = layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu6")(x) if bent else x
