"""Pseudo-boxes: the class maps of an image's known labels, as boxes to train a detector on."""

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
"""Components of several maps that overlap by this IoU are one component."""

_LEAST_SIDE = 0.04
"""The smallest side of a component, as a share of the image's; smaller ones are dropped."""

_WEAK, _FAINT = 0.6, 0.3
"""A component below the first share of the strongest one's activation is uncertain; below the second it is dropped."""

_AGREED = 0.4
"""A box is uncertain if it overlaps the boxes of the other passes by less than this mean IoU."""

_MARGIN = 0.12
"""A component's class counts as known if its relative activation for it exceeds that of the next class by this much."""

_GRID = 96


@dataclass(frozen=True, eq=False)
class Component:
    """A connected component of the class maps of an image.

    Attributes:
        box: (4,), xyxy as shares of the image's sides, in [0, 1].
        activation: (k,), the mean of each label's score map in it.
    """

    box: Floats
    activation: Floats


def pseudo_labels_of(passes: Sequence[Localization], labels: Sequence[int], classes: int) -> PseudoLabels:
    """The pseudo-boxes of an image with known labels, from several passes over it.

    The maps of similar labels activate on the same components. So components are collected first, whichever label's
    map they come from, and then assigned to labels one to one, so that the sum of their relative activations is
    largest. A component that is left over gets the label that it activates most, if the difference is clear.

    Args:
        passes: predictions for exactly these labels, in this order, at different scales; the boxes are those of the
            first.
        labels: the indices of the image's classes.
        classes: K.
    """
    components = components_of(passes[0].predictions)
    if not components:
        return PseudoLabels.nothing(classes)
    boxes = np.stack([each.box for each in components])
    activation = np.stack([each.activation for each in components])
    strength = activation.max(axis=1) / activation.max()
    agreed = [_agreement(boxes, other) for other in passes[1:]]
    agreement = np.mean(agreed, axis=0) if agreed else np.ones(len(boxes))
    shares = shared_out(activation)
    candidates = np.zeros((len(components), classes), np.float32)
    candidates[:, list(labels)] = shares
    believed = (strength >= _WEAK) & (agreement >= _AGREED)
    weights = np.where(believed, np.sqrt(strength * agreement), 0.0).astype(np.float32)
    candidates[weights == 0] = 0
    candidates[np.ix_(weights == 0, list(labels))] = 1
    return PseudoLabels(boxes, candidates, weights)


def components_of(predictions: Sequence[Prediction]) -> list[Component]:
    """The connected components of the maps of an image's labels; overlapping ones of several maps are merged."""
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
    # Score maps share one scale, so that a label with low peaks competes on equal terms.
    maps = np.stack([prediction.scores_on(_GRID, _GRID) for prediction in predictions])
    components = [Component(edges, _within(maps, edges)) for edges in kept]
    strongest = max((float(each.activation.max()) for each in components), default=0.0)
    return [each for each in components if each.activation.max() >= _FAINT * strongest > 0]


def shared_out(activation: Floats) -> Floats:
    """The labels that each component may show: float32 (m, k) of 0 and 1, with at least one 1 in each row.

    Args:
        activation: (m, k), not negative, of each label in each component.
    """
    count, labels = activation.shape
    if labels == 1:
        return np.ones((count, 1), np.float32)
    # Divide out what all labels share and how strong each is overall: neither shows which label is where.
    relative = activation / np.maximum(activation.mean(axis=0, keepdims=True), 1e-6)
    relative = relative / np.maximum(relative.mean(axis=1, keepdims=True), 1e-6)
    shares = np.zeros((count, labels), np.float32)
    given = assigned(relative)
    for i in range(count):
        order = np.argsort(-relative[i])
        label = given.get(i, int(order[0]))
        rest = np.delete(relative[i], label)
        if relative[i, label] - rest.max() >= _MARGIN:
            shares[i, label] = 1
        else:
            shares[i] = 1
    return shares


def assigned(gain: Floats) -> dict[int, int]:
    """The label of each row that gets one, with no label assigned twice and the largest sum of gains."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-gain)
    return dict(zip(rows.tolist(), columns.tolist(), strict=True))


def _within(maps: Floats, box: Floats) -> Floats:
    """The mean of each map (k, g, g) over the inner half of a box, where neighbours overlap least."""
    side = maps.shape[1]
    quarter = (box[2:] - box[:2]) / 4
    x0, y0 = np.floor((box[:2] + quarter) * side).astype(int).clip(0, side - 1)
    x1, y1 = np.ceil((box[2:] - quarter) * side).astype(int)
    return np.asarray(maps[:, y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)].mean(axis=(1, 2)), np.float32)


def _agreement(boxes: Floats, other: Localization) -> Floats:
    """(m,), the highest IoU of each box with a box of another pass."""
    others = [each.box for each in components_of(other.predictions)]
    return iou(boxes, np.stack(others)).max(axis=1) if others else np.zeros(len(boxes), np.float32)
