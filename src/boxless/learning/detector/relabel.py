"""Self-training: a detector's boxes for its training images, as pseudo-labels of the next round."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from boxless.learning.detector.pseudo_boxes import assigned
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.maps.boxes import iou
from boxless.models.model_file import Detected

Floats = NDArray[np.float32]

_SAME = 0.4
"""Boxes of several labels that overlap by this IoU are one object."""

_SURE, _FAINT = 0.7, 0.25
"""An object is learned from if its score is at least the first share of its label's highest score in the image, and
uncertain down to the second share."""

_RIVAL = 1.0
"""An object's class is known if no other label of the image scores more than this share of its score there.

On playing cards 94 % of these classes are correct. At 0.7 all are, but a fifth fewer boxes have a known class."""

_SUPPORTED = 0.5
"""An object is uncertain if less than this share of it lies in a box of the class maps."""

_TIGHT = 0.7
"""A box that overlaps one of the class maps by this IoU is averaged with it."""


def relabelled(detected: Detected, size: tuple[int, int], labels: Sequence[int], teacher: PseudoLabels) -> PseudoLabels:
    """The pseudo-labels of an image with known labels, from the detector's own boxes.

    Only labels that the image has are used, each at least once: this is what the detector cannot know by itself, and
    learns from.

    Args:
        detected: the detector's output, in pixels of its input.
        size: (height, width) of its input.
        labels: the indices of the image's classes.
        teacher: the pseudo-labels that the class maps gave the image.
    """
    classes = teacher.candidates.shape[1]
    boxes, scores = _objects(detected, size, labels)
    if not len(boxes):
        return teacher
    # Labels get objects one to one; objects left over get their most probable label. A score of 0 means that the label
    # was not detected there, so it is no assignment.
    given = {i: label for i, label in assigned(scores).items() if scores[i, label] > 0}
    best = np.array([given.get(i, int(row.argmax())) for i, row in enumerate(scores)])
    own = scores[np.arange(len(scores)), best]
    strength = own / np.maximum(np.array([own[best == label].max() for label in best]), 1e-9)
    rival = np.where(np.arange(scores.shape[1]) == best[:, None], 0, scores).max(axis=1)
    kept = strength >= _FAINT
    supported = _support(boxes, teacher) >= _SUPPORTED
    sure = (strength >= _SURE) & supported
    candidates = np.zeros((len(boxes), classes), np.float32)
    columns = np.asarray(labels)
    for i, label in enumerate(best):
        known = sure[i] and rival[i] <= _RIVAL * own[i]
        candidates[i, [columns[label]] if known else columns] = 1
    weights = np.where(sure, np.sqrt(strength), 0.0).astype(np.float32)
    found = PseudoLabels(_tightened(boxes, teacher)[kept], candidates[kept], weights[kept])
    missing = [label for k, label in enumerate(labels) if k not in best]
    return _with_missing(found, missing, teacher) if missing else found


def _with_missing(found: PseudoLabels, missing: Sequence[int], teacher: PseudoLabels) -> PseudoLabels:
    """Adds the class maps' boxes for labels that the detector found no object of.

    Without them the label's object would be learned as background. If the detector has an object of another label in
    the same place, either may be correct, so both become candidates.
    """
    candidates = found.candidates.copy()
    added = []
    for i in np.flatnonzero(teacher.candidates[:, list(missing)].any(axis=1)):
        overlap = iou(teacher.boxes[i : i + 1], found.boxes)[0]
        if len(overlap) and overlap.max() >= _SAME:
            candidates[overlap.argmax(), list(missing)] = 1
        else:
            added.append(i)
    kept = PseudoLabels(teacher.boxes[added], teacher.candidates[added], teacher.weights[added])
    return PseudoLabels.joined([PseudoLabels(found.boxes, candidates, found.weights), kept])


def _objects(detected: Detected, size: tuple[int, int], labels: Sequence[int]) -> tuple[Floats, Floats]:
    """The boxes (m, 4) of objects, as shares of the image, and their scores (m, k) for each label."""
    mine = np.flatnonzero(np.isin(detected.classes, labels))
    mine = mine[np.argsort(-detected.scores[mine], kind="stable")]
    sides = np.array([size[1], size[0]] * 2, np.float32)
    boxes = (detected.boxes[mine] / sides).clip(0, 1)
    columns = {label: k for k, label in enumerate(labels)}
    kept: list[int] = []
    rows: list[Floats] = []
    for i, at in enumerate(mine.tolist()):
        column, score = columns[int(detected.classes[at])], detected.scores[at]
        overlap = iou(boxes[i : i + 1], boxes[kept])[0] if kept else np.zeros(0, np.float32)
        if kept and overlap.max() >= _SAME:
            row = rows[int(overlap.argmax())]
            row[column] = max(row[column], score)
        elif min(boxes[i, 2:] - boxes[i, :2]) > 0:
            kept.append(i)
            rows.append(np.zeros(len(labels), np.float32))
            rows[-1][column] = score
    return boxes[kept], np.stack(rows) if rows else np.zeros((0, len(labels)), np.float32)


def _support(boxes: Floats, teacher: PseudoLabels) -> Floats:
    """(m,), the largest share of each box that lies in one of the teacher's."""
    if not len(teacher):
        return np.zeros(len(boxes), np.float32)
    low = np.maximum(boxes[:, None, :2], teacher.boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], teacher.boxes[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    return np.asarray(shared.max(axis=1) / np.maximum(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), 1e-9), np.float32)


def _tightened(boxes: Floats, teacher: PseudoLabels) -> Floats:
    if not len(teacher):
        return boxes
    overlap = iou(boxes, teacher.boxes)
    near = teacher.boxes[overlap.argmax(axis=1)]
    agreed = overlap.max(axis=1, keepdims=True) >= _TIGHT
    return np.asarray(np.where(agreed, (boxes + near) / 2, boxes), np.float32)
