"""Rough plaster with and without a crack: a defect to try `boxless fit` on.

The plaster is a photograph of gravel with little contrast; a program draws the cracks.
`python -m examples.cracks` writes examples/cracks.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

GROUND = Path("examples/grounds/gravel.jpg")
SIDE = 192
LEARN, NEW = 12, 1
"""Images of each class to learn from, and others."""


def wall(random: np.random.Generator, cracked: bool) -> Image.Image:
    """A piece of plaster, perhaps with a crack in it."""
    ground = Image.open(GROUND).convert("L")
    left, top = (int(random.integers(0, room - SIDE + 1)) for room in ground.size)
    piece = ground.crop((left, top, left + SIDE, top + SIDE)).filter(ImageFilter.GaussianBlur(0.7))
    image = piece.point(lambda grey: 120 + 0.35 * grey)
    if cracked:
        steps = 12
        turns = random.uniform(0, 2 * np.pi) + random.normal(0, 0.45, steps)
        path = np.cumsum(random.uniform(5, 9) * np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)
        path += random.uniform(70, SIDE - 70, size=2) - path.mean(axis=0)
        crack = Image.new("L", image.size, 255)
        pen = ImageDraw.Draw(crack)
        for i, (start, end) in enumerate(pairwise(path)):
            pen.line((*start, *end), fill=70, width=3 if 2 < i < steps - 4 else 2)
        image = ImageChops.darker(image, crack.filter(ImageFilter.GaussianBlur(0.6)))
    return image


def write(folder: Path, seed: int = 0) -> None:
    """Images to learn from, a folder a class in `learn`, and others in `new`."""
    random = np.random.default_rng(seed)
    for what in ("background", "crack"):
        for i in range(1, LEARN + NEW + 1):
            file = folder / (f"learn/{what}/{i}.jpg" if i <= LEARN else f"new/{what}-{i - LEARN}.jpg")
            file.parent.mkdir(parents=True, exist_ok=True)
            wall(random, what == "crack").save(file, quality=70)


if __name__ == "__main__":
    write(Path("examples/cracks"))
