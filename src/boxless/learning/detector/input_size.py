"""The input size of a detector, chosen so that small objects keep enough pixels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.networks.detector_backbones import STRIDES

DEFAULT_SIZE, MAX_SIZE = 256, 768

_PIXELS = 16
"""The shorter side that three of four boxes should have at the input: two cells of the finest level."""

_QUARTILE = 0.25


def input_size_for(pseudo_labels: Sequence[PseudoLabels], own_side: float) -> int:
    """The input size at which three of four boxes are at least 16 pixels wide and high.

    Args:
        pseudo_labels: of the training images.
        own_side: the median side of the images in pixels, the root of their area. Enlarging them beyond it adds
            nothing that a network could see.

    Returns:
        A multiple of 32, from 256 to 768.

    Example:
        >>> box = np.array([[0.1, 0.1, 0.2, 0.14]], np.float32)
        >>> input_size_for([PseudoLabels.of_truth(box, np.array([0]), classes=2)], own_side=1000)
        416
    """
    whole = PseudoLabels.joined(list(pseudo_labels))
    boxes = whole.boxes[whole.weights > 0]
    if not len(boxes):
        return DEFAULT_SIZE
    shorter = float(np.quantile((boxes[:, 2:] - boxes[:, :2]).min(axis=1), _QUARTILE))
    wanted = min(_PIXELS / max(shorter, 1e-6), own_side, MAX_SIZE)
    last = STRIDES[-1]
    return max(DEFAULT_SIZE, ceil(round(wanted / last, 3)) * last)
