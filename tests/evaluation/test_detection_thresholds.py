from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxless import Localizer
from boxless.datasets.boxed import read_dataset
from boxless.evaluation.detection_thresholds import (
    LEAST_KEPT,
    Surveys,
    blank_images,
    detection_thresholds,
    set_detection_thresholds,
)
from boxless.models.model_file import ModelFile


def surveys(probabilities: np.ndarray, evidence: np.ndarray) -> Surveys:
    return Surveys(probabilities.astype(np.float32), evidence.astype(np.float32))


@pytest.fixture
def told_apart() -> tuple[Surveys, np.ndarray]:
    """200 images of three classes; what is there is more probable and has more evidence, with some in between."""
    random = np.random.default_rng(0)
    shown = np.eye(3, dtype=bool)[random.integers(0, 3, 200)]
    chances = np.where(shown, random.beta(8, 2, shown.shape), random.beta(2, 8, shown.shape))
    return surveys(chances, np.where(shown, 10, 4) + random.normal(0, 1.5, shown.shape)), shown


def test_present_classes_pass_and_absent_and_blank_do_not(told_apart: tuple[Surveys, np.ndarray]) -> None:
    seen, shown = told_apart
    blank = surveys(np.full((10, 3), 0.9), np.full((10, 3), 6.0))
    found = detection_thresholds(seen, shown, blank)
    assert found is not None
    passing = seen.passing(found.probability, found.activation)
    assert found.present == pytest.approx(100 * passing[shown].mean()) and found.present >= 100 * LEAST_KEPT
    assert found.absent == pytest.approx(100 * passing[~shown].mean()) and found.absent < 5
    assert found.blank == 0
    assert found.activation > 6


def test_present_classes_come_before_blank_images(told_apart: tuple[Surveys, np.ndarray]) -> None:
    """Blank images that look like everything cannot raise the threshold above what is there."""
    seen, shown = told_apart
    found = detection_thresholds(seen, shown, surveys(np.full((10, 3), 0.99), np.full((10, 3), 50.0)))
    assert found is not None
    assert found.present >= 100 * LEAST_KEPT
    assert found.blank == 100


def test_a_few_images_set_nothing(told_apart: tuple[Surveys, np.ndarray]) -> None:
    seen, shown = told_apart
    few = surveys(seen.probabilities[:10], seen.activation[:10])
    assert detection_thresholds(few, shown[:10], few) is None


@pytest.mark.parametrize(
    "kind", [{"background": (0,)}, {"activation": "sigmoid"}], ids=["background", "several labels"]
)
def test_few_images_detect_what_is_more_probable_than_not(kind: dict[str, Any], coffee: Path) -> None:
    """Defects and background, or several labels: nothing can be measured, but not every image shows every class."""
    network = ModelFile("efficientnet-lite0")
    network.card = replace(network.card, **kind)
    shown = np.zeros((2, len(network.card.labels)), bool)
    shown[:, 5] = True
    preset, found = set_detection_thresholds(network, "fast", [coffee, coffee], shown, "2 images")
    assert found is None
    assert preset.min_probability == 0.5 and "2 images" in preset.detection_set_on


def test_blank_images_are_the_same_each_time() -> None:
    once, again = blank_images(), blank_images()
    assert all(np.array_equal(one, other) for one, other in zip(once, again, strict=True))
    assert {(image.shape, image.dtype.name) for image in once} == {((300, 400, 3), "uint8")}


def test_the_stored_thresholds_hold_on_real_images(data: Path) -> None:
    """At most 5 % of the absent classes get a box, at least 95 % of the present ones do."""
    localizer = Localizer(preset="fast", threads=1)
    boxed = read_dataset(data / "ilsvrc-dev", localizer.card).images[::10]
    seen = Surveys.of(localizer, [each.path for each in boxed])
    shown = np.zeros(seen.activation.shape, bool)
    shown[np.arange(len(boxed)), [each.class_index for each in boxed]] = True
    passing = seen.passing(localizer.preset.min_probability, localizer.preset.min_activation)
    assert passing[~shown].mean() <= 0.05
    assert passing[shown].mean() >= 0.92  # 65 images; all 650 give over 95 %
