"""Hugging Face's image folder: pictures, and `metadata.jsonl` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from boxless.formats.annotation import About, Annotated, rounded
from boxless.formats.coco import segmentation


def write_hugging_face(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `metadata.jsonl`, a picture a line: `objects` has a list for each of bbox (COCO's: x, y, width, height),
    categories (names), scores, and segmentation (COCO's run lengths) where there are masks.

    `datasets.load_dataset("imagefolder", data_dir=...)` reads it where the pictures stand beside it.
    """
    with (folder / "metadata.jsonl").open("w", encoding="utf-8") as file:
        for picture in pictures:
            line = {
                "file_name": picture.file,
                "width": picture.width,
                "height": picture.height,
                "objects": _objects(picture),
                "model": about.model,
                "preset": about.preset,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


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
