"""Pictures whose boxes somebody drew: what localization is measured on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class BoxedPicture:
    """A picture of one class with the boxes of its objects.

    Attributes:
        path: of the picture.
        class_index: of its class.
        boxes: (n, 4), xyxy in pixels of the picture.
    """

    path: Path
    class_index: int
    boxes: Floats


def read_coco(annotations: Path, images: Path) -> list[BoxedPicture]:
    """Boxed pictures from a COCO file whose images have a `class_index`.

    Args:
        annotations: the JSON file.
        images: the folder that its file names are relative to.
    """
    data = json.loads(annotations.read_text(encoding="utf-8"))
    boxes: dict[int, list[list[float]]] = {image["id"]: [] for image in data["images"]}
    for annotation in data["annotations"]:
        x, y, width, height = annotation["bbox"]
        boxes[annotation["image_id"]].append([x, y, x + width, y + height])
    return [
        BoxedPicture(
            images / image["file_name"],
            int(image["class_index"]),
            np.array(boxes[image["id"]], np.float32).reshape(-1, 4),
        )
        for image in data["images"]
    ]
