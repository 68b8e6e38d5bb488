"""A table with a box a line, as `boxless evaluate` reads it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from boxless.datasets.formats.annotation import About, Annotated, rounded

_HEADING = (
    "image", "class", "x0", "y0", "x1", "y1", "score", "probability", "activation", "width", "height", "split",
    "model", "preset",
)  # fmt: skip


def write_csv(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `boxes.csv`: pixels, half-open. A picture without boxes has one line, without class and box."""
    with (folder / "boxes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADING)
        for picture in pictures:
            common = (picture.width, picture.height, picture.split, about.model, about.preset)
            for thing in picture.things:
                said = (round(thing.score, 4), round(thing.probability, 4), round(thing.activation, 3))
                writer.writerow((picture.file, thing.label, *map(rounded, thing.box), *said, *common))
            if not picture.things:
                writer.writerow((picture.file, *[""] * 8, *common))
