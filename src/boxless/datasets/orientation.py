"""Boxes and masks that were drawn on a picture as it is stored, brought to how EXIF has it displayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boxless.datasets.masks import Mask, Pixels

Edges = tuple[float, float, float, float]


def turned_box(box: Edges, orientation: int, stored: tuple[int, int]) -> Edges:
    """A box, xyxy in pixels, on the picture as displayed.

    Args:
        box: on the picture as stored.
        orientation: one of `boxless.imaging.orientation.SIDEWAYS`; see EXIF 2.32, section 4.6.4, tag 274.
        stored: (height, width) as stored.
    """
    height, width = stored
    x0, y0, x1, y1 = box
    across = (height - y1, height - y0) if orientation in (6, 7) else (y0, y1)
    down = (width - x1, width - x0) if orientation in (7, 8) else (x0, x1)
    return across[0], down[0], across[1], down[1]


@dataclass(frozen=True)
class Turned(Mask):
    """A mask of a picture as stored, read as of the picture displayed."""

    mask: Mask
    orientation: int

    def read(self, height: int, width: int) -> Pixels:
        """See `Mask.read`."""
        across = self.mask.read(width, height).T
        across = across[:, ::-1] if self.orientation in (6, 7) else across
        return np.ascontiguousarray(across[::-1] if self.orientation in (7, 8) else across)
