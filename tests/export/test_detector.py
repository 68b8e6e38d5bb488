"""A detector's graph against plain NumPy: decoding, suppression of doubles, any size of image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper
from tests.small_detector import CLASSES, network, write_detector

from boxless import Localizer
from boxless.detector_predictions import LEAST_SCORE
from boxless.errors import ModelFileError, NoClassMapError
from boxless.export.backbone import Backbone
from boxless.export.detector import MOST_BOXES, OVERLAP
from boxless.export.measure import measure
from boxless.export.quantize import quantize
from boxless.maps.boxes import iou
from boxless.models.model_file import ModelFile
from boxless.networks.detector_backbones import STRIDES

Floats = NDArray[Any]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_detector(tmp_path_factory.mktemp("detector") / "tiny.onnx")


def blobs(height: int, width: int) -> Floats:
    """An image with some contrast."""
    coarse = np.random.default_rng(1).integers(0, 256, (5, 6, 3)).astype(np.uint8)
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 6 // width
    return np.ascontiguousarray(coarse[rows][:, columns])


def cells(pixels: Floats) -> tuple[Floats, Floats]:
    """Scores (P, K) and boxes (P, 4) of all cells, from the network's weights."""
    tensors = {each.name: numpy_helper.to_array(each) for each in network().graph.initializer}
    height, width = pixels.shape[:2]
    scores, boxes = [], []
    for stride in STRIDES:
        means = pixels.reshape(height // stride, stride, width // stride, stride, 3).mean(axis=(1, 3), dtype=np.float64)
        said = means @ tensors[f"w{stride}"][:, :, 0, 0].T + tensors[f"b{stride}"]
        for y in range(height // stride):
            for x in range(width // stride):
                left, top, right, bottom = said[y, x, CLASSES:]
                edges = np.array([x + 0.5 - left, y + 0.5 - top, x + 0.5 + right, y + 0.5 + bottom]) * stride
                boxes.append(edges.clip(0, [width, height, width, height]))
                scores.append(1 / (1 + np.exp(-said[y, x, :CLASSES])))
    return np.array(scores), np.array(boxes)


def suppressed(scores: Floats, boxes: Floats) -> list[int]:
    """The cells that are left of one class, the surest first."""
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        others = boxes[kept].astype(np.float32)
        if scores[i] > LEAST_SCORE and (not kept or iou(boxes[i : i + 1].astype(np.float32), others).max() <= OVERLAP):
            kept.append(int(i))
    return kept[:MOST_BOXES]


@pytest.mark.parametrize("size", [(64, 64), (32, 96), (160, 128)])
def test_boxes_are_those_of_numpy(made: Path, size: tuple[int, int]) -> None:
    pixels = blobs(*size)
    found = ModelFile(made, 1).detect(pixels, size=size)
    scores, boxes = cells(pixels)
    assert 1 / (1 + np.exp(-found.logits)) == pytest.approx(scores.max(axis=0), abs=1e-4)
    for index in range(CLASSES):
        expected = suppressed(scores[:, index], boxes)
        mine = found.classes == index
        assert found.scores[mine] == pytest.approx(scores[expected, index], abs=1e-4)
        assert np.allclose(found.boxes[mine], boxes[expected], atol=0.02)


def test_boxes_are_in_pixels_of_the_image_however_it_is_looked_at(made: Path) -> None:
    small = blobs(64, 64)
    large = np.repeat(np.repeat(small, 3, axis=0), 2, axis=1)
    network = ModelFile(made, 1)
    one, other = network.detect(small, size=(64, 64)), network.detect(large, size=(64, 64))
    assert np.allclose(one.boxes[0] * [2, 3, 2, 3], other.boxes[0], atol=2)
    assert one.scores[0] == pytest.approx(other.scores[0], abs=0.02)


def test_several_images_at_once(made: Path) -> None:
    import onnxruntime as ort

    stack = np.stack([blobs(64, 64), blobs(64, 64)[::-1]])
    outputs = ("boxes", "box_scores", "box_pictures")
    feed = {"image": np.ascontiguousarray(stack), "size": np.array([64, 64], np.int64)}
    boxes, scores, where = ort.InferenceSession(made).run(outputs, feed)
    alone = ModelFile(made, 1).detect(np.ascontiguousarray(stack[1]), size=(64, 64))
    assert sorted(set(where.tolist())) == [0, 1]
    assert np.allclose(boxes[where == 1], alone.boxes, atol=1e-3)
    assert np.allclose(scores[where == 1], alone.scores, atol=1e-5)


def test_the_localizer_runs_it(made: Path) -> None:
    found = Localizer(made).locate(blobs(150, 200), include_absent=True)
    assert found.maps == "none"
    for prediction in found.predictions:
        scores = [box.score for box in prediction.boxes]
        assert scores == sorted(scores, reverse=True)
        if prediction.boxes:
            assert scores[0] == pytest.approx(prediction.probability, abs=1e-5)
        assert all(0 <= box.x0 < box.x1 <= 200 and 0 <= box.y0 < box.y1 <= 150 for box in prediction.boxes)
    data = found.to_dict()["predictions"][0]
    assert data["boxes"]
    assert found.draw().size == (320, 240)
    assert found.to_rows()[0]["x0"] is not None


def test_what_is_present_is_found_unasked_and_boxes_reach_the_level(made: Path) -> None:
    localizer = Localizer(made)
    pixels = blobs(64, 64)
    said = localizer.locate(pixels, classes=["cat", "dog", "nothing"])
    level = localizer.preset.threshold
    for prediction in said.predictions:
        assert prediction.detected == (prediction.probability >= level)
        assert all(box.score >= level for box in prediction.boxes)
    assert not said.predictions[2].boxes
    present = {prediction.label for prediction in said.predictions if prediction.detected}
    assert present <= {prediction.label for prediction in localizer.locate(pixels).predictions}


def test_a_map_of_a_detector_is_refused_in_words(made: Path, tmp_path: Path, coffee: Path) -> None:
    prediction = Localizer(made).locate(coffee).predictions[0]
    assert prediction.class_map is None
    with pytest.raises(NoClassMapError, match="boxes and no class maps"):
        prediction.score_map  # noqa: B018
    for refused in (
        lambda: ModelFile(made).run(np.zeros((64, 64, 3), np.uint8), size=(64, 64)),
        lambda: quantize(made, [coffee] * 10, tmp_path / "int8.onnx"),
        lambda: Backbone(made),
        lambda: measure(made),
    ):
        with pytest.raises(ModelFileError, match="a detector: it has boxes and no class maps"):
            refused()
    assert not list(tmp_path.iterdir())
