"""Hugging Face's image folder: pictures in a folder a split, and `metadata.jsonl` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from boxless.datasets.formats.annotation import About, Annotated, rounded
from boxless.datasets.formats.coco import segmentation


def write_hugging_face(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes a `metadata.jsonl` for each split, a picture a line: `objects` has a list for each of bbox (COCO's: x, y,
    width, height), categories (names), scores, and segmentation (COCO's run lengths) where there are masks.

    `datasets.load_dataset("imagefolder", data_dir=...)` reads them where the pictures stand beside them. It guesses
    splits by names of files, and leaves out all others, unless folders say them. Where the pictures stay where they
    are, there is one file for all.
    """
    with ExitStack() as opened:
        files: dict[str, IO[str]] = {}
        for picture in pictures:
            split = picture.split if about.placed else ""
            if split not in files:
                (folder / split).mkdir(exist_ok=True)
                files[split] = opened.enter_context((folder / split / "metadata.jsonl").open("w", encoding="utf-8"))
            line = {
                "file_name": picture.file,
                "width": picture.width,
                "height": picture.height,
                "objects": _objects(picture),
                "model": about.model,
                "preset": about.preset,
            }
            files[split].write(json.dumps(line, ensure_ascii=False) + "\n")


def _objects(picture: Annotated) -> dict[str, list[Any]]:
    boxes = [[*map(rounded, (x0, y0, x1 - x0, y1 - y0))] for x0, y0, x1, y1 in (each.box for each in picture.things)]
    objects: dict[str, list[Any]] = {
        "bbox": boxes,
        "categories": [each.label for each in picture.things],
        "scores": [round(each.score, 4) for each in picture.things],
    }
    if any(each.mask for each in picture.things):
        objects["segmentation"] = [segmentation(picture, each) for each in picture.things]
    return objects
