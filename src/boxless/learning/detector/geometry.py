"""Boxes as tensors, in pixels: centres of cells, decoding, intersection over union."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.networks.detector_backbones import STRIDES
from boxless.networks.framework import keras

ops: Any = keras.ops

_TINY = 1e-7


def centres(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The centres (P, 2) of all levels' cells as x, y in pixels, and their strides (P, 1), for an image's size."""
    points, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        points.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full((points[-1].shape[0], 1), stride))
    return np.concatenate(points).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decoded(outputs: list[Any], height: int, width: int) -> tuple[Any, Any]:
    """What a detector says of images of a size, as logits (N, P, K) and boxes (N, P, 4), xyxy in pixels.

    Args:
        outputs: a map (N, h, w, K + 4) per level, see `boxless.networks.detector.detector`.
        height, width: of the images.
    """
    points, strides = centres(height, width)
    depth = outputs[0].shape[-1]
    flat = ops.concatenate([ops.reshape(each, (-1, each.shape[1] * each.shape[2], depth)) for each in outputs], axis=1)
    distances = flat[..., depth - 4 :] * strides
    boxes = ops.concatenate([points - distances[..., :2], points + distances[..., 2:]], axis=-1)
    return flat[..., : depth - 4], boxes


def overlaps(boxes: Any, others: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Intersection over union of boxes (..., 4) with others of matching shape, and the generalised one.

    GIoU (Rezatofighi et al., CVPR 2019) is smaller the more of the smallest box around both is in neither, so that
    boxes that do not touch are drawn to each other.

    Returns:
        IoU in [0, 1] and GIoU in [-1, 1], (...).
    """
    width = ops.maximum(ops.minimum(boxes[..., 2], others[..., 2]) - ops.maximum(boxes[..., 0], others[..., 0]), 0.0)
    height = ops.maximum(ops.minimum(boxes[..., 3], others[..., 3]) - ops.maximum(boxes[..., 1], others[..., 1]), 0.0)
    shared = width * height
    union = _area(boxes) + _area(others) - shared
    around = (ops.maximum(boxes[..., 2], others[..., 2]) - ops.minimum(boxes[..., 0], others[..., 0])) * (
        ops.maximum(boxes[..., 3], others[..., 3]) - ops.minimum(boxes[..., 1], others[..., 1])
    )
    iou = shared / (union + _TINY)
    return iou, iou - (around - union) / (around + _TINY)


def _area(boxes: Any) -> Any:  # noqa: ANN401
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
