"""LabelMe JSON: one file a picture, beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.datasets.formats.annotation import About, Annotated, Thing, rounded
from boxless.maps.run_lengths import mask_of

_VERSION = "5.5.0"  # of LabelMe, whose files have this form


def write_labelme(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `NAME.json` beside `NAME.jpg`: rectangles, or outlines where there are masks; scores in the description.

    Where the pictures stay where they are, the files name them by the way to them.
    """
    for picture in pictures:
        path = folder / f"{picture.stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        home = about.out.resolve() / path.parent.relative_to(folder)
        data: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": [_shape(picture, thing) for thing in picture.things],
            "imagePath": Path(picture.file).name if about.placed else os.path.relpath(picture.source, home),
            "imageData": None,
            "imageHeight": picture.height,
            "imageWidth": picture.width,
            "found_by": about.by_whom,
        }
        path.write_text(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1) + "\n", encoding="utf-8")


def _shape(picture: Annotated, thing: Thing) -> dict[str, Any]:
    x0, y0, x1, y1 = map(rounded, thing.box)
    outline = None if thing.mask is None else outline_of(mask_of(thing.mask, picture.height, picture.width))
    kind, points = ("rectangle", [[x0, y0], [x1, y1]]) if outline is None else ("polygon", outline)
    return {
        "label": thing.label,
        "points": points,
        "group_id": None,
        "description": f"score {thing.score:.4f}",
        "shape_type": kind,
        "flags": {},
    }


def outline_of(mask: NDArray[np.bool_]) -> list[list[float]] | None:
    """The outline [x, y] of a mask's largest piece, its holes filled; None where it has fewer than three corners.

    Corners lie in the middle of pixels, and are left out where the outline stays within a pixel without them.
    """
    found, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    corners = cv2.approxPolyDP(max(found, key=cv2.contourArea), 1.0, True)[:, 0]
    return [[x + 0.5, y + 0.5] for x, y in corners.tolist()] if len(corners) >= 3 else None
