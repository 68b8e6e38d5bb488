"""The mask of each box's connected component."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.maps.boxes import Box

Mask = NDArray[np.bool_]


def piece_masks(score_map: NDArray[np.float32], boxes: Sequence[Box], threshold: float) -> Iterator[Mask]:
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
