"""What a detector says of a picture, as predictions."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from boxless.maps.boxes import Box
from boxless.maps.class_maps import probabilities
from boxless.models.card import Card
from boxless.models.model_file import Detected
from boxless.models.presets import Preset
from boxless.results import Prediction

LEAST_SCORE = 0.01
"""Boxes with a lower score are not even given out by a detector's graph."""

_LEAST_LOGIT = log(LEAST_SCORE / (1 - LEAST_SCORE))


def predictions_of(
    detected: Detected,
    card: Card,
    preset: Preset,
    size: tuple[int, int],
    *,
    wanted: Sequence[int] | None,
    top: int,
    include_absent: bool,
) -> tuple[Prediction, ...]:
    """A prediction for each class that is wanted; else for the most probable ones, and for all that are present.

    Args:
        detected: what one run said, boxes in pixels of the picture.
        card: of the model.
        preset: its `threshold` is the least score of a box, and so of a class that is present.
        size: (height, width) of the picture.
        wanted: classes, by index.
        top: how many of the most probable, where none are wanted.
        include_absent: give all boxes, whatever their scores.
    """
    chances = probabilities(detected.logits, card.activation)
    chosen = list(wanted) if wanted is not None else np.argsort(-chances, kind="stable").tolist()
    predictions = []
    for rank, index in enumerate(chosen):
        activation = float(detected.logits[index]) - _LEAST_LOGIT
        present = preset.is_detected(float(chances[index]), activation) and chances[index] >= preset.threshold
        if wanted is None and rank >= top and not present:
            break
        boxes = (
            ()
            if index in card.background
            else _boxes(detected, index, 0.0 if include_absent else preset.threshold, size)
        )
        predictions.append(
            Prediction(
                label=card.labels[index],
                class_index=index,
                probability=float(chances[index]),
                activation=activation,
                detected=bool(present),
                boxes=boxes,
                class_map=None,
                height=size[0],
                width=size[1],
            )
        )
    return tuple(predictions)


def _boxes(detected: Detected, index: int, least: float, size: tuple[int, int]) -> tuple[Box, ...]:
    """Those of a class, the surest first, cut at the picture's border."""
    height, width = size
    mine = np.flatnonzero((detected.classes == index) & (detected.scores >= least))
    found = []
    for i in mine[np.argsort(-detected.scores[mine], kind="stable")].tolist():
        x0, y0, x1, y1 = np.clip(detected.boxes[i].astype(float), 0, [width, height, width, height]).tolist()
        if x0 < x1 and y0 < y1:
            found.append(Box(x0, y0, x1, y1, score=float(detected.scores[i])))
    return tuple(found)
