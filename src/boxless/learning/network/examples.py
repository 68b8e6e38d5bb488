"""Images and their classes as the training loop takes them: from files, or from arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Pixels, read_image, resize_pixels

Images: TypeAlias = "Sequence[Path] | NDArray[np.uint8]"

MEMORY = 1 << 30
"""Bytes of decoded images that are kept; a larger set is decoded again in each epoch."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images whose classes are known.

    Attributes:
        images: n paths, or uint8 RGB (n, H, W, 3).
        targets: float32 (n, K), 1 where the image shows the class and else 0.
        several: whether an image may show several classes: sigmoid; else softmax.
    """

    images: Images
    targets: NDArray[np.float32]
    several: bool = False

    def __post_init__(self) -> None:
        if len(self.images) != len(self.targets):
            raise ValueError(f"{len(self.images)} images with {len(self.targets)} targets (expected as many)")

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def of_arrays(cls, images: NDArray[np.uint8], labels: NDArray[np.integer], classes: int) -> Examples:
        """One class an image, from uint8 (n, H, W, 3) and class indices (n,)."""
        return cls(images, np.eye(classes, dtype=np.float32)[labels])


class Store:
    """Decoded images, squeezed to squares of `side` pixels; kept if they all fit in `memory` bytes."""

    def __init__(self, images: Images, side: int, memory: int = MEMORY) -> None:
        self._images = images
        self._side = side
        fits = len(images) * side * side * 3 <= memory
        self._kept: list[Pixels | None] | None = [None] * len(images) if fits else None

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Pixels:
        """RGB (side, side, 3); ImageError if it cannot be read."""
        if self._kept is None:
            return self._read(index)
        pixels = self._kept[index]
        if pixels is None:
            pixels = self._kept[index] = self._read(index)
        return pixels

    def _read(self, index: int) -> Pixels:
        source = self._images[index]
        if isinstance(source, np.ndarray) and source.shape[:2] == (self._side, self._side):
            return source
        pixels = read_image(source, enough=self._side).pixels
        return resize_pixels(pixels, self._side, self._side)
