"""ImageNet weights that Keras publishes, and where to put them on a machine without network."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from boxless.errors import NetworkError, first_line
from boxless.networks.framework import keras

CAFFE_MEAN = (123.68, 116.779, 103.939)
CAFFE_STD = (1.0, 1.0, 1.0)
"""ResNet-50 and VGG16 of Keras want B, G, R minus the means. Here R, G, B go in: the first kernel is turned instead."""

FILES = {
    "ResNet50": (
        "https://storage.googleapis.com/tensorflow/keras-applications/resnet/"
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    ),
    "VGG16": (
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    ),
}


def load_caffe_weights(backbone: Any, weights: str | Path, name: str, first: str) -> None:  # noqa: ANN401
    """Loads Keras' own weights into a network without top, and turns its first kernel from BGR to RGB.

    Args:
        backbone: with the layers of `keras.applications`' network of that name.
        weights: "imagenet", or the path of the file that Keras would download.
        name: "ResNet50" or "VGG16".
        first: the name of its first convolution.

    Raises:
        NetworkError: if they cannot be downloaded, read, or do not fit.
    """
    path = _downloaded(name) if str(weights) == "imagenet" else Path(weights)
    if not path.is_file():
        raise NetworkError(f"{path}: no such file (expected the weights of {name} without top, {FILES[name]})")
    try:
        backbone.load_weights(path)
    # Keras raises nearly anything on what it cannot load.
    except Exception as error:
        raise NetworkError(f"{path}: not the weights of {name} without top ({first_line(error)})") from None
    layer = backbone.get_layer(first)
    kernel, *others = layer.get_weights()
    layer.set_weights([kernel[:, :, ::-1], *others])


def _downloaded(name: str) -> Path:
    url = FILES[name]
    file = url.rpartition("/")[2]
    try:
        # Standard output is for results.
        with contextlib.redirect_stdout(sys.stderr):
            return Path(keras.utils.get_file(file, url, cache_subdir="models"))
    # No network has many faces.
    except Exception as error:
        folder = Path(os.environ.get("KERAS_HOME", "~/.keras")) / "models"
        reason = first_line(error).replace(url, "its address")
        raise NetworkError(
            f"the ImageNet weights of {name} could not be downloaded ({reason}): put {url} into {folder} by hand, or "
            "fine-tune efficientnet_lite0, whose weights come with boxless"
        ) from None
