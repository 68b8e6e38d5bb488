"""Class maps of a picture's known labels, as boxes that a detector can be taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.maps.boxes import iou
from boxless.results import Localization, Prediction

Floats = NDArray[np.float32]

_SAME = 0.5
"""Pieces of several maps that overlap so far are one piece."""

_LEAST_SIDE = 0.04
"""Of a piece, as a share of the picture's: smaller ones are specks."""

_WEAK, _FAINT = 0.6, 0.3
"""A piece with less than the first share of the strongest's evidence is doubtful, with less than the second none."""

_AGREED = 0.4
"""A box that other looks at the picture do not find again, to this IoU, is doubtful."""

_MARGIN = 0.12
"""By how much, as a share, a piece must speak for one label more than for the next for its class to count as known."""

_GRID = 96


@dataclass(frozen=True, eq=False)
class Piece:
    """Something that stands out in a picture.

    Attributes:
        box: (4,), as shares of the picture.
        evidence: (k,), the mean of each label's class map in it.
    """

    box: Floats
    evidence: Floats


def pseudo_labels_of(looks: Sequence[Localization], labels: Sequence[int], classes: int) -> PseudoLabels:
    """The boxes of a picture of known labels, by several looks at it.

    The maps of labels that are alike light up the same pieces. So pieces are found first, whichever label's map has
    them, and then shared out among the labels by competition: each label gets the piece that speaks for it most, no
    two the same. Whoever is left over goes to the label that it speaks for, if it does clearly.

    Args:
        looks: what a model says of the picture for just these labels, in this order, at different sizes; the boxes are
            those of the first.
        labels: the indices of the picture's classes.
        classes: K.
    """
    pieces = pieces_of(looks[0].predictions)
    if not pieces:
        return PseudoLabels.nothing(classes)
    boxes = np.stack([piece.box for piece in pieces])
    evidence = np.stack([piece.evidence for piece in pieces])
    strength = evidence.max(axis=1) / evidence.max()
    agreed = [_agreement(boxes, look) for look in looks[1:]]
    agreement = np.mean(agreed, axis=0) if agreed else np.ones(len(boxes))
    shares = shared_out(evidence)
    candidates = np.zeros((len(pieces), classes), np.float32)
    candidates[:, list(labels)] = shares
    believed = (strength >= _WEAK) & (agreement >= _AGREED)
    weights = np.where(believed, np.sqrt(strength * agreement), 0.0).astype(np.float32)
    candidates[weights == 0] = 0
    candidates[np.ix_(weights == 0, list(labels))] = 1
    return PseudoLabels(boxes, candidates, weights)


def pieces_of(predictions: Sequence[Prediction]) -> list[Piece]:
    """What stands out in the maps of a picture's labels, once each however many maps it stands out in."""
    if not predictions:
        return []
    width, height = predictions[0].width, predictions[0].height
    found: list[tuple[float, Floats]] = []
    sides = np.array([width, height] * 2, np.float32)
    for prediction in predictions:
        peak = max(prediction.activation, 0.0)
        for box in prediction.boxes:
            edges = np.asarray(np.array(box.xyxy, np.float32) / sides, np.float32)
            if min(edges[2:] - edges[:2]) >= _LEAST_SIDE:
                found.append((box.score * peak, edges))
    found.sort(key=lambda each: -each[0])
    kept: list[Floats] = []
    for _, edges in found:
        if not kept or iou(edges[None], np.stack(kept)).max() < _SAME:
            kept.append(edges)
    # Of one scale, so that labels can be compared: a map whose peaks are low speaks as loudly as another.
    maps = np.stack([prediction.scores_on(_GRID, _GRID) for prediction in predictions])
    pieces = [Piece(edges, _within(maps, edges)) for edges in kept]
    strongest = max((float(piece.evidence.max()) for piece in pieces), default=0.0)
    return [piece for piece in pieces if piece.evidence.max() >= _FAINT * strongest > 0]


def shared_out(evidence: Floats) -> Floats:
    """Which labels each piece may show: float32 (m, k) of 0 and 1, at least one 1 a row.

    Args:
        evidence: (m, k), not negative, of each piece for each label.
    """
    count, labels = evidence.shape
    if labels == 1:
        return np.ones((count, 1), np.float32)
    # What all labels have in common, and how loud each is on the whole, says nothing of which is where.
    relative = evidence / np.maximum(evidence.mean(axis=0, keepdims=True), 1e-6)
    relative = relative / np.maximum(relative.mean(axis=1, keepdims=True), 1e-6)
    shares = np.zeros((count, labels), np.float32)
    given = assigned(relative)
    for piece in range(count):
        order = np.argsort(-relative[piece])
        label = given.get(piece, int(order[0]))
        rest = np.delete(relative[piece], label)
        if relative[piece, label] - rest.max() >= _MARGIN:
            shares[piece, label] = 1
        else:
            shares[piece] = 1
    return shares


def assigned(gain: Floats) -> dict[int, int]:
    """The label of each piece that gets one, so that no label is given twice and the sum of gains is largest."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-gain)
    return dict(zip(rows.tolist(), columns.tolist(), strict=True))


def _within(maps: Floats, box: Floats) -> Floats:
    """The mean of each map (k, g, g) in a box, the inner half of it, which others reach into least."""
    side = maps.shape[1]
    quarter = (box[2:] - box[:2]) / 4
    x0, y0 = np.floor((box[:2] + quarter) * side).astype(int).clip(0, side - 1)
    x1, y1 = np.ceil((box[2:] - quarter) * side).astype(int)
    return np.asarray(maps[:, y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].mean(axis=(1, 2)), np.float32)


def _agreement(boxes: Floats, look: Localization) -> Floats:
    """(m,), the IoU of each box with the nearest one of another look."""
    others = [piece.box for piece in pieces_of(look.predictions)]
    return iou(boxes, np.stack(others)).max(axis=1) if others else np.zeros(len(boxes), np.float32)
