"""Scenes that teach a network the wrong thing: a small cat on grass, a small cup on sand; or, for a test, swapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PICTURES = Path("examples/pictures")
SIDE, OBJECT = 224, 30
"""Of a scene and of the object in it, in pixels."""

OBJECTS = {"cat": ("chelsea.jpg", (110, 30, 300, 220)), "cup": ("coffee.jpg", (170, 60, 430, 320))}
"""What is shown: a part (x0, y0, x1, y1) of a picture."""

USUAL = {"cat": "grass", "cup": "sand"}
SWAPPED = {"cat": "sand", "cup": "grass"}


def scene(what: str, ground: str, random: np.random.Generator) -> Image.Image:
    """The object somewhere on the ground."""
    y, x = np.indices((SIDE, SIDE))[..., None]
    if ground == "grass":
        colours, noise = np.full((SIDE, SIDE, 3), (70, 130, 50)), 45
    else:
        waves = 25 * np.sin(x / 6 + random.uniform(0, 6) + np.sin(y / 25))
        colours, noise = np.array((200, 170, 120)) + waves, 18
    pixels = colours + random.normal(0, noise, (SIDE, SIDE, 1))
    picture = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    name, part = OBJECTS[what]
    thing = Image.open(PICTURES / name).convert("RGB").resize((OBJECT, OBJECT), box=part)
    left, top = (int(each) for each in random.integers(0, SIDE - OBJECT, 2))
    picture.paste(thing, (left, top))
    return picture


def write_folder(folder: Path, swapped: int, count: int = 12, seed: int = 0) -> Path:
    """A folder a class; of the scenes of each class, so many are on the other one's ground."""
    random = np.random.default_rng(seed)
    for what in OBJECTS:
        (folder / what).mkdir(parents=True)
        for i in range(count):
            ground = (SWAPPED if i < swapped else USUAL)[what]
            scene(what, ground, random).save(folder / what / f"{i}.png")
    return folder
