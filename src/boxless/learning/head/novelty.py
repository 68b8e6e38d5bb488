"""What positions of pictures are made of, learned from a few of the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.errors import PictureError
from boxless.export.backbone import Backbone
from boxless.export.novelty import Gaussian
from boxless.imaging.read import read_picture, resize_pixels
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

PICTURES = 100
_A_PICTURE = 200
"""Positions that a picture gives, by lot."""


def usual_cells(
    backbone: Backbone,
    paths: Sequence[Path],
    side: int,
    seed: int = 0,
    done: Callable[[int, int], object] = lambda n, of: None,
) -> Gaussian:
    """The distribution of the mid-level features of pictures, position by position.

    All classes together: what a class alone has is rare among all positions, and so unusual for them.

    Args:
        backbone: one that `has_cells`.
        paths: of pictures; `PICTURES` of them are looked at, by lot, and those that cannot be read are left out.
        side: pixels; a picture is looked at with about side * side of them.
        seed: of the lots.
        done: told after each picture how many are done, and of how many.

    Raises:
        PictureError: if none can be read.
    """
    chosen = np.random.default_rng(seed).permutation(len(paths))[:PICTURES]

    def one(i: int) -> Floats | None:
        try:
            picture = read_picture(paths[i], enough=side)
        except PictureError:
            return None
        size = backbone.card.input_size(side, picture.height, picture.width)
        cells = backbone.cells(resize_pixels(picture.pixels, *size), size)
        flat = cells.reshape(len(cells), -1).T
        return flat[np.random.default_rng((seed, i)).permutation(len(flat))[:_A_PICTURE]]

    found = []
    for n, cells in enumerate(ordered_map(one, chosen.tolist(), usable_cores())):
        if cells is not None:
            found.append(cells)
        done(n + 1, len(chosen))
    if not found:
        raise PictureError(f"none of {len(chosen)} pictures can be read")
    return Gaussian.of(np.concatenate(found))
