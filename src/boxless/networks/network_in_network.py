"""Network in Network (Lin, Chen, Yan, arXiv 1312.4400): the first to end in global average pooling.

The authors' CIFAR-10 definition: three mlpconv blocks, the first two followed by 3x3 max-pooling at stride 2 and
dropout; ReLU after every convolution, the last too. At 32 px its class maps are 8x8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from boxless.networks.blocks import convolution, halved, normalised, normed_convolution, scaled
from boxless.networks.framework import keras, layers
from boxless.networks.heads import image_input, logits_of_maps

_BLOCKS = ((5, (192, 160, 96)), (5, (192, 192, 192)), (3, (192, 192)))

Convolution = Callable[..., Any]


def mlpconv(x: Any, filters: Sequence[int], kernel: int, name: str, layer: Convolution = convolution) -> Any:  # noqa: ANN401
    """A small multilayer perceptron slid over the map: one convolution, then 1x1 ones, each with a ReLU.

    Args:
        x: (N, h, w, C).
        filters: of each convolution, in order; they are named NAME_1, NAME_2 and so on.
        kernel: size of the first convolution.
        name: of the block.
        layer: makes a convolution with its ReLU, of (x, filters, kernel, name).

    Returns:
        (N, h, w, filters[-1]).

    Example:
        >>> mlpconv(keras.Input((32, 32, 3)), [16, 8], 5, "block").shape  # doctest: +SKIP
        (None, 32, 32, 8)
    """
    for index, count in enumerate(filters):
        x = layer(x, count, kernel if index == 0 else 1, f"{name}_{index + 1}")
    return x


def nin(classes: int = 10, head: str = "gap", size: int = 32, *, width: float = 1.0, dropout: float = 0.5) -> Any:  # noqa: ANN401
    """Network in Network for CIFAR-10: 966,986 parameters at 10 classes.

    The paper feeds it images after global contrast normalisation and ZCA whitening; here the means and deviations
    of ImageNet's colours are enough. Weights start as He et al. (2015) advise; the authors' began at 0.05 deviation.

    Args:
        classes: how many.
        head: gap, gmp, fc or fc_dropout; as in the paper's comparison, fc takes the flattened last maps.
        size: side of the images, which only the fc heads are bound to.
        width: factor on all numbers of filters but the last.
        dropout: the share that is dropped after the first two blocks.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Example:
        >>> nin(classes=10).count_params()  # doctest: +SKIP
        966986
    """
    return _nin("nin", convolution, classes, head, size, width, dropout, last_activation="relu")


def nin_bn(classes: int = 10, head: str = "gap", size: int = 32, *, width: float = 1.0, dropout: float = 0.5) -> Any:  # noqa: ANN401
    """`nin` with batch normalisation in place of the biases, and a last convolution that is linear.

    It trains at once where `nin` needs patience, and its class maps may be negative.

    Args:
        classes, head, size, width, dropout: as for `nin`.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes).

    Example:
        >>> nin_bn(classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    return _nin("nin_bn", normed_convolution, classes, head, size, width, dropout, last_activation=None)


def _nin(
    name: str,
    layer: Convolution,
    classes: int,
    head: str,
    size: int,
    width: float,
    dropout: float,
    last_activation: str | None,
) -> Any:  # noqa: ANN401
    image = image_input(head, size)
    x = normalised(image)
    for index, (kernel, filters) in enumerate(_BLOCKS, start=1):
        x = mlpconv(x, [scaled(each, width) for each in filters], kernel, f"mlpconv{index}", layer)
        if index < len(_BLOCKS):
            x = halved(x, f"pool{index}", kernel=3)
            x = layers.Dropout(dropout, name=f"dropout{index}")(x)
    maps = convolution(x, classes, 1, "class_maps", activation=last_activation)
    return keras.Model(image, logits_of_maps(maps, head, classes), name=name)
