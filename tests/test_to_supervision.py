from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from boxless import Localization, Localizer, MissingExtraError
from boxless.errors import NoClassMapError


def test_boxes_of_all_predictions(localizer: Localizer, coffee: Path) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed (boxless[supervision])")
    found = localizer.locate(coffee, classes=["espresso", "cup"], include_absent=True)
    boxes = [(prediction, box) for prediction in found.predictions for box in prediction.boxes]
    detections = found.to_supervision(masks=True)
    assert isinstance(detections, supervision.Detections)
    np.testing.assert_allclose(detections.xyxy, [box.xyxy for _, box in boxes], rtol=1e-6)
    assert detections.class_id.tolist() == [prediction.class_index for prediction, _ in boxes]
    assert detections["class_name"].tolist() == [prediction.label for prediction, _ in boxes]
    np.testing.assert_allclose(detections.confidence, [box.score for _, box in boxes], rtol=1e-6)
    assert detections.mask.shape == (len(boxes), found.height, found.width)
    espressos = detections[detections["class_name"] == "espresso"]
    assert 0 < len(espressos) < len(detections)
    assert len(localizer.locate(coffee, classes=["tabby"]).to_supervision()) == 0


class Recorded:
    """Stands in for `supervision.Detections` where that is not installed: it keeps what it was made of."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401
        self.given = given

    @classmethod
    def empty(cls) -> Recorded:
        return cls()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=Recorded))


@pytest.mark.usefixtures("recorded")
def test_what_detections_are_made_of(four_boxes: Localization) -> None:
    given = four_boxes.to_supervision().given
    assert list(given) == ["xyxy", "mask", "confidence", "class_id", "data"]
    assert given["xyxy"].tolist() == four_boxes.xyxy.tolist() and given["xyxy"].flags.writeable
    assert given["confidence"].tolist() == four_boxes.scores.tolist() and given["confidence"].flags.writeable
    assert given["class_id"].tolist() == [2, 2, 2, 1] and given["class_id"].flags.writeable
    assert given["mask"] is None
    assert {name: values.tolist() for name, values in given["data"].items()} == {
        "class_name": ["cat", "cat", "cat", "dog"],
        "probability": pytest.approx([0.9, 0.9, 0.9, 0.6]),
        "activation": [9.0] * 4,
    }
    assert given["data"]["probability"].dtype == given["data"]["activation"].dtype == np.float32


@pytest.mark.usefixtures("recorded")
def test_masks_are_given_on_demand(localizer: Localizer, coffee: Path, four_boxes: Localization) -> None:
    found = localizer.locate(coffee, classes=["espresso", "tabby"])
    (mask,) = found.to_supervision(masks=True).given["mask"]
    assert mask.shape == (400, 600) and 0.05 < mask.mean() < 0.9
    with pytest.raises(NoClassMapError, match="no masks of 'cat'"):
        four_boxes.to_supervision(masks=True)


@pytest.mark.usefixtures("recorded")
def test_nothing_found_are_no_detections(four_boxes: Localization) -> None:
    assert not replace(four_boxes, predictions=()).to_supervision(masks=True).given


def test_it_says_what_is_missing(localizer: Localizer, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(
        MissingExtraError, match=r"^Localization.to_supervision needs supervision \(.*boxless\[supervision\]"
    ):
        localizer.locate(coffee).to_supervision()
