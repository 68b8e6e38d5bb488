"""Holes are filled with the context around them, and a class keeps the score that comes from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from examples.backgrounds import write_folder

from boxless.datasets.labelled import LabelledImages
from boxless.datasets.split import read_split
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.learning.head.features import pooled_features
from boxless.learning.head.head import fit_head
from boxless.learning.report.held_out import HeldOut, measure
from boxless.learning.report.surroundings import OcclusionResult, filled, occlusion_test
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL


def test_a_hole_gets_the_colours_around_it() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32] = (200, 0, 0)
    pixels[:, 32:] = (0, 0, 200)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 4:12] = hole[20:40, 52:60] = True
    without = pixels.copy()
    without[hole] = (0, 255, 0)
    made = filled(without, hole)
    assert (made[~hole] == pixels[~hole]).all()
    assert made[hole][:, 1].max() == 0  # nothing of what was taken out
    assert made[30, 8, 0] > 150 > 50 > made[30, 8, 2]
    assert made[30, 56, 2] > 150 > 50 > made[30, 56, 0]
    assert filled(without, np.ones((64, 64), bool)).std() == 0


@pytest.fixture(scope="module")
def network() -> ModelFile:
    return ModelFile(DEFAULT_MODEL, threads=1)


def test_an_object_is_recognized_by_itself(network: ModelFile, images: Path) -> None:
    paths = (images / "coffee.jpg",)
    targets = np.zeros((1, 1000), np.float32)
    targets[0, 967] = 1
    held_out = HeldOut(LabelledImages("some", network.card.labels, paths, targets, several=False), targets)
    (espresso,) = occlusion_test(network, "fast", held_out)
    assert (espresso.class_index, espresso.images) == (967, 1)
    assert espresso.without < 0.5 < espresso.only
    assert espresso.control > espresso.without
    assert 0.05 < espresso.region < 0.9
    assert not espresso.suspicious  # one image is too few


@pytest.mark.parametrize(("swapped", "noted"), [(0, True), (12, False)])
def test_a_background_that_gives_the_class_away_is_noted_and_any_other_is_not(
    swapped: int, noted: bool, tmp_path: Path
) -> None:
    training, validation = read_split(write_folder(tmp_path / "scenes", swapped, count=24), "0.34")
    trunk = Backbone(DEFAULT_MODEL)
    head = fit_head(pooled_features(trunk, training.paths, 224).pooled, training.targets, several=False)
    card = replace(trunk.card, labels=training.classes, class_ids=())
    write_model(with_head(trunk.path, head.weight, head.bias, card), tmp_path / "scenes.onnx")
    network = ModelFile(tmp_path / "scenes.onnx", threads=1)
    found = occlusion_test(network, "fast", measure(network, "fast", validation))
    assert any(each.suspicious for each in found) == noted


def test_images_that_are_gone_are_left_out(network: ModelFile, tmp_path: Path) -> None:
    targets = np.zeros((1, 1000), np.float32)
    targets[0, 967] = 1
    gone = LabelledImages("gone", network.card.labels, (tmp_path / "gone.jpg",), targets, several=False)
    assert occlusion_test(network, "fast", HeldOut(gone, targets)) == ()


def test_what_it_says() -> None:
    context = OcclusionResult(1, images=8, region=0.2, without=0.9, only=0.6, control=0.95)
    assert context.suspicious
    assert "cup: 90% of the score remains" in context.in_words(("cat", "cup"))
    assert context.as_dict(("cat", "cup")) == {
        "class": "cup", "images": 8, "region": 0.2, "without": 0.9, "only": 0.6, "control": 0.95, "suspicious": True,
    }  # fmt: skip
    assert not OcclusionResult(1, images=3, region=0.2, without=0.9, only=0.6, control=0.95).suspicious


def test_a_small_region_that_says_little_alone_is_a_part_and_not_the_surroundings() -> None:
    part = OcclusionResult(1, images=8, region=0.01, without=0.96, only=0.01, control=0.98)
    assert part.suspicious and part.part
    words = part.in_words(("cat", "cup"))
    assert "probably a part" in words and "keeps only 1%" in words and "--localization-size" in words
    assert "surroundings" not in words
    small = OcclusionResult(1, images=8, region=0.02, without=0.31, only=0.55, control=0.9)
    assert not small.suspicious and not small.part, "small things that are found whole"


def test_boxes_around_nearly_everything_are_noted_however_little_is_left() -> None:
    whole = OcclusionResult(0, images=8, region=0.95, without=0.0, only=1.0, control=0.1)
    assert whole.suspicious
    assert "cover 95% of the image" in whole.in_words(("steel",))
