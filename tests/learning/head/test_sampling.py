from __future__ import annotations

from pathlib import Path

import numpy as np

from boxless.datasets.labelled import LabelledImages
from boxless.learning.head.sampling import evenly


def test_every_class_is_among_a_few_images() -> None:
    classes = np.repeat([0, 1, 2], [90, 9, 1])
    images = LabelledImages(
        "p", ("a", "b", "c"), tuple(Path(f"{i}") for i in range(100)), np.eye(3, dtype=np.float32)[classes], False
    )
    chosen = evenly(images, 20, 0)
    assert len(chosen) == 20
    assert np.bincount(classes[chosen]).tolist() == [10, 9, 1]
    assert evenly(images, 100, 0).tolist() == list(range(100))


def test_a_class_that_nearly_every_image_shows_is_absent_from_some_of_a_few() -> None:
    """Nothing tells a class that is in all of them."""
    targets = np.ones((1000, 2), np.float32)
    targets[:500, 1] = 0
    targets[500:504, 0] = 0
    images = LabelledImages("p", ("a", "b"), tuple(Path(f"{i}") for i in range(1000)), targets, several=True)
    for seed in range(5):
        chosen = targets[evenly(images, 20, seed)]
        assert (chosen[:, 0] == 0).sum() == 4
        assert (chosen[:, 1] == 0).any()
