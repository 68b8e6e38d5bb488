"""YOLO's text files: a line a box, and `data.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from boxless.datasets.formats.annotation import About, Annotated


def write_yolo(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `data.yaml`, and a file of five columns a picture: class, centre x and y, width and height, in [0, 1].

    The labels of `images/train/a.jpg` are in `labels/train/a.txt`, as Ultralytics and others look for them; a picture
    of nothing has an empty file. Where the pictures stay where they are, `labels` mirrors their folder. There is no
    place for scores.
    """
    numbers = {name: number for number, name in enumerate(about.classes)}
    splits: set[str] = set()
    for picture in pictures:
        splits.add(picture.split)
        below = f"{picture.split}/{picture.stem}" if about.placed else picture.stem
        path = folder / "labels" / f"{below}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = []
        for thing in picture.things:
            x0, y0, x1, y1 = thing.box
            centre_and_size = ((x0 + x1) / 2 / picture.width, (y0 + y1) / 2 / picture.height,
                               (x1 - x0) / picture.width, (y1 - y0) / picture.height)  # fmt: skip
            lines.append(" ".join([str(numbers[thing.label]), *(f"{value:.6f}" for value in centre_and_size)]) + "\n")
        path.write_text("".join(lines), encoding="utf-8")
    (folder / "data.yaml").write_text(_yaml(about, splits), encoding="utf-8")


def _yaml(about: About, splits: set[str]) -> str:
    def images(split: str) -> str:
        # Trainers want both, however few pictures there are, and what is to test is to be learned from last.
        there = next((each for each in (split, "train", "val", "test") if each in splits), split)
        return f"images/{there}" if about.placed else "images"

    return "".join(
        [
            f"# {_quoted(about.by_whom)}\n",
            f"path: {_quoted(str(about.out.resolve()))}\n",
            f"train: {images('train')}\n",
            f"val: {images('val')}\n",
            f"test: {images('test')}\n" if "test" in splits else "",
            f"nc: {len(about.classes)}\n",
            "names:\n",
            *(f"  {number}: {_quoted(name)}\n" for number, name in enumerate(about.classes)),
        ]
    )


def _quoted(text: str) -> str:
    """A YAML scalar in double quotes; what YAML would not take as it is (control characters, line ends) is escaped."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in plain)
