"""Assigns cells to boxes by how well they classify and localize them (TOOD: Feng et al., ICCV 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boxless.learning.detector.geometry import overlaps
from boxless.networks.framework import keras

ops: Any = keras.ops

CELLS = 10
"""Cells per box at most; more only if they tie."""

_SCORE_POWER, _OVERLAP_POWER = 1.0, 6.0
_TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Assignment:
    """The training targets of the cells of a batch.

    Attributes:
        quality: (N, P), in [0, 1]: the target score of a cell with a box; 0 for cells without one.
        boxes: (N, P, 4), the assigned box.
        classes: (N, P, K), 1 for the class of that box, if it is known.
        counted: (N, P, K), 0 where it is unknown whether the cell shows the class.
        weights: (N, P), the weight of the cell's box; 1 for cells without one.
    """

    quality: Any
    boxes: Any
    classes: Any
    counted: Any
    weights: Any


def assign(scores: Any, boxes: Any, points: Any, truth: Any, candidates: Any, weights: Any) -> Assignment:  # noqa: ANN401
    """Assigns cells to boxes. No gradient goes through it.

    The alignment of a cell with a box that it lies in is score^1 * IoU^6 of its own prediction; each box gets the
    CELLS best-aligned cells. A cell wanted by several boxes takes the one that it overlaps most.

    Args:
        scores: (N, P, K), predicted, in [0, 1].
        boxes: (N, P, 4), predicted.
        points: (P, 2), the cells' centres.
        truth: (N, M, 4), the pseudo-boxes; empty rows are 0.
        candidates: (N, M, K), see `boxless.learning.detector.pseudo_labels.PseudoLabels`.
        weights: (N, M), likewise.
    """
    inside = _inside(points, truth)
    learned = ops.cast(weights > 0, "float32")[..., None]
    iou, _ = overlaps(ops.expand_dims(boxes, 1), ops.expand_dims(truth, 2))
    # For a box with several candidates, the score that it is any of them.
    score = ops.minimum(ops.matmul(candidates, ops.moveaxis(scores, 1, 2)), 1.0)
    alignment = inside * learned * score**_SCORE_POWER * iou**_OVERLAP_POWER  # (N, M, P)

    wanted = min(CELLS, alignment.shape[-1])
    least = ops.top_k(alignment, wanted)[0][..., -1:]
    chosen = ops.cast((alignment >= least) & (alignment > 0), "float32")
    # Every cell takes one box at most.
    best = ops.argmax(chosen * iou, axis=1)
    rows = truth.shape[1]
    chosen = chosen * ops.moveaxis(ops.one_hot(best, rows), 2, 1)
    taken = ops.max(chosen, axis=1)  # (N, P)

    aligned = alignment * chosen
    share = aligned / (ops.max(aligned, axis=2, keepdims=True) + _TINY)
    quality = ops.max(share * ops.max(iou * chosen, axis=2, keepdims=True) * chosen, axis=1)

    mine = ops.moveaxis(chosen, 1, 2)  # (N, P, M)
    of_box = ops.matmul(mine, candidates)
    known = ops.cast(ops.sum(of_box, axis=-1, keepdims=True) < 1.5, "float32")
    doubtful = ops.minimum(ops.matmul(ops.moveaxis(inside * (1.0 - learned), 1, 2), candidates), 1.0)  # (N, P, K)
    uncounted = ops.maximum(of_box * (1.0 - known), doubtful * (1.0 - taken[..., None]))
    stop = ops.stop_gradient
    return Assignment(
        quality=stop(quality),
        boxes=stop(ops.matmul(mine, truth)),
        classes=stop(of_box * known),
        counted=stop(1.0 - uncounted),
        weights=stop(ops.squeeze(ops.matmul(mine, weights[..., None]), -1) + 1.0 - taken),
    )


def _inside(points: Any, truth: Any) -> Any:  # noqa: ANN401
    """(N, M, P), 1 where a cell's centre lies in a box."""
    x, y = points[:, 0], points[:, 1]
    left, top, right, bottom = (truth[..., i : i + 1] for i in range(4))
    return ops.cast((x > left) & (x < right) & (y > top) & (y < bottom), "float32")
