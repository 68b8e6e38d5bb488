"""The networks of the CAM paper (Zhou et al., CVPR 2016): classifiers cut while their map is still 14x14.

Behind the cut: a 3x3 convolution of 1024 units, global average pooling, one dense layer.

    AlexNet-GAP     cut after conv5        Krizhevsky et al., NeurIPS 2012
    VGGnet-GAP      cut after conv5_3      Simonyan, Zisserman, arXiv 1409.1556
    GoogLeNet-GAP   cut after inception4e  Szegedy et al., arXiv 1409.4842, table 1

Local response normalisation is left out: VGG's authors found it not to help. Padding keeps every size a whole
fraction of the image's, so AlexNet's map is 14x14 at 224 px, where the original's was 13x13 at 227.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxless.networks.blocks import convolution, halved, normalised, scaled
from boxless.networks.framework import keras, layers
from boxless.networks.heads import image_input, logits_of_features
from boxless.networks.pretrained import CAFFE_MEAN, CAFFE_STD, load_caffe_weights

_VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

# 1x1; 1x1 then 3x3; 1x1 then 5x5; pooling then 1x1.
_INCEPTIONS = {
    "inception3a": (64, (96, 128), (16, 32), 32),
    "inception3b": (128, (128, 192), (32, 96), 64),
    "inception4a": (192, (96, 208), (16, 48), 64),
    "inception4b": (160, (112, 224), (24, 64), 64),
    "inception4c": (128, (128, 256), (24, 64), 64),
    "inception4d": (112, (144, 288), (32, 64), 64),
    "inception4e": (256, (160, 320), (32, 128), 128),
}


def alexnet_gap(classes: int = 1000, head: str = "gap", size: int = 224, *, width: float = 1.0) -> Any:  # noqa: ANN401
    """AlexNet-GAP: five convolutions (2,334,080 parameters), the paper's 3x3x1024 behind them.

    Args:
        classes, head, size, width: as for `boxless.networks.nin`.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Example:
        >>> alexnet_gap(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    x = convolution(normalised(image), scaled(96, width), 11, "conv1", strides=4)
    x = halved(x, "pool1", kernel=3)
    x = convolution(x, scaled(256, width), 5, "conv2", groups=2)
    x = halved(x, "pool2", kernel=3)
    x = convolution(x, scaled(384, width), 3, "conv3")
    x = convolution(x, scaled(384, width), 3, "conv4", groups=2)
    x = convolution(x, scaled(256, width), 3, "conv5", groups=2)
    return _with_cam_head("alexnet_gap", image, x, head, classes, width)


def vgg16_gap(
    classes: int = 1000, head: str = "gap", size: int = 224, *, width: float = 1.0, weights: str | Path | None = None
) -> Any:  # noqa: ANN401
    """VGGnet-GAP: VGG16's thirteen convolutions (14,714,688 parameters) without the last pooling.

    Args:
        classes, head, size, width: as for `boxless.networks.nin`.
        weights: "imagenet", or the file that Keras publishes (without top), for all but the last two layers.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Raises:
        NetworkError: if the weights cannot be had.

    Example:
        >>> vgg16_gap(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    x = normalised(image, CAFFE_MEAN, CAFFE_STD)
    for stage, filters in enumerate(_VGG16, start=1):
        for index, count in enumerate(filters, start=1):
            x = convolution(x, scaled(count, width), 3, f"block{stage}_conv{index}")
        if stage < len(_VGG16):
            x = halved(x, f"block{stage}_pool")
    if weights is not None:
        load_caffe_weights(keras.Model(image, x), weights, "VGG16", "block1_conv1")
    return _with_cam_head("vgg16_gap", image, x, head, classes, width)


def googlenet_gap(classes: int = 1000, head: str = "gap", size: int = 224, *, width: float = 1.0) -> Any:  # noqa: ANN401
    """GoogLeNet-GAP: up to inception4e, without the auxiliary classifiers.

    Args:
        classes, head, size, width: as for `boxless.networks.nin`.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Example:
        >>> googlenet_gap(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    x = convolution(normalised(image), scaled(64, width), 7, "conv1", strides=2)
    x = halved(x, "pool1", kernel=3)
    x = convolution(x, scaled(64, width), 1, "conv2_reduce")
    x = convolution(x, scaled(192, width), 3, "conv2")
    x = halved(x, "pool2", kernel=3)
    for name in _INCEPTIONS:
        if name == "inception4a":
            x = halved(x, "pool3", kernel=3)
        x = inception(x, name, width)
    return _with_cam_head("googlenet_gap", image, x, head, classes, width)


def inception(x: Any, name: str, width: float = 1.0) -> Any:  # noqa: ANN401
    """One of GoogLeNet's modules, by name: four ways through, side by side in the result."""
    one, three, five, pooled = _INCEPTIONS[name]
    ways = [convolution(x, scaled(one, width), 1, f"{name}_1x1")]
    for kernel, (reduced, count) in ((3, three), (5, five)):
        narrow = convolution(x, scaled(reduced, width), 1, f"{name}_{kernel}x{kernel}_reduce")
        ways.append(convolution(narrow, scaled(count, width), kernel, f"{name}_{kernel}x{kernel}"))
    largest = layers.MaxPooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    ways.append(convolution(largest, scaled(pooled, width), 1, f"{name}_pool_proj"))
    return layers.Concatenate(name=name)(ways)


def _with_cam_head(name: str, image: Any, x: Any, head: str, classes: int, width: float) -> Any:  # noqa: ANN401
    features = convolution(x, scaled(1024, width), 3, "cam_conv")
    return keras.Model(image, logits_of_features(features, head, classes), name=name)
