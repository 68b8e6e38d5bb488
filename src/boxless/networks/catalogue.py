"""The networks of `boxless train` by name, as rows of data. Nothing heavy is imported before one is built.

`boxless fit --backbone` takes a model file instead, such as `boxless attach` makes of a classifier; those that come
with boxless are made by `tools/build_zoo.py`.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from boxless.errors import UnknownNetworkError

HEADS = ("gap", "gmp", "fc", "fc_dropout")


@dataclass(frozen=True)
class Entry:
    """A network.

    Attributes:
        module: where its function is, which has the network's name.
        size: side of the images that it was made for, in pixels.
        multiple: pixels that become one cell of its last map; sizes are multiples of it.
        pretrained: whether ImageNet weights can be had.
        narrows: whether it has a width.
        words: about it.
    """

    module: str
    size: int
    multiple: int
    pretrained: bool
    narrows: bool
    words: str


NETWORKS: dict[str, Entry] = {
    "nin": Entry(
        "network_in_network",
        32,
        4,
        False,
        True,
        "Network in Network, as its authors defined it for CIFAR-10; may not start to learn on few images",
    ),
    "nin_bn": Entry(
        "network_in_network", 32, 4, False, True, "the same with batch normalization, which trains reliably"
    ),
    "resnet50": Entry("resnet", 224, 32, True, False, "ResNet-50; ImageNet weights where they can be downloaded"),
    "alexnet_gap": Entry("cam_paper", 224, 16, False, True, "AlexNet-GAP of the CAM paper"),
    "vgg16_gap": Entry("cam_paper", 224, 16, True, True, "VGGnet-GAP of the CAM paper; ImageNet weights likewise"),
    "googlenet_gap": Entry("cam_paper", 224, 16, False, True, "GoogLeNet-GAP of the CAM paper"),
    "darknet19": Entry("darknet", 224, 32, False, True, "Darknet-19, the classifier of YOLO9000"),
    "efficientnet_lite0": Entry(
        "efficientnet_lite", 224, 32, True, False, "EfficientNet-Lite0; its ImageNet weights come with boxless"
    ),
}


def entry(name: str) -> Entry:
    """Looks up a network.

    Args:
        name: of `NETWORKS`.

    Returns:
        Its entry.

    Raises:
        UnknownNetworkError: if there is no such network; the message has the nearest names.

    Example:
        >>> entry("resnet50").size
        224
    """
    if name in NETWORKS:
        return NETWORKS[name]
    key = name.lower().replace("-", "_")
    near = difflib.get_close_matches(key, NETWORKS, n=3, cutoff=0.5)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise UnknownNetworkError(f"no network '{name}' (there are {', '.join(NETWORKS)}){hint}")


def build(name: str, classes: int, head: str = "gap", size: int | None = None, **settings: float | str | Path) -> Any:  # noqa: ANN401
    """Builds a network by name.

    Args:
        name: of NETWORKS.
        classes: how many.
        head: of HEADS.
        size: side of the images; what the network was made for where None.
        settings: of the network's function, such as `width` or `weights`.

    Returns:
        A Keras model from float32 RGB 0-255 (N, H, W, 3) to logits (N, classes), whose last layer is "logits".

    Raises:
        UnknownNetworkError: if there is no such network.
        NetworkError: if there is no such head, or weights that cannot be had.
        MissingExtraError: if Keras is not installed.

    Example:
        >>> build("nin", classes=10).output_shape  # doctest: +SKIP
        (None, 10)
    """
    found = entry(name)
    function = getattr(import_module(f"boxless.networks.{found.module}"), name)
    return function(classes, head, size or found.size, **settings)
