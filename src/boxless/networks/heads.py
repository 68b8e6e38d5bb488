"""The four heads that the papers compare: how a feature map becomes one number a class.

    gap         logits = mean_xy(F) @ W + b       global average pooling (Lin et al., arXiv 1312.4400)
    gmp         logits = max_xy(F) @ W + b        global max pooling (Oquab et al., CVPR 2015)
    fc          logits = flatten(F) @ W + b       a weight of its own for every cell, so one size of image
    fc_dropout  the same, half of its inputs dropped in training

A network that ends in class maps (its last convolution has a filter a class: NIN, Darknet-19) has them pooled as
they are, or flattened into the dense layer.
"""

from __future__ import annotations

from typing import Any

from boxless.errors import NetworkError
from boxless.networks.catalogue import HEADS
from boxless.networks.framework import keras, layers


def image_input(head: str, size: int) -> Any:  # noqa: ANN401
    """The input "image": float32 RGB 0-255, (N, H, W, 3) of any size, or (N, size, size, 3) where the head needs it.

    Raises:
        NetworkError: if there is no such head.
    """
    if head not in HEADS:
        raise NetworkError(f"no head '{head}' (expected {', '.join(HEADS)})")
    side = size if is_fully_connected(head) else None
    return keras.Input((side, side, 3), name="image")


def is_fully_connected(head: str) -> bool:
    """Whether the head flattens the map, and so has no class maps and one size of image."""
    return head in ("fc", "fc_dropout")


def logits_of_features(features: Any, head: str, classes: int) -> Any:  # noqa: ANN401
    """The logits (N, classes) of a feature map (N, h, w, C): pooled or flattened, then dense."""
    return layers.Dense(classes, name="logits", dtype="float32")(_pooled(features, head, "pool"))


def logits_of_maps(maps: Any, head: str, classes: int) -> Any:  # noqa: ANN401
    """The logits (N, classes) of class maps (N, h, w, classes): pooled as they are, or flattened into a dense layer."""
    if is_fully_connected(head):
        return layers.Dense(classes, name="logits", dtype="float32")(_pooled(maps, head, "pool"))
    return _pooled(maps, head, "logits")


def _pooled(maps: Any, head: str, name: str) -> Any:  # noqa: ANN401
    """(N, C), or (N, h * w * C) where it is flattened."""
    if head == "gap":
        return layers.GlobalAveragePooling2D(name=name, dtype="float32")(maps)
    if head == "gmp":
        return layers.GlobalMaxPooling2D(name=name, dtype="float32")(maps)
    flat = layers.Flatten(name="flatten")(maps)
    return layers.Dropout(0.5, name="head_dropout")(flat) if head == "fc_dropout" else flat
