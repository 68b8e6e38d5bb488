"""Annotations of a few images with troublesome names, written in a format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxless.datasets.dataset import About, AnnotatedImage, Annotation
from boxless.datasets.formats import WRITTEN
from boxless.datasets.masks import RunLengths
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


def annotated(masks: bool, source: Path, names: tuple[str, ...] = NAMES) -> list[AnnotatedImage]:
    """Two boxes in each image but the last, which has none."""
    found = []
    for number, (name, (height, width)) in enumerate(zip(names, SIZES, strict=True)):
        size, whole = (height, width), (0.0, 0.0, float(width), float(height))
        mask = RunLengths(tuple(counts_of(ring(height, width))), size) if masks else None
        second = RunLengths(tuple(counts_of(~ring(height, width))), size) if masks else None
        objects = (
            Annotation(CLASSES[number % 3], (3.0, 4.0, 12.0, 14.0), mask, score=0.75, probability=0.9, activation=7.5),
            Annotation(CLASSES[1], whole, second, score=0.25, probability=0.5, activation=3.0),
        )
        split = "val" if number == 1 else "train"
        there = objects if number < len(names) - 1 else ()
        found.append(AnnotatedImage(name, source / name, there, size, split, Path(name).stem))
    return found


def write(
    format_: str, folder: Path, *, masks: bool = False, placed: bool = True, names: tuple[str, ...] = NAMES
) -> list[AnnotatedImage]:
    """Writes them, images too, and gives them back."""
    source = folder.parent / "images of mine"
    source.mkdir(exist_ok=True)
    folder.mkdir()
    images = annotated(masks, source, names)
    for image in images:
        places = [image.path]
        if placed:
            places.append(folder / WRITTEN[format_].images.format(split=image.split) / image.name)
        for place in places:
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (image.width, image.height), (90, 120, 150)).save(place)
    WRITTEN[format_].write(folder, About("a model", "fast", "boxless", CLASSES, folder, placed), images)
    return images
