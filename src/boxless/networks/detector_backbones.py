"""Classifiers as the backbones of detectors, as rows of data. Nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

STRIDES = (8, 16, 32)
"""Pixels that become one cell, by level."""


@dataclass(frozen=True)
class Backbone:
    """A classifier as the backbone of a detector.

    Attributes:
        taps: the layers whose outputs have the strides 8, 16 and 32.
        weights: what it starts with; None for random ones.
        frozen: the last layer that stays as it is while the detector learns; "" lets all learn. Early layers see
            edges and colours, which are the same for everybody, and cost most of the time.
    """

    taps: tuple[str, str, str]
    weights: str | None
    frozen: str


BACKBONES: dict[str, Backbone] = {
    "efficientnet_lite0": Backbone(("block4_add", "block10_add", "block15_project_bn"), "imagenet", "block4_add"),
    "darknet19": Backbone(("conv4_3_relu", "conv5_5_relu", "conv6_5_relu"), None, ""),
}
"""By name, of `boxless.networks.NETWORKS`."""
