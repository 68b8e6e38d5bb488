from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledImages
from boxless.export.backbone import Backbone
from boxless.learning.head.classification_scale import ClassificationScale, choose_classification_scale
from boxless.models.zoo import DEFAULT_MODEL


@pytest.mark.parametrize(
    ("losses", "images", "size", "said"),
    [
        ({224: 0.5, 448: 0.3}, 300, 448, "at 448 pixels; cross-validated loss 0.50 at 224, 0.30 at 448"),
        ({224: 0.5, 448: 0.48}, 300, 224, "at 224 pixels"),
        ({224: 0.5, 448: 0.9}, 300, 224, "at 224 pixels"),
        ({224: 0.04, 448: 0.01}, 300, 224, "at 224 pixels"),  # both classify all but perfectly
        ({224: 0.5, 448: 0.3}, 3000, 224, "it would classify better with --size 448"),
        ({}, 12, 224, "at 224 pixels"),
    ],
)
def test_a_larger_input_is_taken_where_it_classifies_clearly_better(
    losses: dict[int, float], images: int, size: int, said: str
) -> None:
    scale = ClassificationScale(224, losses, images)
    assert scale.size == size
    assert said in str(scale)


def test_small_images_are_classified_at_the_usual_size(data: Path) -> None:
    """64 x 64 pixels have nothing finer to show; a broken image is no reason to stop."""
    folders = sorted((data / "tiny10/train").iterdir())[:3]
    paths = [path for folder in folders for path in sorted(folder.iterdir())[:12]]
    targets = np.eye(3, dtype=np.float32).repeat(12, axis=0)
    broken = Path(__file__)
    images = LabelledImages(
        "tiny", tuple(each.name for each in folders), (*paths, broken), np.concatenate([targets, targets[:1]]), False
    )
    sizes: set[int] = set()
    scale = choose_classification_scale(Backbone(DEFAULT_MODEL), images, done=lambda size, n, of: sizes.add(size))
    assert sizes == set(scale.losses) == {224, 448}
    assert scale.size == 224


def test_a_class_that_every_readable_image_shows_leaves_nothing_to_choose_by(images: Path) -> None:
    paths = (*sorted(images.glob("*.jpg"))[:3], Path(__file__))
    targets = np.array([[1, 0], [1, 1], [1, 0], [0, 1]], np.float32)
    everywhere = LabelledImages("some", ("first", "second"), paths, targets, several=True)
    assert choose_classification_scale(Backbone(DEFAULT_MODEL), everywhere).losses == {}


def test_images_none_of_which_can_be_read_choose_nothing(tmp_path: Path) -> None:
    paths = (tmp_path / "1.jpg", tmp_path / "2.jpg")
    gone = LabelledImages("gone", ("a", "b"), paths, np.eye(2, dtype=np.float32), several=False)
    assert choose_classification_scale(Backbone(DEFAULT_MODEL), gone).losses == {}
