"""Networks that end in class maps, in Keras: plain functions, each with any of four heads.

Public is what docs/api lists of it; the rest is internal.

>>> from boxless.networks import nin
>>> nin(classes=10, head="gap").count_params()
966986
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from boxless.networks.catalogue import HEADS, NETWORKS, Entry, build, entry

if TYPE_CHECKING:
    from boxless.networks.cam_paper import alexnet_gap, googlenet_gap, vgg16_gap
    from boxless.networks.darknet import darknet19
    from boxless.networks.efficientnet_lite import efficientnet_lite0
    from boxless.networks.network_in_network import mlpconv, nin, nin_bn
    from boxless.networks.resnet import resnet50

__all__ = [
    "HEADS",
    "NETWORKS",
    "Entry",
    "alexnet_gap",
    "build",
    "darknet19",
    "efficientnet_lite0",
    "entry",
    "googlenet_gap",
    "mlpconv",
    "nin",
    "nin_bn",
    "resnet50",
    "vgg16_gap",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in NETWORKS:
        return getattr(import_module(f"boxless.networks.{NETWORKS[name].module}"), name)
    if name == "mlpconv":
        return import_module("boxless.networks.network_in_network").mlpconv
    raise AttributeError(f"module 'boxless.networks' has no attribute '{name}'")
