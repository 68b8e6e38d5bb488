"""What networks want pixels to be: the usual ways by name, any other by its numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    return Preprocessing(_times(mean, scale), _times(std, scale))


def _times(numbers: Triple, scale: float) -> Triple:
    red, green, blue = numbers
    return scale * red, scale * green, scale * blue


def _triple(text: str) -> Triple:
    values = [float(part) for part in text.split(",") if part]
    if len(values) == 1:
        values *= 3
    red, green, blue = values
    return red, green, blue
