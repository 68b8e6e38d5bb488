"""From a trained detector to a model file, and the proof that both say the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from boxless.errors import TrainingError
from boxless.export.assemble import write_model
from boxless.export.detector import detector_model
from boxless.learning.detector.geometry import decoded
from boxless.learning.network.export import TOLERANCE, convert, some_pictures
from boxless.maps.class_maps import probabilities
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.networks.backbones import STRIDES
from boxless.networks.framework import keras
from boxless.system.files import write_whole

_PIXELS = 0.05
"""By which edges of boxes may differ, in pixels."""


def export_detector(network: Any, out: Path, card: Card, pictures: Sequence[Path] = ()) -> float:  # noqa: ANN401
    """Writes a model file, if it says what the network says.

    Args:
        network: see `boxless.networks.detector.detector`.
        out: the model file.
        card: of it.
        pictures: to compare on; noise where there are none.

    Returns:
        The largest difference of a probability.

    Raises:
        NetworkError: if it cannot be exported.
        TrainingError: if the two differ. Nothing is written.
    """
    apart: list[float] = []

    def write(beside: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "network.onnx"
            convert(network, plain)
            write_model(detector_model(onnx.load(plain), STRIDES, card), beside)
        apart.append(compare(network, ModelFile(beside), pictures))

    write_whole(out, write)
    return apart[0]


def compare(network: Any, model: ModelFile, pictures: Sequence[Path]) -> float:  # noqa: ANN401
    """Shows both the same pictures; the largest difference of a probability.

    Every box of the model file must be one that a cell of the network says.

    Raises:
        TrainingError: if they differ by more than TOLERANCE in a probability, or 0.05 pixels in an edge.
    """
    side = model.card.preset(model.card.default_preset).scales[0]
    chances = edges = 0.0
    for pixels in some_pictures(pictures, side):
        said = network.predict_on_batch(pixels[None].astype(np.float32))
        tensors = decoded([keras.ops.convert_to_tensor(each) for each in said], side, side)
        logits, boxes = (np.asarray(keras.ops.convert_to_numpy(each))[0] for each in tensors)
        found = model.detect(pixels, size=(side, side))
        scores = probabilities(logits, "sigmoid")
        chances = max(chances, float(np.abs(scores.max(axis=0) - probabilities(found.logits, "sigmoid")).max()))
        boxes = boxes.clip(0, side)
        for box, score, label in zip(found.boxes, found.scores, found.classes, strict=True):
            nearest = np.abs(boxes - box).max(axis=1) + np.abs(scores[:, label] - score)
            edges = max(edges, float(np.abs(boxes[nearest.argmin()] - box).max()))
            chances = max(chances, float(np.abs(scores[nearest.argmin(), label] - score)))
    # Not-a-number passes no comparison.
    if not (chances <= TOLERANCE and edges <= _PIXELS):
        raise TrainingError(
            f"not written: Keras and the model file differ, in probabilities by {chances:.2g} (at most {TOLERANCE:g}), "
            f"in boxes by {edges:.2g} pixels (at most {_PIXELS:g})"
        )
    return chances
