"""What networks are made of, by stable names."""

from __future__ import annotations

from typing import Any

from boxless.networks.framework import layers

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)

BN_MOMENTUM = 0.9
"""Of the running means: at Keras' 0.99 a training of few steps would be judged by means of its first ones."""


def normalised(
    image: Any,  # noqa: ANN401
    mean: tuple[float, float, float] = IMAGENET_MEAN,
    std: tuple[float, float, float] = IMAGENET_STD,
) -> Any:  # noqa: ANN401
    """(image - mean) / std of R, G and B on the scale 0-255, as the layer "normalisation"."""
    scale = [1 / each for each in std]
    offset = [-m / s for m, s in zip(mean, std, strict=True)]
    return layers.Rescaling(scale, offset, name="normalisation", dtype="float32")(image)


def convolution(x: Any, filters: int, kernel: int, name: str, **settings: Any) -> Any:  # noqa: ANN401
    """A convolution with bias and ReLU, padded to keep the size."""
    settings = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal", **settings}
    return layers.Conv2D(filters, kernel, name=name, **settings)(x)


def normed_convolution(
    x: Any,  # noqa: ANN401
    filters: int,
    kernel: int,
    name: str,
    negative_slope: float = 0.0,
    **settings: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """A convolution without bias, batch normalisation "NAME_bn", and (leaky) ReLU "NAME_relu"."""
    x = convolution(x, filters, kernel, name, activation=None, use_bias=False, **settings)
    x = layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(negative_slope=negative_slope, name=f"{name}_relu")(x)


def halved(x: Any, name: str, kernel: int = 2) -> Any:  # noqa: ANN401
    """Max-pooling at stride 2; an even size is halved exactly."""
    return layers.MaxPooling2D(kernel, 2, padding="same", name=name)(x)


def scaled(filters: int, width: float) -> int:
    """A number of filters times the width of the network, at least 8."""
    return max(8, round(filters * width))
