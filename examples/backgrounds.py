"""Scenes that teach a network the wrong thing: a cat on grass, a cup on gravel; or, for a test, swapped.

They are put together from photographs: a cat's head and a cup with its saucer, cut out, on a piece of ground.

`python -m examples.backgrounds` writes examples/scenes: cats and cups on both grounds, to learn from, and new ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

FOLDER = Path("examples")
SIDE, OBJECT = 320, 56
"""Of a scene, and the width of the object in it, in pixels."""

IMAGES = {"cat": "pictures/chelsea.jpg", "cup": "pictures/coffee.jpg"}
OUTLINES = {
    "cat": [[(45, 0), (375, 0), (365, 50), (350, 85), (360, 130), (345, 180), (318, 225), (280, 262), (235, 285),
             (150, 285), (90, 250), (45, 200), (25, 150), (30, 100), (33, 40)]],
    "cup": [[(77, 38), (479, 388)], [(172, 18), (408, 204)]],
}  # fmt: skip
"""What is cut out of them, in their pixels: the corners of a polygon, or of the boxes around ellipses."""

GROUNDS = {"grass": (0.78, 1.15, 0.42), "gravel": (1.12, 1.0, 0.84)}
"""Photographs in grey, and what makes them red, green and blue."""

OBJECTS = tuple(IMAGES)
USUAL = {"cat": "grass", "cup": "gravel"}
SWAPPED = {"cat": "gravel", "cup": "grass"}


def scene(what: str, ground: str, random: np.random.Generator, width: int = OBJECT) -> Image.Image:
    """The object, so many pixels wide, somewhere on the ground."""
    grey = np.asarray(Image.open(FOLDER / f"grounds/{ground}.jpg").convert("L"), np.float64)
    top, left = (int(random.integers(0, room + 1)) for room in np.array(grey.shape) - SIDE)
    piece = np.rot90(grey[top : top + SIDE, left : left + SIDE], int(random.integers(0, 4)))
    coloured = piece[..., None] * GROUNDS[ground] * random.uniform(0.85, 1.1)
    image = Image.fromarray(coloured.clip(0, 255).astype(np.uint8))
    thing = cut_out(what, width)
    place = (int(random.integers(0, SIDE - thing.width)), int(random.integers(0, SIDE - thing.height)))
    image.paste(thing, place, thing)
    return image


def cut_out(what: str, width: int = OBJECT) -> Image.Image:
    """The object alone, RGBA, so many pixels wide."""
    image = Image.open(FOLDER / IMAGES[what]).convert("RGB")
    mask = Image.new("L", image.size)
    pen = ImageDraw.Draw(mask)
    for corners in OUTLINES[what]:
        (pen.ellipse if len(corners) == 2 else pen.polygon)(corners, fill=255)
    around = mask.getbbox()
    image.putalpha(mask.filter(ImageFilter.GaussianBlur(3)))
    thing = image.crop(around)
    return thing.resize((width, round(width * thing.height / thing.width)), Image.Resampling.LANCZOS)


def write_folder(folder: Path, swapped: int, count: int = 12, seed: int = 0) -> Path:
    """A folder a class; of the scenes of each class, so many are on the other one's ground."""
    random = np.random.default_rng(seed)
    for what in OBJECTS:
        (folder / what).mkdir(parents=True)
        for i in range(count):
            ground = (SWAPPED if i < swapped else USUAL)[what]
            scene(what, ground, random).save(folder / what / f"{i}.png")
    return folder


def write_scenes(folder: Path, count: int = 12, new: int = 3, seed: int = 0) -> None:
    """Scenes that teach the right thing: each object on both grounds, a folder a class in `learn`; others in `new`."""
    random = np.random.default_rng(seed)
    for what in OBJECTS:
        for i in range(count + new):
            file = folder / (f"learn/{what}/{i + 1}.jpg" if i < count else f"new/{what}-{i - count + 1}.jpg")
            file.parent.mkdir(parents=True, exist_ok=True)
            made = scene(what, list(GROUNDS)[i % 2], random, int(random.integers(90, 170)))
            made.resize((256, 256), Image.Resampling.LANCZOS).save(file, quality=70)


if __name__ == "__main__":
    write_scenes(FOLDER / "scenes")
