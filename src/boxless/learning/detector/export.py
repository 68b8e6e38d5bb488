"""Exports a trained detector to a model file, and checks that both give the same output."""

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
from boxless.learning.network.export import TOLERANCE, convert, some_images
from boxless.maps.class_maps import probabilities
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.networks.detector_backbones import STRIDES
from boxless.networks.framework import keras
from boxless.system.files import write_whole

_PIXELS = 0.05
"""The largest difference between box edges that passes, in pixels."""


def export_detector(network: Any, out: Path, card: Card, images: Sequence[Path] = ()) -> float:  # noqa: ANN401
    """Writes a model file, if its output matches the network's.

    Args:
        network: the trained network, see `boxless.networks.detector.detector`.
        out: the model file.
        card: the card of the model.
        images: images to compare the outputs on; noise if there are none.

    Returns:
        The largest difference between probabilities.

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
        apart.append(compare(network, ModelFile(beside), images))

    write_whole(out, write)
    return apart[0]


def compare(network: Any, model: ModelFile, images: Sequence[Path]) -> float:  # noqa: ANN401
    """Runs both on the same images; the largest difference between probabilities.

    Every box of the model file must be the output of a cell of the network.

    Raises:
        TrainingError: if they differ by more than TOLERANCE in a probability, or 0.05 pixels in an edge.
    """
    side = model.card.preset(model.card.default_preset).scales[0]
    difference = edges = 0.0
    for pixels in some_images(images, side):
        outputs = network.predict_on_batch(pixels[None].astype(np.float32))
        tensors = decoded([keras.ops.convert_to_tensor(each) for each in outputs], side, side)
        logits, boxes = (np.asarray(keras.ops.convert_to_numpy(each))[0] for each in tensors)
        found = model.detect(pixels, size=(side, side))
        scores = probabilities(logits, "sigmoid")
        difference = max(difference, float(np.abs(scores.max(axis=0) - probabilities(found.logits, "sigmoid")).max()))
        boxes = boxes.clip(0, side)
        for box, score, label in zip(found.boxes, found.scores, found.classes, strict=True):
            nearest = np.abs(boxes - box).max(axis=1) + np.abs(scores[:, label] - score)
            edges = max(edges, float(np.abs(boxes[nearest.argmin()] - box).max()))
            difference = max(difference, float(np.abs(scores[nearest.argmin(), label] - score)))
    # Not-a-number passes no comparison.
    if not (difference <= TOLERANCE and edges <= _PIXELS):
        raise TrainingError(
            f"not written: Keras and the model file differ, in probabilities by {difference:.2g} "
            f"(at most {TOLERANCE:g}), in boxes by {edges:.2g} pixels (at most {_PIXELS:g})"
        )
    return difference
