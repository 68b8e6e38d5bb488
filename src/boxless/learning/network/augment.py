"""Images a little changed each time they are shown, the same changes whenever the seed is the same."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Pixels, resize_pixels

_ASPECTS = (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Augmentation:
    """What may be done to an image.

    Attributes:
        flip: left and right may change places.
        shift: the image moves by up to this share of its side, both ways; mirrored at its border.
        crop: a part of this share of its area, at least and at most, fills the image; None takes all.
        colour: brightness, contrast and saturation change by up to this share.
    """

    flip: bool = False
    shift: float = 0.0
    crop: tuple[float, float] | None = None
    colour: float = 0.0

    @property
    def margin(self) -> float:
        """How much larger than the network's image the stored one is, so that crops are not blurred."""
        return 8 / 7 if self.crop else 1.0


AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "shift": Augmentation(flip=True, shift=1 / 8),
    "small": Augmentation(flip=True, shift=1 / 8, colour=0.1),
    "large": Augmentation(flip=True, crop=(0.35, 1.0), colour=0.2),
}
"""By name: "shift" is what Network in Network calls translation and flip; "small" suits 32 px, "large" 224 px."""

_LARGE = 96


def usual_augmentation(side: int) -> str:
    """The name of what suits images of that side."""
    return "large" if side >= _LARGE else "small"


def augmented(pixels: Pixels, side: int, how: Augmentation, random: np.random.Generator) -> NDArray[np.float32]:
    """An image, RGB (h, w, 3), as the network is shown it once: float32 (side, side, 3) in 0-255."""
    if how.crop:
        pixels = _cropped(pixels, how.crop, random)
    if pixels.shape[:2] != (side, side):
        pixels = resize_pixels(pixels, side, side)
    if how.shift:
        pixels = _shifted(pixels, round(how.shift * side), random)
    if how.flip and random.random() < 0.5:
        pixels = pixels[:, ::-1]
    floats = pixels.astype(np.float32)
    return recoloured(floats, how.colour, random) if how.colour else floats


def _cropped(pixels: Pixels, shares: tuple[float, float], random: np.random.Generator) -> Pixels:
    """A part of the image, of random area, aspect and place (Szegedy et al., arXiv 1409.4842)."""
    height, width = pixels.shape[:2]
    area = random.uniform(*shares) * height * width
    aspect = exp(random.uniform(log(_ASPECTS[0]), log(_ASPECTS[1])))
    rows, columns = min(height, round(sqrt(area * aspect))), min(width, round(sqrt(area / aspect)))
    top, left = random.integers(height - rows + 1), random.integers(width - columns + 1)
    return pixels[top : top + rows, left : left + columns]


def _shifted(pixels: Pixels, most: int, random: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((most, most), (most, most), (0, 0)), mode="reflect")
    top, left = random.integers(2 * most + 1, size=2)
    return padded[top : top + height, left : left + width]


def recoloured(pixels: NDArray[np.float32], most: float, random: np.random.Generator) -> NDArray[np.float32]:
    """RGB 0-255 (h, w, 3) with brightness, contrast and saturation changed by up to that share."""
    brightness, contrast, saturation = random.uniform(1 - most, 1 + most, 3).astype(np.float32)
    grey = pixels.mean(axis=2, keepdims=True)
    mean = grey.mean()
    changed = grey + (pixels - grey) * saturation
    return np.asarray(np.clip((mean + (changed - mean) * contrast) * brightness, 0, 255), np.float32)
