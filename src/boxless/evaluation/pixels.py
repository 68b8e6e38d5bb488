"""Pixels instead of boxes: precision and recall of a map against a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.datasets.masks import BACKGROUND, OBJECT, Mask

Floats = NDArray[np.float32]

BINS = 1000
"""Scores are counted to a thousandth, as in the reference benchmark."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many pixels have which score: (BINS + 1,) each; the last bin holds the score 1.

    Attributes:
        inside: of the object's pixels.
        outside: of the background's.
    """

    inside: NDArray[np.uint32]
    outside: NDArray[np.uint32]


def pixel_histogram(score_map: Floats, mask: Mask, size: tuple[int, int]) -> Histogram:
    """Counts the pixels of a map, (h, w) in [0, 1], by score, inside and outside a mask; ignored ones count nowhere.

    Args:
        score_map: brought to the image's size, bilinear.
        mask: read at the image's size.
        size: the (height, width) of the image.

    Returns:
        How many pixels of object and background have which score.

    Example:
        >>> from boxless.datasets.masks import RunLengths
        >>> half = RunLengths((2, 2), (2, 2))  # the right column of 2 x 2 pixels
        >>> histogram = pixel_histogram(np.array([[0.0, 1.0], [0.0, 1.0]], np.float32), half, size=(2, 2))
        >>> int(histogram.inside[-1]), int(histogram.outside[0])
        (2, 2)
    """
    height, width = size
    truth = mask.read(height, width)
    scores = score_map
    if scores.shape != size:
        scores = np.asarray(cv2.resize(score_map, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    # In double precision, so that 0.7 stands in the bin that begins with 0.7.
    place = np.clip(np.floor(scores.astype(np.float64) * BINS + 1e-4), 0, BINS).astype(np.int64)
    inside, outside = (np.bincount(place[truth == what], minlength=BINS + 1) for what in (OBJECT, BACKGROUND))
    return Histogram(inside.astype(np.uint32), outside.astype(np.uint32))


def px_ap(histograms: Sequence[Histogram]) -> float:
    """PxAP in percent: the area under precision over recall of all pixels of all images together.

    Choe et al., CVPR 2020, section 4.2:  PxAP = sum over thresholds of precision(t) * (recall(t) - recall(next t)),
    with the step at the highest threshold counted from recall 0.

    Args:
        histograms: of each image, at least one.

    Returns:
        Percent; NaN where no pixel is an object's.

    Example:
        >>> from boxless.datasets.masks import RunLengths
        >>> half = RunLengths((2, 2), (2, 2))
        >>> px_ap([pixel_histogram(np.array([[0.0, 1.0], [0.0, 1.0]], np.float32), half, size=(2, 2))])
        100.0
    """
    return float(px_ap_draws(histograms, np.ones((1, len(histograms))))[0])


def px_ap_draws(histograms: Sequence[Histogram], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """PxAP in percent of each draw: (r,), from weights (r, n), see `bootstrap`."""
    inside = np.stack([each.inside for each in histograms]).astype(np.float64)
    outside = np.stack([each.outside for each in histograms]).astype(np.float64)
    hits = (weights @ inside)[:, ::-1].cumsum(axis=1)
    marked = hits + (weights @ outside)[:, ::-1].cumsum(axis=1)
    precision = hits / np.where(marked > 0, marked, 1)
    total = hits[:, -1:]
    recall = hits / np.where(total > 0, total, np.nan)
    return np.asarray((precision * np.diff(recall, axis=1, prepend=0.0)).sum(axis=1) * 100)
