"""How well boxes from maps match true boxes, over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.threshold_tree import Components, components
from boxless.maps.boxes import iou

Floats = NDArray[np.float32]

THRESHOLDS = np.linspace(0.01, 0.99, 99)
"""The thresholds, as fractions of the map's maximum."""

IOUS = (0.3, 0.5, 0.7)
"""A box is correct from this IoU on; MaxBoxAccV2 is the mean over the three."""

_CENTRE_GRID = 256


@dataclass(frozen=True, eq=False)
class Overlaps:
    """The overlap of an image's boxes with the true ones, at each threshold: (thresholds,) each, in [0, 1].

    Attributes:
        any_box: the best IoU of any component with any true box: an oracle figure.
        best_box: the best IoU of the box that a user gets with any true box.
        largest_box: the best IoU of the component with the most cells with any true box.
        any_box_inclusive: as `any_box`, with `inclusive_iou`.
    """

    any_box: Floats
    best_box: Floats
    largest_box: Floats
    any_box_inclusive: Floats


def overlaps(score_map: Floats, truth: Floats, size: tuple[int, int] | None = None) -> Overlaps:
    """Thresholds a map at every threshold, and compares its boxes with the true ones.

    Args:
        score_map: (h, w), not negative; a map of zeros has no boxes, and overlaps with nothing.
        truth: (n, 4), xyxy in pixels of the image; n is at least 1.
        size: the (height, width) of the image; that of the map if None.

    Returns:
        The overlap at each of `THRESHOLDS`.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> float(overlaps(score_map, np.array([[3, 2, 7, 5]], np.float32)).best_box[50])
        1.0
    """
    return _compared(components(score_map, THRESHOLDS), score_map.shape, truth, size or score_map.shape)


def centre_overlaps(truth: Floats, size: tuple[int, int]) -> Overlaps:
    """The overlaps of `centre_map`, the baseline that ignores the image; arguments as for `overlaps`."""
    return _compared(_centre_components(), (_CENTRE_GRID, _CENTRE_GRID), truth, size)


def _compared(found: Components, grid: tuple[int, ...], truth: Floats, size: tuple[int, ...]) -> Overlaps:
    (height, width), curves = size, np.zeros((4, len(THRESHOLDS)), np.float32)
    if len(found.threshold):
        right, down = width / grid[1], height / grid[0]
        boxes = (found.xyxy * [right, down, right, down]).astype(np.float32)
        plain = iou(boxes, truth).max(axis=1)
        for curve, values in ((curves[0], plain), (curves[3], inclusive_iou(boxes, truth).max(axis=1))):
            np.maximum.at(curve, found.threshold, values)
        for curve, rank in ((curves[1], found.total), (curves[2], found.cells)):
            # After sorting by threshold and rank, the last assignment of each threshold wins.
            order = np.lexsort((rank, found.threshold))
            curve[found.threshold[order]] = plain[order]
    return Overlaps(*curves)


def inclusive_iou(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union as in the reference benchmark (wsolevaluation).

    The benchmark's boxes include their last row and column, so it adds one to each side, also of the intersection.
    That enlarges half-open boxes, and small ones overlap more than they should. Use it to compare with published
    figures only.

    Args:
        boxes: (n, 4), xyxy.
        others: (m, 4), xyxy.

    Returns:
        (n, m) in [0, 1].

    Example:
        >>> inclusive_iou(np.array([[0, 0, 9, 9]], np.float32), np.array([[0, 0, 9, 4]], np.float32)).tolist()
        [[0.5]]
    """
    last = np.array([0, 0, 1, 1], np.float32)
    return iou(boxes + last, others + last)


def max_box_acc_v2(images: Sequence[Overlaps]) -> float:
    """MaxBoxAccV2 in percent: the share of images with a correct box at the best threshold, mean over `IOUS`.

    Choe et al., "Evaluating Weakly Supervised Object Localization Methods Right", CVPR 2020 (and its journal
    version, arXiv 2007.04178, which introduced V2): the best component counts, and each IoU has its own best
    threshold. An oracle figure: the true boxes choose thresholds and component.

    Args:
        images: the overlaps of each image, at least one.

    Returns:
        Percent.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> max_box_acc_v2([overlaps(score_map, np.array([[3, 2, 7, 5]], np.float32))])
        100.0
    """
    right = np.stack([image.any_box for image in images])
    return float(np.mean([(right >= enough).mean(axis=0).max() for enough in IOUS]) * 100)


def max_box_acc(images: Sequence[Overlaps]) -> float:
    """MaxBoxAcc in percent: the share of images whose largest component has IoU 0.5, at the best threshold.

    Choe et al., CVPR 2020, section 4.2. An oracle figure: the true boxes choose the threshold. The reference takes the
    component whose outline encloses the largest area; here it is the one with the most cells.

    Args:
        images: the overlaps of each image, at least one.

    Returns:
        Percent.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> max_box_acc([overlaps(score_map, np.array([[5, 2, 9, 5]], np.float32))])  # IoU 1/3
        0.0
    """
    right = np.stack([image.largest_box for image in images])
    return float((right >= 0.5).mean(axis=0).max() * 100)


def one_box_accuracy(images: Sequence[Overlaps]) -> NDArray[np.float64]:
    """The share of images whose one best box is correct, mean over `IOUS`.

    Args:
        images: the overlaps of each image, at least one.

    Returns:
        (thresholds,), in percent.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> float(one_box_accuracy([overlaps(score_map, np.array([[3, 2, 7, 5]], np.float32))])[50])
        100.0
    """
    right = np.stack([image.best_box for image in images])
    return np.asarray(np.mean([(right >= enough).mean(axis=0) for enough in IOUS], axis=0) * 100)


@cache
def _centre_components() -> Components:
    return components(centre_map(_CENTRE_GRID, _CENTRE_GRID), THRESHOLDS)


def centre_map(height: int, width: int) -> Floats:
    """An isotropic Gaussian in the middle of the image: (height, width) in (0, 1], the baseline of Choe et al.

    Thresholding it gives a centred box, which shrinks from the whole image to nothing as the threshold rises. The
    standard deviation, a quarter of each side, only decides which threshold gives which size.
    """
    y = (np.arange(height) + 0.5) / height - 0.5
    x = (np.arange(width) + 0.5) / width - 0.5
    return np.asarray(np.exp(-8 * (y[:, None] ** 2 + x[None] ** 2)), dtype=np.float32)
