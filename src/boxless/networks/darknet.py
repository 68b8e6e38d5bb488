"""Darknet-19 (Redmon, Farhadi, arXiv 1612.08242, table 6): YOLO9000's classifier, which ends in class maps and GAP."""

from __future__ import annotations

from typing import Any

from boxless.networks.blocks import convolution, halved, normalised, normed_convolution, scaled
from boxless.networks.framework import keras
from boxless.networks.heads import image_input, logits_of_maps

# Filters of 3x3 convolutions; the ones between them are 1x1 of half as many. Stages are parted by max-pooling.
_STAGES = ((32,), (64,), (128, 64, 128), (256, 128, 256), (512, 256, 512, 256, 512), (1024, 512, 1024, 512, 1024))


def darknet19(classes: int = 1000, head: str = "gap", size: int = 224, *, width: float = 1.0) -> Any:  # noqa: ANN401
    """Darknet-19: 19 convolutions, batch normalisation, leaky ReLU of 0.1; a 7x7 map at 224 px.

    Args:
        classes, head, size, width: as for `boxless.networks.nin`.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes); at 1000 classes 20,842,376 trainable
        parameters.

    Example:
        >>> darknet19(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    image = image_input(head, size)
    # The original's images are on the scale 0-1.
    x = normalised(image, (0.0,) * 3, (255.0,) * 3)
    for stage, filters in enumerate(_STAGES, start=1):
        if stage > 1:
            x = halved(x, f"pool{stage - 1}")
        for index, count in enumerate(filters):
            kernel = 3 if index % 2 == 0 else 1
            x = normed_convolution(x, scaled(count, width), kernel, f"conv{stage}_{index + 1}", negative_slope=0.1)
    maps = convolution(x, classes, 1, "class_maps", activation=None)
    return keras.Model(image, logits_of_maps(maps, head, classes), name="darknet19")
