"""What networks want pixels to be: the usual ways by name, any other by its numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.errors import NetworkError

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """The network sees (pixel - mean) / std, pixels on the scale 0-255.

    Attributes:
        mean, std: of R, G and B.
        bgr: whether the network takes the planes in the order B, G, R.
    """

    mean: Triple
    std: Triple
    bgr: bool = False

    def __str__(self) -> str:
        mean, std = (", ".join(f"{value:g}" for value in values) for values in (self.mean, self.std))
        return f"RGB 0-255, minus ({mean}), divided by ({std}){', turned to BGR' if self.bgr else ''}"


WAYS: dict[str, Preprocessing] = {
    "imagenet": Preprocessing((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "tf": Preprocessing((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "keras-caffe": Preprocessing((123.68, 116.779, 103.939), (1.0, 1.0, 1.0), bgr=True),
    "unit": Preprocessing((0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    "none": Preprocessing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""By name. PyTorch's models mostly want imagenet; Keras': tf, keras-caffe (ResNet), or none (it is inside)."""

_NUMBERS = re.compile(r"mean=([-\d.,e]+),std=([-\d.,e]+)")


def parse_preprocessing(text: str) -> Preprocessing:
    """A way by its name, or `mean=..,std=..`, with one number each or three.

    The numbers are on the scale 0-255; if all are below 1, on the scale 0-1 (as PyTorch has them).

    Raises:
        NetworkError: if it is neither.
    """
    if text in WAYS:
        return WAYS[text]
    match = _NUMBERS.fullmatch(text.replace(" ", ""))
    try:
        mean, std = (_triple(part) for part in match.groups()) if match else (None, None)
    except ValueError:
        mean = std = None
    if mean is None or std is None or 0.0 in std:
        raise NetworkError(
            f"preprocessing '{text}' (expected {', '.join(WAYS)}, or mean=R,G,B,std=R,G,B of 0-255, or of 0-1)"
        )
    scale = 255.0 if max(*map(abs, mean), *std) < 1.0 else 1.0
    mean, std = ((scale * red, scale * green, scale * blue) for red, green, blue in (mean, std))
    return Preprocessing(mean, std)


def measure_preprocessing(seen: Callable[[NDArray[np.uint8]], NDArray[np.float32]]) -> Preprocessing:
    """The preprocessing that a framework's function does, from what becomes of plain images: black, red, green, blue.

    `seen` takes pixels (H, W, 3), 0-255, to what the network sees, (3, h, w); it may also resize and crop.

    Raises:
        NetworkError: if it is not one scaling for each of R, G and B.
    """

    def middle(*colour: int) -> NDArray[np.float64]:
        planes = seen(np.full((256, 256, 3), colour, np.uint8))
        return planes[:, planes.shape[1] // 2, planes.shape[2] // 2].astype(np.float64)

    black = middle(0, 0, 0)
    # Rows are what the network sees, columns are R, G and B.
    change = np.stack([middle(255, 0, 0), middle(0, 255, 0), middle(0, 0, 255)], axis=1) - black[:, None]
    bgr = bool(abs(change[2, 0]) > abs(change[0, 0]))
    if bgr:
        change, black = change[::-1], black[::-1]
    factor = np.diag(change) / 255
    mixed = change - np.diag(np.diag(change))
    grey = middle(128, 128, 128)[:: -1 if bgr else 1]
    if not factor.all() or np.abs(mixed).max() > 1e-3 or np.abs(black + 128 * factor - grey).max() > 1e-3:
        raise NetworkError("its preprocessing is not one scaling for each colour (give your own: --preprocess)")
    std, mean = 1 / factor, -black / factor
    return Preprocessing(_triple_of(mean), _triple_of(std), bgr)


def _triple_of(values: NDArray[np.float64]) -> Triple:
    # Measured in float32: six digits are what is meant.
    red, green, blue = (float(f"{value:.6g}") + 0.0 for value in values)
    return red, green, blue


def _triple(text: str) -> Triple:
    values = [float(part) for part in text.split(",") if part]
    if len(values) == 1:
        values *= 3
    red, green, blue = values
    return red, green, blue
