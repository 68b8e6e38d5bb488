"""Images that occur more than once, under different labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.labelled import LabelledImages


def contradictions(images: LabelledImages, contents: NDArray[np.int64]) -> str | None:
    """A note on images whose labels contradict each other; None if there are none.

    Args:
        images: n images.
        contents: (n,), the same number for files of the same content.

    Returns:
        How many files are concerned, and an example.
    """
    order = np.lexsort((np.arange(len(contents)), contents))
    groups = np.split(order, np.flatnonzero(np.diff(contents[order])) + 1)
    found = [group for group in groups if len(np.unique(images.targets[group], axis=0)) > 1]
    if not found:
        return None
    first = found[0]
    other = next(i for i in first if (images.targets[i] != images.targets[first[0]]).any())
    shown = " and ".join(f"{images.paths[i]} ({_labels(images, images.targets[i])})" for i in (first[0], other))
    return (
        f"{sum(map(len, found))} training images are the same as others with different labels, such as {shown}: "
        "correct the labels, or leave one of them out"
    )


def _labels(images: LabelledImages, row: Sequence[float] | NDArray[np.float32]) -> str:
    return ", ".join(images.classes[k] for k in np.flatnonzero(row)) or "no label"
