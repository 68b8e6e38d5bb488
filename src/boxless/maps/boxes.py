"""From a map to boxes, one around each connected component above a threshold, and to the component of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

SPECK = 0.05
"""A component whose sum is a smaller share of the largest component's sum is noise, not an object."""


@dataclass(frozen=True)
class Box:
    """A box in pixels of the image as displayed, half-open: it covers x0 <= x < x1 and y0 <= y < y1.

    Attributes:
        x0, y0, x1, y1: 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height.
        score: in [0, 1]: the probability of the class in the image, times the sum of the map over this component
            divided by the largest such sum. Scores are comparable across classes and images.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """The four edges, without the score."""
        return (self.x0, self.y0, self.x1, self.y1)


def boxes_in_map(
    score_map: Floats, threshold: float, height: int, width: int, probability: float = 1.0, least: float = SPECK
) -> tuple[Box, ...]:
    """Boxes around the connected components of a map above a threshold, without small components.

    The threshold is a fraction of the map's maximum (Zhou et al., CVPR 2016, who take 0.2 and the largest component).
    Components are 8-connected, and ranked by the sum of the map over them.

    Args:
        score_map: (h, w), not negative; any scale.
        threshold: in (0, 1].
        height, width: the size of the image in pixels; boxes are scaled to it.
        probability: the probability of the class, in [0, 1]; also the score of the first box.
        least: components with a smaller share of the largest sum are left out, in [0, 1].

    Returns:
        Boxes by falling sum; none if the map has no positive value.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> boxes_in_map(score_map, threshold=0.5, height=100, width=200)
        (Box(x0=60.0, y0=20.0, x1=140.0, y1=50.0, score=1.0),)
    """
    peak = float(score_map.max())
    if peak <= 0.0:
        return ()
    mask = (score_map >= threshold * peak).view(np.uint8)
    left, top, wide, high = cv2.boundingRect(mask)  # nothing is outside: less to search
    within = slice(top, top + high), slice(left, left + wide)
    count, components, stats, _ = cv2.connectedComponentsWithStats(mask[within], connectivity=8)
    totals = np.bincount(components.ravel(), weights=score_map[within].ravel(), minlength=count)[1:]
    share = totals / totals.max()
    rows, columns = score_map.shape
    found = []
    for i in np.argsort(-share, kind="stable")[: int((share >= least).sum())]:
        x, y, w, h = (int(value) for value in stats[i + 1, :4] + (left, top, 0, 0))
        edges = (x * width / columns, y * height / rows, (x + w) * width / columns, (y + h) * height / rows)
        found.append(Box(*edges, score=probability * float(share[i])))
    return tuple(found)


def component_masks(score_map: Floats, boxes: Sequence[Box], threshold: float) -> Iterator[Mask]:
    """A mask (h, w) for each box: the connected component above the threshold that the box surrounds, cut at the box.

    Boxes are found on a coarser grid than the image's, so the component is the one whose own box fits best.

    Args:
        score_map: (h, w) in [0, 1], on the pixels of the image.
        boxes: that were read off it, in pixels.
        threshold: at which they were, in (0, 1].
    """
    above = (score_map >= threshold).view(np.uint8)
    _, components, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=8)
    corners = stats[1:, :2].astype(np.float64)
    opposites = corners + stats[1:, 2:4]
    height, width = score_map.shape
    for box in boxes:
        mask = np.zeros((height, width), bool)
        x0, y0 = (min(round(edge), side - 1) for edge, side in ((box.x0, width), (box.y0, height)))
        x1, y1 = max(round(box.x1), x0 + 1), max(round(box.y1), y0 + 1)
        if len(corners):
            shared = np.minimum(opposites, (x1, y1)) - np.maximum(corners, (x0, y0))
            inside = np.prod(np.maximum(shared, 0), axis=1)
            whole = np.prod(opposites - corners, axis=1) + (x1 - x0) * (y1 - y0) - inside
            mask[y0:y1, x0:x1] = components[y0:y1, x0:x1] == int(np.argmax(inside / whole)) + 1
        if not mask.any():
            mask[y0:y1, x0:x1] = True  # too thin for the image's pixels: the box is all that is known
        yield mask


def suppress_overlaps(candidates: Sequence[tuple[Box, ...]], max_iou: float) -> list[tuple[Box, ...]]:
    """Class-agnostic non-maximum suppression: of overlapping boxes of different classes, the best one stays.

    Boxes of one class are left alone: they are separate components of its map.

    Args:
        candidates: the boxes of each class.
        max_iou: a box is dropped if its intersection over union with a better box of another class that stays exceeds
            this, in [0, 1].

    Returns:
        What stays of each class, in the same order.

    Example:
        >>> cat, tabby = Box(0, 0, 10, 10, score=0.7), Box(0, 0, 10, 9, score=0.2)
        >>> suppress_overlaps([(cat,), (tabby,)], 0.5)
        [(Box(x0=0, y0=0, x1=10, y1=10, score=0.7),), ()]
    """
    ranked = sorted(((box, k) for k, boxes in enumerate(candidates) for box in boxes), key=lambda each: -each[0].score)
    kept: list[tuple[Box, int]] = []
    for box, k in ranked:
        others = np.array([other.xyxy for other, of in kept if of != k], np.float32).reshape(-1, 4)
        if not (iou(np.array([box.xyxy], np.float32), others) > max_iou).any():
            kept.append((box, k))
    return [tuple(box for box, of in kept if of == k) for k in range(len(candidates))]


def iou(boxes: Floats, others: Floats) -> Floats:
    """Intersection over union of every box with every other.

    Args:
        boxes: (n, 4), xyxy.
        others: (m, 4), xyxy.

    Returns:
        (n, m) in [0, 1].

    Example:
        >>> iou(np.array([[0, 0, 10, 10]], np.float32), np.array([[0, 0, 10, 5]], np.float32)).tolist()
        [[0.5]]
    """
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    opposite = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(opposite - corner, 0.0), axis=2)
    areas = [np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, others)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared), dtype=np.float32)
