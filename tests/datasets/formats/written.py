"""Annotations of a few pictures with troublesome names, written in a format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxless.datasets.formats import FORMATS, About, Annotated, Thing
from boxless.maps.run_lengths import counts_of

CLASSES = ("cat", 'a "b", <c> & d', "line\nbreak, 猫 \u2028 ü")
NAMES = ("plain.png", 'comma, "quote" & <tag>.png', "猫 ü\u2028 space.png", "line\nbreak.png")
SIZES = ((40, 60), (33, 21), (64, 48), (20, 20))
"""(height, width)."""


def ring(height: int, width: int) -> Any:  # noqa: ANN401
    """A mask with a hole."""
    mask = np.zeros((height, width), bool)
    mask[4:14, 3:12] = True
    mask[7:10, 6:9] = False
    return mask


def annotated(masks: bool, source: Path, names: tuple[str, ...] = NAMES) -> list[Annotated]:
    """Two boxes in each picture but the last, which has none."""
    found = []
    for number, (name, (height, width)) in enumerate(zip(names, SIZES, strict=True)):
        mask = tuple(counts_of(ring(height, width))) if masks else None
        second = tuple(counts_of(~ring(height, width))) if masks else None
        things = (
            Thing(CLASSES[number % 3], (3.0, 4.0, 12.0, 14.0), 0.75, 0.9, 7.5, mask),
            Thing(CLASSES[1], (0.0, 0.0, float(width), float(height)), 0.25, 0.5, 3.0, second),
        )
        split = "val" if number == 1 else "train"
        there = things if number < len(names) - 1 else ()
        found.append(Annotated(name, Path(name).stem, str(source / name), height, width, split, there))
    return found


def write(
    format_: str, folder: Path, *, masks: bool = False, placed: bool = True, names: tuple[str, ...] = NAMES
) -> list[Annotated]:
    """Writes them, pictures too, and gives them back."""
    source = folder.parent / "pictures of mine"
    source.mkdir(exist_ok=True)
    folder.mkdir()
    pictures = annotated(masks, source, names)
    for picture in pictures:
        places = [Path(picture.source)]
        if placed:
            places.append(folder / FORMATS[format_].pictures.format(split=picture.split) / picture.file)
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (picture.width, picture.height), (90, 120, 150)).save(place)
    FORMATS[format_].write(folder, About("a model", "fast", "boxless", CLASSES, folder, placed), pictures)
    return pictures
