"""Checks that a boxless model gives the classifier's output, and that its class maps add up to its logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import ImageError, NetworkError, first_line
from boxless.export.preprocessing import WAYS, Preprocessing
from boxless.export.slopes import CLOSE, HeadAlone, slope_error
from boxless.export.source import Layout
from boxless.imaging.read import Pixels, read_image
from boxless.maps.class_maps import probabilities
from boxless.models.arena import bounded, run_error
from boxless.models.card import Card
from boxless.models.model_file import inputs

TOLERANCE = 1e-4
"""The largest difference of logits that passes, as a share of the largest logit."""

ROUNDED = {None: TOLERANCE, "float16": 0.02, "int8": 0.1}
"""The largest difference to the file's own answers, likewise, by what it computes in: those are rounded."""

COMPLETE = 1e-3
"""The largest error of completeness that passes, likewise."""

_IMAGES = 4
_MAPS = 5
_MORE_SURE = 0.15
_FEWEST_REAL = 3

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Proof:
    """What was measured.

    Attributes:
        images: how many.
        real: whether they were real ones; else smooth noise.
        difference: the largest difference of the answers, as a share of the largest.
        bit_for_bit: whether there was none.
        completeness: by how much, as a share of the largest logit, what the mean of a class map lacks to the logit
            differs from image to image, for the first five classes; None where maps are not exact.
        slopes: by how much linearised maps miss the slopes of the logits, as a share of the largest slope; None where
            maps are not linearised.
        warnings: about the preprocessing.
    """

    images: int
    real: bool
    difference: float
    bit_for_bit: bool
    completeness: float | None
    slopes: float | None
    warnings: tuple[str, ...]


def _session(model: Path) -> ort.InferenceSession:
    """Opens an ONNX file without a word on standard error."""
    options = bounded(ort.SessionOptions())
    options.log_severity_level = 4
    # Memory before speed: no copies of the weights in other orders, and nothing is kept for the next run.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    # ONNX Runtime's errors have no common class of their own.
    except Exception as error:
        raise NetworkError(f"ONNX Runtime cannot run it ({first_line(error)})") from None


def free_size(model: Path, size: tuple[int, int]) -> bool:
    """Whether a boxless model takes other sizes than its own: it is shown one, and its map must grow with it."""
    opened = _session(model)
    taller, wider = ((each * 3 // 2 + 31) // 32 * 32 for each in size)
    grids: list[tuple[int, ...]] = []
    for height, width in (size, (taller, wider), (taller, size[1])):
        feed = inputs(np.zeros((height, width, 3), np.uint8), size=(height, width))
        try:
            (maps,) = opened.run(["class_maps"], feed)
        except Exception as error:
            if not grids:
                raise NetworkError(f"it fails on an image of {size} ({run_error(error)})") from None
            return False
        grids.append(maps.shape[2:])
    return bool(grids[1][0] > grids[0][0] and grids[2][0] == grids[1][0] and grids[2][1] == grids[0][1])


@dataclass(frozen=True)
class Asked:
    """The classifier, and how it is asked.

    Attributes:
        path: of its file.
        entry, output: names of its input and output.
        logits: the tensor before a final softmax or sigmoid.
        layout: of its input.
        colours: what it wants pixels to be.
        rounded: what it computes in, if that is not float32.
    """

    path: Path
    entry: str
    output: str
    logits: str
    layout: Layout
    colours: Preprocessing
    rounded: str | None = None

    def answers(self, opened: ort.InferenceSession, shown: Sequence[Pixels], output: str = "") -> list[Floats]:
        """What it says of images of the size that it takes."""
        return [each.ravel().astype(np.float32) for each in self.tensors(opened, shown, output or self.output)]

    def tensors(self, opened: ort.InferenceSession, shown: Sequence[Pixels], output: str) -> list[Floats]:
        """One of its outputs for each image."""
        kind = np.float16 if "float16" in opened.get_inputs()[0].type else np.float32
        feeds = ({self.entry: _scaled(pixels, self.colours, self.layout).astype(kind)} for pixels in shown)
        return [_run(opened, [output], feed)[0] for feed in feeds]


def prove(
    asked: Asked,
    bare: Path,
    model: Path,
    card: Card,
    size: tuple[int, int],
    images: Sequence[Path],
    head: HeadAlone | None = None,
) -> Proof:
    """Shows the same images, or smooth noise where there are none, to the classifier and to the boxless model of it.

    Args:
        asked: the classifier.
        bare: the same in float32, its logits and, where there is a `head`, its last feature map outputs too.
        model, card: the boxless model.
        size: (height, width) of the images.
        images: real ones.
        head: of the classifier, where maps are linearised.

    Raises:
        NetworkError: if they do not say the same, or the maps do not add up.
    """
    shown, real = _shown(size, images)
    opened = _session(asked.path)
    said = asked.answers(opened, shown)
    sure = {
        name: _confidence(replace(asked, colours=way).answers(opened, shown), card)
        for name, way in WAYS.items()
        if real
    }
    del opened
    opened = _session(bare)
    expected = asked.answers(opened, shown, asked.logits)
    slopes = None if head is None else slope_error(head, asked.tensors(opened, shown, head.features))
    del opened

    answers, missed = _answers(model, len(card.labels), shown)
    if not all(np.isfinite(each).all() for each in (*said, *expected)):
        raise NetworkError("it gives numbers that are not finite (NaN or infinity); is the preprocessing right?")
    if not np.isfinite(missed) or not all(np.isfinite(each).all() for each in answers):
        raise NetworkError("not written: its class maps would not be finite (NaN or infinity)")
    largest = max(float(np.abs(each).max()) for each in expected) or 1.0
    difference = max(float(np.abs(one - other).max()) for one, other in zip(answers, expected, strict=True)) / largest
    final = _final_difference(answers, said) / max(1.0, *(float(np.abs(each).max()) for each in said))
    if difference > TOLERANCE or final > ROUNDED[asked.rounded]:
        raise NetworkError(
            f"not written: its answers would differ from the original's by {max(difference, final):.2g} of the largest "
            f"(at most {ROUNDED[asked.rounded]:g})"
        )
    exact = card.maps == "exact"
    if exact and missed / largest > COMPLETE:
        raise NetworkError(
            f"not written: its class maps do not add up to its logits, by {missed / largest:.2g} of the largest "
            f"(at most {COMPLETE:g})"
        )
    if slopes is not None and slopes > CLOSE:
        raise NetworkError(
            f"not written: its class maps miss the slopes of its logits by {slopes:.2g} of the largest slope (at most "
            f"{CLOSE:g})"
        )
    doubts = _doubts(_confidence(said, card), sure, said) if real else ()
    difference = final if asked.rounded else difference
    return Proof(len(shown), real, difference, difference == 0.0, missed / largest if exact else None, slopes, doubts)


def completeness(model: Path, card: Card, size: tuple[int, int]) -> float:
    """How far map means of a boxless model, plus a constant, miss its logits, as a share of the largest; on noise."""
    answers, missed = _answers(model, len(card.labels), _shown(size, ())[0])
    return missed / (max(float(np.abs(each).max()) for each in answers) or 1.0)


def _answers(model: Path, classes: int, shown: Sequence[Pixels]) -> tuple[list[Floats], float]:
    """A boxless model's logits (K,), and by how much their distance to map means differs from image to image."""
    opened = _session(model)
    asked = range(min(_MAPS, classes))
    answers, offsets = [], []
    for pixels in shown:
        feed = inputs(pixels, size=(pixels.shape[0], pixels.shape[1]), classes=asked, top=0)
        logits, maps = _run(opened, ["logits", "class_maps"], feed)
        answers.append(logits[0])
        offsets.append(logits[0, : maps.shape[1]] - maps[0].mean(axis=(1, 2), dtype=np.float64))
    return answers, float(np.ptp(np.array(offsets), axis=0).max())


def _final_difference(answers: Sequence[Floats], said: Sequence[Floats]) -> float:
    """The largest difference to what the classifier says, be it logits or probabilities or their logarithms."""
    ways: list[Callable[[Floats], Floats]] = [
        lambda logits: logits,
        lambda logits: probabilities(logits, "softmax"),
        lambda logits: probabilities(logits, "sigmoid"),
        lambda logits: np.log(probabilities(logits, "softmax")),
    ]
    with np.errstate(all="ignore"):
        return min(
            max(float(np.abs(way(one) - other).max()) for one, other in zip(answers, said, strict=True)) for way in ways
        )


def _shown(size: tuple[int, int], paths: Sequence[Path]) -> tuple[list[Pixels], bool]:
    """Images of that size: real ones, or smooth noise."""
    height, width = size
    shown = []
    for path in paths:
        try:
            pixels = read_image(path).pixels
        except ImageError:
            continue
        shown.append(np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    if shown:
        return shown, True
    random = np.random.default_rng(0)
    for cells in np.geomspace(4, max(5, min(size) // 4), _IMAGES).astype(int):
        noise = random.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
        shown.append(np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8))
    return shown, False


def _scaled(pixels: Pixels, colours: Preprocessing, layout: Layout) -> Floats:
    scaled = (pixels.astype(np.float32) - np.array(colours.mean, np.float32)) / np.array(colours.std, np.float32)
    ordered = scaled[..., ::-1] if colours.bgr else scaled
    return np.ascontiguousarray(ordered[None] if layout == "nhwc" else ordered.transpose(2, 0, 1)[None])


def _run(opened: ort.InferenceSession, outputs: list[str], feed: dict[str, NDArray[Any]]) -> list[Floats]:
    try:
        return [np.asarray(each) for each in opened.run(outputs, feed)]
    except Exception as error:
        raise NetworkError(f"it fails on an image ({run_error(error)})") from None


def _confidence(answers: Sequence[Floats], card: Card) -> float:
    """The mean probability of the best class."""
    probable = (
        each if each.min() >= 0 and each.max() <= 1 else probabilities(each, card.activation) for each in answers
    )
    return float(np.mean([each.max() for each in probable]))


def _doubts(given: float, sure: dict[str, float], said: Sequence[Floats]) -> tuple[str, ...]:
    """Warnings that the preprocessing may be wrong."""
    doubts = []
    best = max(sure, key=lambda name: sure[name], default="")
    if best and sure[best] > given + _MORE_SURE:
        doubts.append(
            f"with --preprocess {best} the network is more confident ({sure[best]:.0%} on average, against "
            f"{given:.0%}): is the preprocessing right?"
        )
    named = {int(answer.argmax()) for answer in said}
    if len(said) >= _FEWEST_REAL and len(named) == 1 and given > 0.99:
        doubts.append(
            f"it gives the same class a probability of {given:.0%} on all {len(said)} images, as happens when a "
            "network that expects pixels of 0-1 gets 0-255: is the preprocessing right?"
        )
    return tuple(doubts)
