"""The proof of linearised maps: they say what the logits do when a part of the feature map grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import NetworkError
from boxless.export.pooling import SPACE, Layout
from boxless.models.arena import bounded, run_error

Floats = NDArray[np.float32]

CLOSE = 0.1
"""The largest error that passes, as a share of the largest slope. A slope is taken over a step, and functions such as
hard-swish bend within it."""

_STEP = 2.0**-7
_CLASSES = 5


@dataclass(frozen=True)
class HeadAlone:
    """A classifier's head as a model of its own.

    Attributes:
        model: with the inputs `features`, a feature map in the classifier's own layout, and `chosen` int64 (1, k), and
            the outputs `logits` (1, K), `head_rows` (1, k, C) and the scales.
        held: the same with the inputs `features` and the scales, and the output `logits`.
        scales: the tensors that measure the image's own scales, as of layer normalizations.
        features, layout: what the classifier calls the feature map, and its layout.
    """

    model: onnx.ModelProto
    held: onnx.ModelProto
    scales: tuple[str, ...]
    features: str
    layout: Layout


def slope_error(head: HeadAlone, features: Sequence[Floats]) -> float:
    """How far maps miss the slopes of the logits, as a share of the largest slope: the median of images and halves.

    The median, since where a ReLU has its kink there is no one slope.

    All cells of a feature map, and then one half of them, are multiplied by 1 + d and by 1 - d. The difference of the
    logits, over 2d, is what the mean of the class map over those cells has to be. The image's own scales stay as they
    were: maps are divided by them. Infinity where anything is not finite.

    Raises:
        NetworkError: if ONNX Runtime cannot run the head.
    """
    options = bounded(ort.SessionOptions())
    options.log_severity_level = 4
    try:
        whole, held = (
            ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            for model in (head.model, head.held)
        )
        pairs = [pair for each in features for pair in _pairs(head, whole, held, each)]
    # ONNX Runtime's errors have no common class of their own.
    except Exception as error:
        raise NetworkError(f"its head cannot be run ({run_error(error)})") from None
    slopes, maps = (np.array(each) for each in zip(*pairs, strict=True))
    if not (np.isfinite(slopes).all() and np.isfinite(maps).all()):
        return float("inf")
    return float(np.median(np.abs(slopes - maps).max(axis=1)) / (np.abs(slopes).max() or 1.0))


def _pairs(
    head: HeadAlone, whole: ort.InferenceSession, held: ort.InferenceSession, features: Floats
) -> list[tuple[Floats, Floats]]:
    """(slopes (k,) of the logits, means (k,) of the maps), when all cells grow and when half of them do."""
    space = SPACE[head.layout]
    logits, *measured = whole.run(["logits", *head.scales], _feed(features, 1))
    scales = dict(zip(head.scales, measured, strict=True))
    chosen = np.arange(min(_CLASSES, logits.shape[-1]))
    rows = whole.run(["head_rows"], _feed(features, len(chosen)))[0][0]
    last = head.layout in ("nhwc", "nlc")
    planes = np.moveaxis(features[0], -1, 0) if last else features[0]
    pairs = []
    for share in (1.0, 0.5):
        grown = np.ones_like(features)
        half = [slice(None)] * features.ndim
        half[space[0]] = slice(0, max(1, round(features.shape[space[0]] * share)))
        grown[tuple(half)] += np.float32(_STEP)
        ends = [held.run(["logits"], {"features": features * by, **scales})[0].ravel() for by in (grown, 2 - grown)]
        mask = (np.moveaxis(grown[0], -1, 0) if last else grown[0]) > 1
        pooled = (planes * mask).reshape(len(planes), -1).mean(axis=1)
        pairs.append(((ends[0] - ends[1])[chosen] / (2 * _STEP), rows @ pooled))
    return pairs


def _feed(features: Floats, classes: int) -> dict[str, NDArray[np.generic]]:
    return {"features": features, "chosen": np.arange(classes, dtype=np.int64)[None]}
