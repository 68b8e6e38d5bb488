"""A one-stage detector: a backbone, a small feature pyramid, and one head shared over its levels.

What each cell of a level says is a logit a class and the distances from the cell's centre to the four edges of a box,
without anchors (FCOS: Tian et al., ICCV 2019). The grid of predictions is YOLO's (Redmon et al., CVPR 2016); the
pyramid is Lin et al.'s (CVPR 2017); convolutions shared over levels with a normalisation a level are RTMDet's (Lyu et
al., arXiv 2212.07784). Written from the papers.
"""

from __future__ import annotations

from math import log
from typing import Any

from boxless.errors import UnknownNetworkError
from boxless.networks.blocks import BN_MOMENTUM, convolution
from boxless.networks.catalogue import build
from boxless.networks.detector_backbones import BACKBONES, STRIDES
from boxless.networks.framework import keras, layers

_PRIOR = 0.01
"""The initial probability of every class (focal loss: Lin et al., ICCV 2017)."""

_FIRST_DISTANCE = 2.0
"""In cells: boxes are at first about four cells wide."""


def detector(
    backbone: str = "efficientnet_lite0",
    classes: int = 80,
    *,
    channels: int = 48,
    depth: int = 2,
    pretrained: bool = True,
    width: float = 1.0,
) -> Any:  # noqa: ANN401
    """A detector.

    Args:
        backbone: of BACKBONES.
        classes: how many, K.
        channels: of the pyramid and the head.
        depth: convolutions of each branch of the head.
        pretrained: start from the backbone's weights, where it has some.
        width: factor on the numbers of filters of a backbone that narrows.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to a map (N, h, w, K + 4) for each of STRIDES: logits, then
        the distances left, top, right, bottom of the cell's centre, in cells, not negative. H and W are
        multiples of 32.

    Raises:
        UnknownNetworkError: if there is no such backbone.
    """
    if backbone not in BACKBONES:
        raise UnknownNetworkError(f"no backbone '{backbone}' (expected {' or '.join(BACKBONES)})")
    row = BACKBONES[backbone]
    settings: dict[str, Any] = {"weights": row.weights} if row.weights and pretrained else {}
    if width != 1:
        settings["width"] = width
    trunk = build(backbone, 1, "gap", **settings)
    if row.weights and pretrained and row.frozen:
        for layer in trunk.layers:
            layer.trainable = False
            if layer.name == row.frozen:
                break
    levels = pyramid([trunk.get_layer(name).output for name in row.taps], channels)
    return keras.Model(trunk.input, _head(levels, classes, channels, depth), name=f"{backbone}_detector")


def pyramid(features: list[Any], channels: int) -> list[Any]:
    """Feature maps of rising stride, each twice the last, as maps of equal depth that know what the deeper ones saw.

    Args:
        features: (N, h, w, C), with C and h, w of their own.
        channels: of the results.
    """
    sides = [_normed(convolution(x, channels, 1, f"side{i}", **_BARE), f"side{i}") for i, x in enumerate(features)]
    levels = [sides[-1]]
    for i in range(len(sides) - 2, -1, -1):
        above = layers.UpSampling2D(2, name=f"up{i}")(levels[0])
        joined = layers.Add(name=f"joined{i}")([sides[i], above])
        levels.insert(0, _normed(convolution(joined, channels, 3, f"level{i}", **_BARE), f"level{i}"))
    return levels


_BARE: dict[str, Any] = {"activation": None, "use_bias": False}


def _normed(x: Any, name: str) -> Any:  # noqa: ANN401
    x = layers.BatchNormalization(momentum=BN_MOMENTUM, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _head(levels: list[Any], classes: int, channels: int, depth: int) -> list[Any]:
    """Two branches, one for what and one for where; the convolutions see all levels, the normalisations one each."""

    def branch(what: str) -> list[Any]:
        maps = levels
        for index in range(depth):
            name = f"{what}{index + 1}"
            shared = layers.Conv2D(
                channels, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
            )
            maps = [_normed(shared(x), f"{name}_{STRIDES[i]}") for i, x in enumerate(maps)]
        return maps

    constant = keras.initializers.Constant
    small = keras.initializers.RandomNormal(stddev=0.01)
    logits = layers.Conv2D(
        classes, 1, kernel_initializer=small, bias_initializer=constant(-log((1 - _PRIOR) / _PRIOR)), name="logits"
    )
    distances = layers.Conv2D(
        4, 1, kernel_initializer=small, bias_initializer=constant(_FIRST_DISTANCE), activation="softplus", name="edges"
    )
    pairs = zip(branch("what"), branch("where"), STRIDES, strict=True)
    return [
        layers.Concatenate(name=f"said{stride}", dtype="float32")([logits(what), distances(where)])
        for what, where, stride in pairs
    ]
