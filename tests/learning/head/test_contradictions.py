from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledImages
from boxless.learning.head.contradictions import contradictions


def labelled(*labels: set[int]) -> LabelledImages:
    targets = np.zeros((len(labels), 2), np.float32)
    for row, of in zip(targets, labels, strict=True):
        row[list(of)] = 1
    paths = tuple(Path(f"{i}.png") for i in range(len(labels)))
    return LabelledImages("some", ("cat", "dog"), paths, targets, several=True)


def test_the_same_image_in_two_classes_is_named() -> None:
    images = labelled({0}, {1}, {0}, {1}, set())
    note = contradictions(images, np.array([7, 7, 3, 4, 4]))
    assert note is not None
    assert note.startswith("4 training images are the same as others with different labels")
    assert "3.png (dog) and 4.png (no label)" in note


@pytest.mark.parametrize("contents", [[0, 1, 2], [0, 0, 1]])
def test_the_same_image_twice_in_one_class_is_no_contradiction(contents: list[int]) -> None:
    assert contradictions(labelled({0}, {0}, {1}), np.array(contents)) is None
