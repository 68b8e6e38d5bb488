"""What class maps and detectors teach, on maps made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxless.learning.detector.evidence import average_precision, evidence_of
from boxless.learning.detector.pseudo_boxes import pseudo_labels_of, shared_out
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.relabel import relabelled
from boxless.maps.boxes import boxes_in_map
from boxless.maps.refine import resize_maps
from boxless.models.model_file import Detected
from boxless.results import Localization, Prediction

Floats = NDArray[Any]
LEFT, RIGHT = (slice(4, 12), slice(2, 8)), (slice(4, 12), slice(12, 18))


def prediction(index: int, left: float, right: float) -> Prediction:
    class_map = np.zeros((20, 20), np.float32)
    class_map[LEFT], class_map[RIGHT] = left, right
    return Prediction(
        label="abc"[index],
        class_index=index,
        probability=0.9,
        activation=max(left, right),
        detected=True,
        boxes=boxes_in_map(resize_maps(class_map[None], 200, 200)[0], 0.5, 200, 200),
        class_map=class_map,
        height=200,
        width=200,
    )


def look(*predictions: Prediction) -> Localization:
    return Localization("image", 200, 200, "model", "best", predictions, b"", 1.0)


def near(taught: PseudoLabels, edges: tuple[float, ...]) -> int:
    """The index of the box at a place."""
    apart = np.abs(taught.boxes - np.array(edges)).max(axis=1)
    assert apart.min() < 0.06
    return int(apart.argmin())


PLACES = ((0.1, 0.2, 0.4, 0.6), (0.6, 0.2, 0.9, 0.6))


def test_labels_that_light_up_the_same_pieces_compete_for_them() -> None:
    found = look(prediction(0, 4.0, 3.0), prediction(2, 3.0, 4.0))
    taught = pseudo_labels_of([found], [0, 2], 3)
    assert len(taught) == 2
    left, right = (near(taught, place) for place in PLACES)
    assert taught.candidates[left].tolist() == [1, 0, 0]
    assert taught.candidates[right].tolist() == [0, 0, 1]
    assert (taught.weights > 0.8).all()


def test_a_piece_that_speaks_for_two_labels_alike_is_of_either() -> None:
    found = look(prediction(0, 4.0, 3.9), prediction(1, 4.0, 4.0))
    taught = pseudo_labels_of([found], [0, 1], 3)
    assert taught.candidates.tolist() == [[1, 1, 0]] * 2
    assert not taught.known.any()
    assert (taught.weights > 0).all()


def test_a_weak_piece_is_doubtful_and_a_faint_one_none() -> None:
    taught = pseudo_labels_of([look(prediction(0, 4.0, 2.1))], [0], 1)
    assert taught.weights[near(taught, PLACES[1])] == 0
    assert taught.weights[near(taught, PLACES[0])] > 0.9
    assert len(pseudo_labels_of([look(prediction(0, 4.0, 0.4))], [0], 1)) == 1


def test_a_piece_that_other_looks_do_not_find_is_doubtful() -> None:
    taught = pseudo_labels_of([look(prediction(0, 4.0, 3.9)), look(prediction(0, 4.0, 0.0))], [0], 1)
    assert taught.weights[near(taught, PLACES[1])] == 0


def test_a_image_without_a_predictions_teaches_nothing() -> None:
    assert len(pseudo_labels_of([look(prediction(0, 0.0, 0.0))], [0], 3)) == 0


def test_every_label_gets_a_piece_of_its_own() -> None:
    shares = shared_out(np.array([[5.0, 4.0], [4.0, 1.0]], np.float32))
    assert shares.tolist() == [[0, 1], [1, 0]]


def detected(*rows: tuple[int, float, tuple[float, ...]]) -> Detected:
    classes, scores, boxes = zip(*rows, strict=True)
    return Detected(
        np.zeros(3, np.float32),
        100 * np.array(boxes, np.float32),
        np.array(scores, np.float32),
        np.array(classes, np.int64),
    )


def test_a_detector_relabels_within_the_known_labels() -> None:
    teacher = PseudoLabels.of_truth(np.array(PLACES, np.float32), np.array([0, 0]), 3)
    said = detected(
        (0, 0.9, PLACES[0]), (2, 0.5, PLACES[0]), (0, 0.7, PLACES[1]), (2, 0.6, PLACES[1]), (1, 0.99, PLACES[1]),
        (0, 0.1, (0.0, 0.9, 0.1, 1.0)),
    )  # fmt: skip
    taught = relabelled(said, (100, 100), [0, 2], teacher)
    left, right = (near(taught, place) for place in PLACES)
    assert len(taught) == 2
    # Both look like the first label; but the image has the third too, and it fits best on the right.
    assert taught.candidates[left].tolist() == [1, 0, 0]
    assert taught.weights[right] > 0
    # Whose rival is too near for the class to be known.
    assert taught.candidates[right].tolist() == [1, 0, 1]


def test_what_class_maps_do_not_support_is_doubtful() -> None:
    teacher = PseudoLabels.of_truth(np.array(PLACES[:1], np.float32), np.array([0]), 3)
    taught = relabelled(detected((0, 0.9, PLACES[0]), (0, 0.9, PLACES[1])), (100, 100), [0], teacher)
    assert taught.weights[near(taught, PLACES[0])] == pytest.approx(1)
    assert taught.weights[near(taught, PLACES[1])] == 0


def test_a_detector_that_says_nothing_leaves_what_was_there() -> None:
    teacher = PseudoLabels.of_truth(np.array(PLACES, np.float32), np.array([0, 1]), 3)
    assert relabelled(detected((1, 0.9, PLACES[0])), (100, 100), [0], teacher) is teacher


def test_a_label_without_an_object_keeps_what_class_maps_said() -> None:
    """A detector that finds both objects but only ever as the first label: neither becomes background."""
    teacher = PseudoLabels.of_truth(np.array(PLACES, np.float32), np.array([0, 2]), 3)
    both = relabelled(detected((0, 0.9, PLACES[0]), (0, 0.8, PLACES[1])), (100, 100), [0, 2], teacher)
    assert len(both) == 2
    left, right = (near(both, place) for place in PLACES)
    assert both.candidates[left].tolist() == [1, 0, 0]
    assert both.candidates[right].tolist() == [1, 0, 1]  # the detector says one label, the class maps the other
    one = relabelled(detected((0, 0.9, PLACES[0])), (100, 100), [0, 2], teacher)
    assert len(one) == 2
    assert one.candidates[near(one, PLACES[1])].tolist() == [0, 0, 1]
    assert one.weights[near(one, PLACES[1])] == 1


def test_thousands_of_boxes_are_cut_down_to_those_believed_most() -> None:
    random = np.random.default_rng(0)
    many = PseudoLabels(
        np.sort(random.random((3000, 2, 2), np.float32), axis=1).reshape(-1, 4),
        np.ones((3000, 1), np.float32),
        random.random(3000, np.float32),
    )
    boxes, candidates, weights = many.padded(96)
    assert boxes.shape == (96, 4)
    assert candidates.shape == (96, 1)
    assert weights.min() > 0.95


def test_evidence_from_labels() -> None:
    targets = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.7], [0.3, 0.6]], np.float32)
    found = evidence_of(scores, targets)
    assert [found.precision, found.f1] == pytest.approx([100, 100])
    assert 0.3 < found.threshold < 0.6
    assert average_precision(np.array([0.9, 0.8, 0.7]), np.array([False, True, True])) == pytest.approx(
        (1 / 2 + 2 / 3) / 2
    )
