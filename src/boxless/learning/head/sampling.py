"""Draws a few of many labelled images, so that every class is among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages


def evenly(images: LabelledImages, most: int, seed: int) -> NDArray[np.int64]:
    """Images by index, all of them or about `most`, by lot: of the class with fewest so far, again and again.

    With several labels, to be without what most images show counts as a class too.
    """
    if len(images) <= most:
        return np.arange(len(images))
    random = np.random.default_rng(seed)
    ranks = np.full(len(images), len(images))
    kinds = list(images.targets.T > 0)
    if images.several:  # else whatever lacks a class is of another
        kinds += [~shown for shown in kinds if shown.mean() > 0.5]
    for shown in kinds:
        mine = random.permutation(np.flatnonzero(shown))
        ranks[mine] = np.minimum(ranks[mine], np.arange(len(mine)))
    return np.sort(np.argsort(ranks, kind="stable")[:most])
