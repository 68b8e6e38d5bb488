"""Images that show nothing: one colour, a slope of brightness, noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_SIZE = (300, 400)

_COLOURS = (
    (0, 0, 0), (64, 64, 64), (128, 128, 128), (192, 192, 192), (255, 255, 255), (220, 30, 30), (40, 180, 60),
    (30, 60, 210), (135, 180, 230), (200, 170, 120),
)  # fmt: skip

_GRAINS = (1, 2, 4, 16)
"""Sides of the squares that noise is made of, in pixels."""

_DEVIATIONS = (10, 40)
"""Of faint noise around mid grey, beside noise of all values."""


def blank_images(seed: int = 0, draws: int = 1) -> list[Pixels]:
    """Blank images, RGB uint8 (300, 400, 3) each, always the same for a seed.

    A model's activations on them are meaningless, and so show how much activation means nothing.

    Args:
        seed: the seed of the noise.
        draws: the number of images of each kind of noise; predictions for two of a kind differ.
    """
    height, width = _SIZE
    random = np.random.default_rng(seed)
    plain = [np.full((*_SIZE, 3), colour, np.uint8) for colour in _COLOURS]
    across = np.linspace(0, 255, width, dtype=np.float32)[None].repeat(height, axis=0)
    down = np.linspace(0, 255, height, dtype=np.float32)[:, None].repeat(width, axis=1)
    slopes = [slope.astype(np.uint8)[..., None].repeat(3, axis=2) for slope in (across, down, (across + down) / 2)]
    noise = []
    for grain in _GRAINS * draws:
        shape = (-(-height // grain), -(-width // grain), 3)
        grains = [random.integers(0, 256, shape).astype(np.uint8)]
        grains += [random.normal(128, deviation, shape).clip(0, 255).astype(np.uint8) for deviation in _DEVIATIONS]
        noise += [
            cv2.resize(each, None, fx=grain, fy=grain, interpolation=cv2.INTER_NEAREST)[:height, :width]
            for each in grains
        ]
    return [*plain, *slopes, *(np.asarray(each, np.uint8) for each in noise)]
