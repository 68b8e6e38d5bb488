"""ResNet-50 (He et al., CVPR 2016), as `keras.applications` has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxless.networks.blocks import BN_MOMENTUM, normalised
from boxless.networks.framework import keras
from boxless.networks.heads import image_input, logits_of_features
from boxless.networks.pretrained import CAFFE_MEAN, CAFFE_STD, load_caffe_weights


def resnet50(classes: int = 1000, head: str = "gap", size: int = 224, *, weights: str | Path | None = None) -> Any:  # noqa: ANN401
    """ResNet-50: 25,636,712 parameters at 1000 classes; a 7x7 map at 224 px.

    Args:
        classes, head, size: as for `boxless.networks.nin`.
        weights: "imagenet", or the file that Keras publishes (without top), for all but the last layer.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes); its layers have the names of
        `keras.applications`.

    Raises:
        NetworkError: if the weights cannot be had.

    Example:
        >>> resnet50(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    backbone = keras.applications.ResNet50(
        include_top=False, weights=None, input_tensor=normalised(image, CAFFE_MEAN, CAFFE_STD)
    )
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = BN_MOMENTUM
    if weights is not None:
        load_caffe_weights(backbone, weights, "ResNet50", "conv1_conv")
    return keras.Model(image, logits_of_features(backbone.output, head, classes), name="resnet50")
