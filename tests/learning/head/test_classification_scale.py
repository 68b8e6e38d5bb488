from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.labelled import LabelledImages
from boxless.export.backbone import Backbone
from boxless.learning.head.classification_scale import Naming, try_sizes
from boxless.models.zoo import DEFAULT_MODEL


@pytest.mark.parametrize(
    ("losses", "images", "side", "said"),
    [
        ({224: 0.5, 448: 0.3}, 300, 448, "at 448 pixels; cross-validated loss 0.50 at 224, 0.30 at 448"),
        ({224: 0.5, 448: 0.48}, 300, 224, "at 224 pixels"),
        ({224: 0.5, 448: 0.9}, 300, 224, "at 224 pixels"),
        ({224: 0.04, 448: 0.01}, 300, 224, "at 224 pixels"),  # both name all but rightly
        ({224: 0.5, 448: 0.3}, 3000, 224, "it would name better with --size 448"),
        ({}, 12, 224, "at 224 pixels"),
    ],
)
def test_larger_looks_name_where_they_do_clearly_better(
    losses: dict[int, float], images: int, side: int, said: str
) -> None:
    naming = Naming(224, losses, images)
    assert naming.side == side
    assert said in str(naming)


def test_small_images_are_named_at_the_usual_size(data: Path) -> None:
    """64 x 64 pixels have nothing finer to show; a broken image is no reason to stop."""
    folders = sorted((data / "tiny10/train").iterdir())[:3]
    paths = [path for folder in folders for path in sorted(folder.iterdir())[:12]]
    targets = np.eye(3, dtype=np.float32).repeat(12, axis=0)
    broken = Path(__file__)
    images = LabelledImages(
        "tiny", tuple(each.name for each in folders), (*paths, broken), np.concatenate([targets, targets[:1]]), False
    )
    told: set[int] = set()
    naming = try_sizes(Backbone(DEFAULT_MODEL), images, done=lambda side, n, of: told.add(side))
    assert told == set(naming.losses) == {224, 448}
    assert naming.side == 224


def test_a_class_that_every_readable_image_shows_leaves_nothing_to_choose_by(images: Path) -> None:
    paths = (*sorted(images.glob("*.jpg"))[:3], Path(__file__))
    targets = np.array([[1, 0], [1, 1], [1, 0], [0, 1]], np.float32)
    everywhere = LabelledImages("some", ("first", "second"), paths, targets, several=True)
    assert try_sizes(Backbone(DEFAULT_MODEL), everywhere).losses == {}


def test_images_none_of_which_can_be_read_choose_nothing(tmp_path: Path) -> None:
    paths = (tmp_path / "1.jpg", tmp_path / "2.jpg")
    gone = LabelledImages("gone", ("a", "b"), paths, np.eye(2, dtype=np.float32), several=False)
    assert try_sizes(Backbone(DEFAULT_MODEL), gone).losses == {}
