"""Heads that boxes alone teach: taken where they do better on boxed images that have not taught them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.evaluation.class_thresholds import at_thresholds
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.learning.head.box_heads import BoxHeads, choose_box_heads, label_curves, learn_box_heads
from boxless.learning.head.cells import ImageCells
from boxless.learning.head.localization import Localization, localized, with_box_heads
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

SIDE = 32
"""Cells of a side, of four pixels each."""


def shown(number: int) -> tuple[ImageCells, BoxedImage]:
    """Noise, with a bright object of 3 x 5 cells somewhere."""
    random = np.random.default_rng(number)
    cells = random.normal(size=(4, SIDE, SIDE)).astype(np.float16)
    row, column = random.integers(1, SIDE - 6, 2)
    cells[0, row : row + 3, column : column + 5] += 8
    box = 4 * np.array([[column, row, column + 5, row + 3]], np.float32)
    return ImageCells((cells,), {}), BoxedImage(Path(f"{number}.png"), 0, box, (4 * SIDE, 4 * SIDE))


def chosen(count: int, by_labels: float, lacking: int = 3) -> BoxHeads | None:
    """What so many boxed images choose, where the labels' boxes are right so often, in percent."""
    images = [shown(n) for n in range(count)]
    random = np.random.default_rng(0)
    others = {Path(f"other{n}.png"): random.normal(size=(4, SIDE, SIDE)).astype(np.float16) for n in range(lacking)}
    cells = {image.path: each for each, image in images} | {
        path: ImageCells((each,), {}) for path, each in others.items()
    }
    curves = np.full((count, len(THRESHOLDS)), by_labels)
    return choose_box_heads({0: [image for _, image in images]}, {0: curves}, {448: cells}, {0: list(others)}, 0.6, 0)


def test_a_head_of_boxes_is_taken_where_it_does_better() -> None:
    found = chosen(20, by_labels=10.0)
    assert found is not None
    assert found.heads[0].scale == 448
    assert 0.3 < found.heads[0].threshold == found.thresholds[0] < 0.7
    assert found.how.after > 90 > found.how.before
    cells, _ = shown(99)
    bright = np.asarray(cells.layers[0][0]) > 5
    probability = cells.probabilities(
        found.heads[0].head.weight[None], np.array([found.heads[0].head.bias], np.float32)
    )
    region = probability[0] >= probability.max() / 2
    assert region[bright].mean() > 0.9
    assert region.mean() < 2 * bright.mean()


def test_what_labels_have_decided_stays_where_boxes_teach_nothing_better() -> None:
    found = chosen(20, by_labels=100.0)
    assert found is not None
    assert not found.heads
    assert found.thresholds == {0: pytest.approx(0.6, abs=0.01)}
    assert "20 boxed images chose nothing better" in str(found.how)


def test_too_few_boxed_images_teach_none() -> None:
    assert chosen(3, by_labels=0.0) is None


def test_images_without_the_class_are_not_needed() -> None:
    found = chosen(10, by_labels=0.0, lacking=0)
    assert found is not None
    assert found.heads


def test_boxes_around_whole_images_teach_nothing_without_other_images() -> None:
    size = (4 * SIDE, 4 * SIDE)
    whole = [BoxedImage(Path(f"{n}.png"), 0, np.array([[0, 0, *size]], np.float32), size) for n in range(5)]
    cells = {each.path: shown(n)[0] for n, each in enumerate(whole)}
    found = choose_box_heads({0: whole}, {0: np.zeros((5, len(THRESHOLDS)))}, {448: cells}, {0: []}, 0.6, 0)
    assert found is not None
    assert not found.heads


def test_a_class_with_too_few_boxed_images_keeps_its_way() -> None:
    images = [shown(n) for n in range(12)]
    boxed = {0: [image for _, image in images[:10]], 1: [image for _, image in images[10:]], 2: []}
    curves = {k: np.zeros((len(each), len(THRESHOLDS))) for k, each in boxed.items()}
    cells = {448: {image.path: each for each, image in images}}
    found = choose_box_heads(boxed, curves, cells, {0: [], 1: [], 2: []}, 0.6, 0)
    assert found is not None
    assert list(found.heads) == [0]
    assert set(found.thresholds) == {0, 1, 2}


def test_boxes_of_photographs_teach_a_model_that_locates(data: Path, tmp_path: Path) -> None:
    """The whole way on a small scale: boxes are read, heads are learned, and the file has them in its graph."""
    trunk = Backbone(DEFAULT_MODEL)
    classes = ("kangaroo", "raccoon")
    card = replace(trunk.card, labels=classes, class_ids=())
    weight = np.zeros((2, trunk.width), np.float32)
    file = tmp_path / "model.onnx"
    write_model(with_head(trunk.path, weight, np.zeros(2, np.float32), card), file)
    truth = read_dataset(data / "critters/train.json", card, None, data / "critters/train").images
    boxed = [each for k in range(2) for each in [one for one in truth if one.class_index == k][:8]]
    targets = np.eye(2, dtype=np.float32)[[each.class_index for each in boxed]]
    learned = LabelledImages("some", classes, tuple(each.path for each in boxed), targets, several=False)
    stages: set[str] = set()
    found = learn_box_heads(
        trunk, ModelFile(file), learned, boxed, (224,), 0, lambda stage, done, total: stages.add(stage)
    )
    assert stages == {"boxes at 224"}
    assert found is not None
    assert found.how.after > found.how.before, "a model that knows nothing has boxes anywhere"
    assert set(found.heads) == {0, 1}

    way = with_box_heads(Localization(), found, trunk, 2)
    made = localized(card, way)
    write_model(with_head(trunk.path, weight, np.zeros(2, np.float32), made, way.head), file)
    unseen = sorted((each for each in truth if each not in boxed), key=lambda each: each.path)[::20]
    curves = label_curves(ModelFile(file), unseen)
    thresholds = [found.thresholds[each.class_index] for each in unseen]
    right = at_thresholds(np.array([curves[each.path, each.class_index] for each in unseen]), np.array(thresholds))
    assert right.mean() > 40, "of images that have taught nothing"
