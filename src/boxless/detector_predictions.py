"""Converts the output of a detector to predictions."""

from __future__ import annotations

from math import log

import numpy as np

from boxless.maps.boxes import Box
from boxless.maps.class_maps import probabilities
from boxless.models.card import Card
from boxless.models.model_file import Detected
from boxless.models.presets import Preset
from boxless.results import Prediction

LEAST_SCORE = 0.01
"""A detector's graph leaves out boxes with a lower score."""

_LEAST_LOGIT = log(LEAST_SCORE / (1 - LEAST_SCORE))


def predictions_of(
    detected: Detected, card: Card, preset: Preset, size: tuple[int, int], include_absent: bool
) -> tuple[Prediction, ...]:
    """A prediction for every class, in the model's order.

    Args:
        detected: the result of one run, boxes in pixels of the image.
        card: the card of the model.
        preset: its `threshold` is the lowest score of a box, and so of a detected class.
        size: (height, width) of the image.
        include_absent: whether to return all boxes, whatever their scores.

    Returns:
        One prediction for each class of the model.
    """
    of_all = probabilities(detected.logits, card.activation)
    least = 0.0 if include_absent else preset.threshold
    predictions = []
    for index, label in enumerate(card.labels):
        probability, activation = float(of_all[index]), float(detected.logits[index]) - _LEAST_LOGIT
        predictions.append(
            Prediction(
                label=label,
                class_index=index,
                probability=probability,
                activation=activation,
                detected=preset.is_detected(probability, activation) and probability >= preset.threshold,
                boxes=() if index in card.background else _boxes(detected, index, least, size),
                class_map=None,
                height=size[0],
                width=size[1],
            )
        )
    return tuple(predictions)


def _boxes(detected: Detected, index: int, least: float, size: tuple[int, int]) -> tuple[Box, ...]:
    """The boxes of a class, the best first, clipped to the image."""
    height, width = size
    mine = np.flatnonzero((detected.classes == index) & (detected.scores >= least))
    found = []
    for i in mine[np.argsort(-detected.scores[mine], kind="stable")].tolist():
        x0, y0, x1, y1 = np.clip(detected.boxes[i].astype(float), 0, [width, height, width, height]).tolist()
        if x0 < x1 and y0 < y1:
            found.append(Box(x0, y0, x1, y1, score=float(detected.scores[i])))
    return tuple(found)
