"""Draws a few of many labelled images, so that every class is among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledPictures


def evenly(pictures: LabelledPictures, most: int, seed: int) -> NDArray[np.int64]:
    """Pictures by index, all of them or about `most`, by lot: of the class with fewest so far, again and again.

    With several labels, to be without what most pictures show counts as a class too.
    """
    if len(pictures) <= most:
        return np.arange(len(pictures))
    random = np.random.default_rng(seed)
    ranks = np.full(len(pictures), len(pictures))
    kinds = list(pictures.targets.T > 0)
    if pictures.several:  # else whatever lacks a class is of another
        kinds += [~shown for shown in kinds if shown.mean() > 0.5]
    for shown in kinds:
        mine = random.permutation(np.flatnonzero(shown))
        ranks[mine] = np.minimum(ranks[mine], np.arange(len(mine)))
    return np.sort(np.argsort(ranks, kind="stable")[:most])
