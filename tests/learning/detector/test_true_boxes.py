"""Boxes that people drew, among pseudo-labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.boxed import BoxedImage, BoxedSet
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.true_boxes import TrueBoxes, true_boxes_of

CAT, DOG = 0, 1
IMAGES = LabelledImages(
    "pets",
    ("cat", "dog"),
    (Path("a/1.png"), Path("a/2.png"), Path("b/2.png")),
    np.array([[1, 1], [1, 0], [0, 1]], np.float32),
    several=True,
)
BOX = np.array([[10, 20, 30, 40]], np.float32)


def boxed(*rows: tuple[str, int]) -> BoxedSet:
    return BoxedSet("few", tuple(BoxedImage(Path(path), k, BOX, (40, 80)) for path, k in rows), Notes())


def test_boxes_find_their_images_by_path_or_by_a_name_that_is_there_once() -> None:
    found = true_boxes_of(boxed(("a/2.png", CAT), ("downloads/1.png", CAT), ("downloads/1.png", DOG)), IMAGES)
    assert sorted(found.of) == [0, 1]
    assert len(found.of[0]) == 2
    np.testing.assert_allclose(found.of[1].boxes, [[0.125, 0.5, 0.375, 1.0]])
    assert not str(found)


def test_what_is_no_training_image_or_has_another_label_is_counted() -> None:
    found = true_boxes_of(boxed(("a/2.png", CAT), ("a/2.png", DOG), ("downloads/2.png", CAT), ("3.png", CAT)), IMAGES)
    assert sorted(found.of) == [1]
    assert str(found).startswith("3 boxed images are no training images")
    with pytest.raises(DatasetError, match="none of its images is a training image"):
        true_boxes_of(boxed(("3.png", CAT)), IMAGES)


def test_only_classes_that_nobody_drew_keep_pseudo_boxes() -> None:
    true = PseudoLabels.of_truth(np.array([[0, 0, 0.5, 0.5]], np.float32), np.array([CAT]), 2)
    boxes = np.array([[0, 0, 0.5, 0.45], [0.6, 0.6, 1, 1], [0.6, 0, 1, 0.4], [0, 0.6, 0.4, 1]], np.float32)
    candidates = np.array([[0, 1], [1, 0], [0, 1], [1, 1]], np.float32)
    pseudo = PseudoLabels(boxes, candidates, np.full(4, 0.7, np.float32))
    merged, other = TrueBoxes({0: true}).added_to([pseudo, pseudo], [[CAT, DOG], [CAT, DOG]])
    assert other is pseudo
    np.testing.assert_allclose(merged.boxes, [true.boxes[0], boxes[2], boxes[3]])
    assert merged.candidates.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert merged.weights.tolist() == pytest.approx([1, 0.7, 0.7])


def test_few_boxed_images_are_shown_more_often() -> None:
    assert TrueBoxes().repeats(3) == [1, 1, 1]
    one = TrueBoxes({1: PseudoLabels.nothing(2)})
    assert one.repeats(3) == [1, 1, 1]
    assert one.repeats(10) == [1, 3, *[1] * 8]
    assert one.repeats(1000)[:2] == [1, 5]
