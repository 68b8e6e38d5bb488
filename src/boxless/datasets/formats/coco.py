"""COCO JSON: https://cocodataset.org/#format-data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from boxless.datasets.formats.annotation import About, Annotated, Thing, rounded
from boxless.datasets.formats.stream import write_array
from boxless.maps.run_lengths import packed


def write_coco(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `annotations.json`; categories count from 1. Scores stand beside the boxes, masks as run lengths."""
    numbers = {name: number for number, name in enumerate(about.classes, start=1)}
    info = {"description": "found by class maps, not drawn by hand", "contributor": about.program,
            "model": about.model, "preset": about.preset}  # fmt: skip
    categories = [{"id": number, "name": name} for name, number in numbers.items()]
    with (folder / "annotations.json").open("w", encoding="utf-8") as file:
        file.write(f'{{"info": {json.dumps(info, ensure_ascii=False, allow_nan=False)},\n"licenses": [],\n')
        file.write(f'"categories": {json.dumps(categories, ensure_ascii=False, allow_nan=False)},\n"images": ')
        write_array(file, (_image(number, each) for number, each in enumerate(pictures, start=1)))
        file.write(',\n"annotations": ')
        write_array(file, _annotations(pictures, numbers))
        file.write("}\n")


def _image(number: int, picture: Annotated) -> dict[str, Any]:
    return {"id": number, "file_name": picture.file, "width": picture.width, "height": picture.height}


def _annotations(pictures: Iterable[Annotated], numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    count = 0
    for image, picture in enumerate(pictures, start=1):
        for thing in picture.things:
            count += 1
            x0, y0, x1, y1 = map(rounded, thing.box)
            yield {
                "id": count,
                "image_id": image,
                "category_id": numbers[thing.label],
                "bbox": [x0, y0, rounded(x1 - x0), rounded(y1 - y0)],
                "area": _area(thing),
                "iscrowd": 0,
                "segmentation": segmentation(picture, thing) or [],
                "score": round(thing.score, 4),
            }


def _area(thing: Thing) -> float:
    x0, y0, x1, y1 = thing.box
    return rounded((x1 - x0) * (y1 - y0)) if thing.mask is None else float(sum(thing.mask[1::2]))


def segmentation(picture: Annotated, thing: Thing) -> dict[str, Any] | None:
    """COCO's compressed run lengths of a thing's mask; None where there is no mask."""
    return None if thing.mask is None else {"size": [picture.height, picture.width], "counts": packed(thing.mask)}
