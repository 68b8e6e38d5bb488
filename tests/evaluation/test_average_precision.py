"""Held to faster-coco-eval, an implementation of the COCO evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxless.evaluation.average_precision import (
    IOUS,
    NOTHING,
    AveragePrecision,
    ClassMatches,
    Matches,
    TrueBoxes,
    match,
    precision_at_recalls,
)

Array = NDArray[np.float64]


def random_set(seed: int, images: int, classes: int, most: int, coarse: bool) -> tuple[list[Any], list[Any]]:
    """True boxes and found ones near them, on images of 100 x 100; of `coarse` ones many overlap alike and score
    alike."""
    random = np.random.default_rng(seed)
    step = 10 if coarse else 0.001
    true, found = [], []
    for image in range(images):
        for _ in range(random.integers(0, most)):
            x, y, w, h = np.round(random.uniform([0, 0, 10, 10], [60, 60, 40, 40]) / step) * step
            label, crowd = int(random.integers(classes)), int(random.random() < 0.1)
            true.append({"image_id": image, "category_id": label, "bbox": [x, y, w, h], "iscrowd": crowd})
            for _ in range(random.integers(0, 4)):
                near = np.maximum(np.round((np.array([x, y, w, h]) + random.normal(0, 5, 4)) / step) * step, step)
                score = round(float(random.random()), 1 if coarse else 6)
                named = label if random.random() < 0.8 else int(random.integers(classes))
                found.append({"image_id": image, "category_id": named, "bbox": near.tolist(), "score": score})
    return true, found


def reference(true: list[Any], found: list[Any], images: int, classes: int) -> Array:
    """(classes, ious) in percent; NaN where a class has no true box."""
    coco = pytest.importorskip("faster_coco_eval", reason="faster-coco-eval is not installed (boxless[dev] brings it)")
    data = {
        "images": [{"id": i, "width": 100, "height": 100} for i in range(images)],
        "categories": [{"id": k, "name": str(k)} for k in range(classes)],
        "annotations": [
            {**each, "id": i + 1, "area": each["bbox"][2] * each["bbox"][3]} for i, each in enumerate(true)
        ],
    }
    truth = coco.COCO(data)
    evaluation = coco.COCOeval_faster(truth, truth.loadRes(found), "bbox", print_function=lambda *_: None)
    evaluation.params.iouThrs = np.array(IOUS)
    evaluation.params.maxDets = [1, 10, 100]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]  # (ious, recalls, classes)
    return np.where(precision[:, 0] < 0, np.nan, 100 * precision.mean(axis=1)).T


def ours(true: list[Any], found: list[Any], images: int, classes: int, draws: int = 5) -> AveragePrecision:
    matched: dict[str, ClassMatches] = {}
    for label in range(classes):
        each: dict[int, Matches] = {}
        for image in range(images):
            there = [row for row in true if (row["image_id"], row["category_id"]) == (image, label)]
            boxes = [row for row in found if (row["image_id"], row["category_id"]) == (image, label)]
            crowd = np.array([bool(row["iscrowd"]) for row in there], bool)
            truth = TrueBoxes(xyxy(there), crowd, crowd) if there else NOTHING
            each[image] = match(truth, xyxy(boxes), np.array([row["score"] for row in boxes]))
        matched[str(label)] = ClassMatches.of(each, images)
    return AveragePrecision.of(matched, images, draws)


def xyxy(rows: list[Any]) -> Array:
    corners = np.array([row["bbox"] for row in rows], np.float64).reshape(-1, 4)
    return np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)


@pytest.mark.parametrize(
    ("seed", "images", "classes", "most", "coarse"),
    [(0, 40, 4, 6, False), (1, 40, 4, 6, True), (2, 3, 1, 150, True), (3, 10, 30, 3, False), (4, 2, 1, 150, False)],
)
def test_equal_to_the_reference(seed: int, images: int, classes: int, most: int, coarse: bool) -> None:
    true, found = random_set(seed, images, classes, most, coarse)
    expected = reference(true, found, images, classes)
    measured = ours(true, found, images, classes)
    known = np.isfinite(expected[:, 0])
    assert [int(name) for name in measured.classes] == np.flatnonzero(known).tolist()
    np.testing.assert_allclose(measured.values, expected[known], rtol=0, atol=1e-6)
    assert measured.interval("ap_50_95").value == pytest.approx(expected[known, 1:].mean(), abs=1e-6)


def test_more_than_a_hundred_boxes_a_class_do_not_count() -> None:
    box = np.array([[0.0, 0.0, 10.0, 10.0]])
    truth = TrueBoxes(box, np.zeros(1, bool), np.zeros(1, bool))
    scores = np.linspace(1, 0.1, 3000)
    boxes = np.repeat(box + 50, 3000, axis=0)
    boxes[100] = box[0]
    assert not match(truth, boxes, scores).right.any()
    boxes[99] = box[0]
    matches = match(truth, boxes, scores)
    assert matches.right.sum() == len(IOUS) and matches.right.shape == (len(IOUS), 100)


def test_a_draw_is_the_data_set_with_images_repeated() -> None:
    """The weighted figure equals that of a data set in which images really stand several times."""
    true, found = random_set(5, 8, 2, 5, False)
    times = [0, 1, 2, 3, 0, 1, 1, 0]
    again = [image for image, count in enumerate(times) for _ in range(count)]

    def repeated(rows: list[Any]) -> list[Any]:
        return [{**row, "image_id": new} for new, old in enumerate(again) for row in rows if row["image_id"] == old]

    expected = ours(repeated(true), repeated(found), len(again), 2)
    for label, name in enumerate(expected.classes):
        rows = [[row for row in some if row["category_id"] == label] for some in (true, found)]
        matches = {
            image: match(
                TrueBoxes(xyxy(there), crowd := np.array([bool(row["iscrowd"]) for row in there], bool), crowd),
                xyxy(boxes),
                np.array([row["score"] for row in boxes], np.float64),
            )
            for image in range(8)
            for there, boxes in [[[row for row in some if row["image_id"] == image] for some in rows]]
        }
        weights = np.array([times], np.float64)
        measured = precision_at_recalls(ClassMatches.of(matches, 8), weights)[0]
        np.testing.assert_allclose(100 * measured, expected.values[expected.classes.index(name)], atol=1e-9)


def test_intervals_surround_and_differences_are_paired() -> None:
    true, found = random_set(6, 60, 3, 5, False)
    one = ours(true, found, 60, 3, draws=200)
    for measure in ("ap_30", "ap_50", "ap_50_95"):
        figure = one.interval(measure)
        assert 0 < figure.low < figure.value < figure.high < 100
    worse = ours(true, [row for row in found if row["score"] > 0.3], 60, 3, draws=200)
    difference = one.less(worse, "ap_50")
    assert difference.value > 0
    spread = one.interval("ap_50")
    assert difference.high - difference.low < spread.high - spread.low
    assert one.less(one, "ap_50").high == 0
    assert one.only(one.classes[:1]).interval("ap_50").value == pytest.approx(one.values[0, 1])
