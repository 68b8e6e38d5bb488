from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boxless import Box, Prediction
from boxless.errors import NoClassMapError

MAP = np.array([[4, 0, 0, 2], [4, 0, 0, 2]], np.float32)
"""Two regions: a strong one to the left, a weaker one to the right."""


def prediction(boxes: int = 2) -> Prediction:
    some = (Box(0, 0, 30, 40, 0.9), Box(50, 0, 80, 40, 0.6), Box(50, 0, 80, 20, 0.1))[:boxes]
    return Prediction("cat", 3, 0.875, 9.25, True, some, MAP, 40, 80, 0.3)


@pytest.mark.parametrize(
    ("boxes", "place"),
    [
        (0, "no box"),
        (1, "box (0, 0, 30, 40)"),
        (2, "box (0, 0, 30, 40) and 1 more"),
        (3, "box (0, 0, 30, 40) and 2 more"),
    ],
)
def test_the_representation_says_where(boxes: int, place: str) -> None:
    assert repr(prediction(boxes)) == f"<Prediction 'cat': 87.5%, activation 9.2, {place}>"


def test_the_representation_says_what_was_not_detected() -> None:
    assert repr(replace(prediction(0), detected=False)) == "<Prediction 'cat': 87.5%, activation 9.2, not detected>"


def test_masks_are_the_pixels_of_each_box() -> None:
    left, right = prediction().masks()
    assert left.shape == right.shape == (40, 80) and left.dtype == right.dtype == bool
    assert left[:, :20].all() and not left[:, 40:].any()
    assert right[:, 70:].all() and not right[:, :40].any()


def test_without_a_map_there_are_no_masks_and_no_score_map() -> None:
    without = replace(prediction(), class_map=None)
    with pytest.raises(NoClassMapError, match=r"^no masks of 'cat': its boxes are not from a class map$"):
        without.masks()
    with pytest.raises(NoClassMapError, match=r"^no masks of 'cat'"):
        replace(prediction(), threshold=None).masks()
    with pytest.raises(
        NoClassMapError, match=r"^no map of 'cat': .* only with --keep-maps \(.* fit, train or attach\)$"
    ):
        without.scores_on(3, 3)


def test_scores_on_another_grid_reach_from_0_to_1() -> None:
    scores = prediction().scores_on(10, 20)
    assert scores.shape == (10, 20) and scores.dtype == np.float32
    assert (scores.min(), scores.max()) == (0, 1)
    assert scores[:, -1] == pytest.approx(np.full(10, 0.5))
