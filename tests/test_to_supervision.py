from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boxless import Localizer, MissingExtraError


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


def test_it_says_what_is_missing(localizer: Localizer, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "supervision", None)
    with pytest.raises(MissingExtraError, match=r"boxless\[supervision\]"):
        localizer.locate(coffee).to_supervision()
