"""The loss of a detector."""

from __future__ import annotations

from typing import Any

from boxless.learning.detector.assignment import assign
from boxless.learning.detector.geometry import centres, decoded, overlaps
from boxless.networks.framework import keras

ops: Any = keras.ops

_BOX_SHARE = 2.0
"""The weight of the box loss relative to the class loss, as in TOOD."""

_NEGATIVE_SHARE, _FOCUS = 0.75, 2.0
"""VarifocalNet's alpha and gamma."""


class DetectorTrainer(keras.Model):  # type: ignore[misc]
    """A detector that can be trained: `DetectorTrainer(network.input, network.output)` shares its weights.

    The targets are a list of boxes (N, M, 4) in pixels, candidates (N, M, K) and weights (N, M).
    """

    def compute_loss(
        self,
        x: Any = None,  # noqa: ANN401
        y: Any = None,  # noqa: ANN401
        y_pred: Any = None,  # noqa: ANN401
        sample_weight: Any = None,  # noqa: ANN401
        training: bool = True,
    ) -> Any:  # noqa: ANN401
        """The mean loss per box."""
        return detection_loss(y_pred, *y, height=x.shape[1], width=x.shape[2])


def detection_loss(
    outputs: list[Any],
    truth: Any,  # noqa: ANN401
    candidates: Any,  # noqa: ANN401
    weights: Any,  # noqa: ANN401
    *,
    height: int,
    width: int,
) -> Any:  # noqa: ANN401
    """The loss of a batch, divided by the sum of the qualities.

    Args:
        outputs: of the network, see `boxless.networks.detector.detector`.
        truth, candidates, weights: see `boxless.learning.detector.assignment.assign`.
        height, width: the size of the images in pixels.
    """
    logits, boxes = decoded(outputs, height, width)
    points, _ = centres(height, width)
    task = assign(ops.sigmoid(logits), boxes, points, truth, candidates, weights)
    believed = task.quality * task.weights
    total = ops.maximum(ops.sum(believed), 1.0)
    of_class = ops.sum(varifocal(logits, task.classes * task.quality[..., None]) * task.counted, axis=-1)
    _, giou = overlaps(boxes, task.boxes)
    return (ops.sum(of_class * task.weights) + _BOX_SHARE * ops.sum((1.0 - giou) * believed)) / total


def varifocal(logits: Any, targets: Any) -> Any:  # noqa: ANN401
    """Varifocal loss (Zhang et al., CVPR 2021) of each logit against a target in [0, 1].

    With p = sigmoid(logit) and the target q: q times the cross-entropy where q > 0, and 0.75 p^2 times it where q = 0:
    the many background cells count little once their scores are low.
    """
    p = ops.stop_gradient(ops.sigmoid(logits))
    entropy = ops.softplus(logits) - targets * logits
    return ops.where(targets > 0, targets, _NEGATIVE_SHARE * p**_FOCUS) * entropy
