"""Compares a quantized model with its original on images: agreement, and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boxless.errors import AccuracyLossError, ImageError
from boxless.imaging.read import Pixels, read_image
from boxless.localizer import Localizer
from boxless.maps.boxes import iou
from boxless.results import Prediction

_TIMED = 20
"""Images on which time is measured."""

_TURNS = 2
"""Timings per image and model, of which the fastest counts."""


@dataclass(frozen=True)
class Loss:
    """How well two models agree on images, in the default preset.

    Attributes:
        images: the number of images compared.
        agreement: the share of images with the same most probable class, in [0, 1].
        correlation: the mean correlation between both maps of the first model's class, in [-1, 1].
        box_iou: the mean IoU of both best boxes of that class, in [0, 1].
        time_ratio: the second model's time over the first's, with one thread; the median over images.
    """

    images: int
    agreement: float
    correlation: float
    box_iou: float
    time_ratio: float

    def figures(self) -> dict[str, float]:
        """For a card: agreement and overlap in percent."""
        return {
            "agreement": round(100 * self.agreement, 1),
            "map_correlation": round(self.correlation, 3),
            "box_iou": round(100 * self.box_iou, 1),
        }


@dataclass(frozen=True)
class Limits:
    """The lowest values that a quantized model may have; see `Loss`."""

    agreement: float = 0.9
    correlation: float = 0.95
    box_iou: float = 0.85

    def check(self, loss: Loss) -> None:
        """Raises an AccuracyLossError if a value is below its limit."""
        low = [
            f"{what} {got:.3f} (at least {least:g}, {option})"
            for what, got, least, option in (
                ("top-1 agreement", loss.agreement, self.agreement, "--min-agreement"),
                ("map correlation", loss.correlation, self.correlation, "--min-correlation"),
                ("box IoU", loss.box_iou, self.box_iou, "--min-iou"),
            )
            if not got >= least
        ]
        if low:
            raise AccuracyLossError(
                f"not written, the model lost too much on {loss.images} images: {'; '.join(low)}. "
                "Calibrate on more images of the kind the model is for, or lower the limit"
            )


def measure_loss(
    first: Path, second: Path, images: Sequence[Path], done: Callable[[int], object] = lambda count: None
) -> Loss:
    """Runs two model files on the same images, and compares their results; `done` is called with the number done.

    Raises:
        ImageError: if none of them can be read.
    """
    one, other = Localizer(first, threads=1), Localizer(second, threads=1)
    agreements: list[bool] = []
    correlations: list[float] = []
    overlaps: list[float] = []
    ratios: list[float] = []
    for count, path in enumerate(images):
        done(count)
        try:
            pixels = read_image(path).pixels
        except ImageError:
            continue
        most = [int(each.survey(pixels)[0].argmax()) for each in (one, other)]
        found = one.locate(pixels, classes=most[:1], include_absent=True).predictions[0]
        again = other.locate(pixels, classes=[found.class_index], include_absent=True).predictions[0]
        agreements.append(most[0] == most[1])
        correlations.append(_correlation(found, again))
        overlaps.append(_overlap(found, again))
        if len(ratios) < _TIMED:
            # Alternating, so that disturbances affect both alike.
            turns = [(_seconds(one, pixels), _seconds(other, pixels)) for _ in range(_TURNS)]
            ratios.append(min(after for _, after in turns) / min(before for before, _ in turns))
    if not agreements:
        raise ImageError(f"none of {len(images)} images can be read (the loss is measured on some)")
    return Loss(
        len(agreements),
        float(np.mean(agreements)),
        float(np.mean(correlations)),
        float(np.mean(overlaps)),
        float(np.median(ratios)),
    )


def _correlation(one: Prediction, other: Prediction) -> float:
    """Pearson's correlation of two refined class maps; constant maps correlate with each other only."""
    assert one.class_map is not None
    assert other.class_map is not None
    flat = np.stack([one.class_map.ravel(), other.class_map.ravel()])
    constant = flat.std(axis=1) == 0
    return float(constant.all()) if constant.any() else float(np.asarray(np.corrcoef(flat))[0, 1])


def _overlap(one: Prediction, other: Prediction) -> float:
    """IoU of the best boxes; 1 if neither has a box, 0 if only one has."""
    if one.box is None or other.box is None:
        return float(one.box is other.box)
    return float(iou(np.array([one.box.xyxy], np.float32), np.array([other.box.xyxy], np.float32))[0, 0])


def _seconds(localizer: Localizer, pixels: Pixels) -> float:
    start = time.perf_counter()
    localizer.locate(pixels)
    return time.perf_counter() - start
