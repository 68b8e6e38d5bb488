"""Labels of boxes in one place are beside each other, at their boxes, in the image."""

from __future__ import annotations

import numpy as np
import pytest

from boxless.imaging.label_layout import label_places

ROOM = (400.0, 300.0)
LABEL = (60.0, 18.0)


def placed(boxes: list[tuple[float, float, float, float]], needed: bool = False) -> list[tuple[float, float] | None]:
    return label_places(boxes, [LABEL] * len(boxes), ROOM, [needed] * len(boxes))


def shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    sides = [max(0.0, size - abs(a - b)) for a, b, size in zip(one, other, LABEL, strict=True)]
    return sides[0] * sides[1]


def test_a_single_label_stands_above_the_left_corner() -> None:
    assert placed([(100, 100, 200, 200)]) == [(100, 82)]


@pytest.mark.parametrize("box", [(0, 0, 400, 300), (0, 0, 20, 20), (390, 290, 400, 300), (0, 140, 5, 150)])
def test_labels_stay_in_the_image_at_their_box(box: tuple[float, float, float, float]) -> None:
    (place,) = placed([box])
    assert place is not None
    x, y = place
    assert 0 <= x <= ROOM[0] - LABEL[0] and 0 <= y <= ROOM[1] - LABEL[1]
    assert x <= box[2] and x + LABEL[0] >= box[0] and y <= box[3] and y + LABEL[1] >= box[1]


def test_five_predictions_of_one_place_have_labels_apart() -> None:
    random = np.random.default_rng(0)
    jitter = random.uniform(-3, 3, (5, 4))
    places = placed([tuple(np.array([120, 80, 260, 220]) + each) for each in jitter])
    assert None not in places
    for i, one in enumerate(places):
        for other in places[:i]:
            assert one is not None and other is not None
            assert shared(one, other) < 0.05 * LABEL[0] * LABEL[1]


def test_a_label_does_not_cover_a_neighbours_box() -> None:
    (upper, lower) = placed([(100, 20, 200, 120), (100, 125, 200, 225)])
    assert upper is not None and lower is not None
    assert upper[1] + LABEL[1] <= 20
    assert lower[1] >= 225 or lower[0] >= 200 or lower[0] + LABEL[0] <= 100


def test_where_there_is_no_room_the_less_important_are_left_out_unless_needed() -> None:
    crowd = [(150.0, 100.0, 230.0, 160.0)] * 60
    places = placed(crowd)
    assert places[0] is not None
    assert 5 < places.count(None) < 60
    assert None not in placed(crowd, needed=True)
    assert placed([]) == []
