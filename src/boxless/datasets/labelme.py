"""LabelMe JSON: one file an image, beside it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.datasets.dataset import About, AnnotatedImage, Annotation, Dataset, Edges, classes_in
from boxless.datasets.image_finder import located
from boxless.datasets.masks import OBJECT, Polygons
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, bounds_of, head_of, number, read_json, size_of, text_of
from boxless.datasets.writing import rounded
from boxless.errors import DatasetError, ImageError
from boxless.imaging.read import images_in

_VERSION = "5.5.0"  # of LabelMe, whose files have this form
_TRIED = 20  # files by which the format is recognised


def find_labelme(path: Path) -> list[Path]:
    """The folder itself, where JSON files in it are LabelMe's, or in its folders, where no images are."""
    if any(is_labelme(file) for file in sorted(path.glob("*.json"))[:_TRIED]):
        return [path]
    nested = _files(path)[:_TRIED]
    return [path] if any(map(is_labelme, nested)) and not _has_images(path) else []


def _has_images(path: Path) -> bool:
    try:
        return bool(images_in(path))
    except ImageError:
        return False


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.rglob("*.json")) if not file.name.startswith(".")]


def is_labelme(file: Path) -> bool:
    """Whether a JSON file may be LabelMe's, by its beginning."""
    head = head_of(file)
    return head.lstrip().startswith("{") and ('"shapes"' in head or '"imagePath"' in head)


def read_labelme(path: Path, images: Path | None = None) -> Dataset:
    """Reads LabelMe's files, all of a folder or one: rectangles, polygons, circles and masks (their boxes)."""
    root = path if path.is_dir() else path.parent
    notes = Notes()
    read: list[AnnotatedImage] = []
    for file in _files(path) if path.is_dir() else [path]:
        if path.is_dir() and not is_labelme(file):
            continue
        try:
            read.append(_image(file, root, read_json(file), notes))
        except (DatasetError, *BAD_RECORD):
            notes.add("unreadable line", file.relative_to(root).as_posix())
    if not read:
        raise DatasetError(f"{path}: no LabelMe files (expected JSON with shapes and imagePath; {'; '.join(notes)})")
    placed = located(read, [root, root / "images", root.parent / "images", root.parent], images)
    return Dataset(root.resolve().name, placed, classes_in(placed), notes)


def _image(file: Path, root: Path, data: Any, notes: Notes) -> AnnotatedImage:  # noqa: ANN401
    place = text_of(data["imagePath"]).replace("\\", "/")
    name = os.path.normpath(file.parent.relative_to(root) / place).replace(os.sep, "/")
    size = size_of(data.get("imageHeight"), data.get("imageWidth"), file.name, notes)
    found: list[Annotation] = []
    shapes = data.get("shapes") or []
    for count, shape in enumerate(shapes if isinstance(shapes, list) else [shapes], start=1):
        try:
            if annotation := _annotation(shape, size):
                found.append(annotation)
            else:
                notes.add("other shape", f"{file.name} {count}")
        except BAD_RECORD:
            notes.add("unreadable line", f"{file.name} shape {count}")
    for label, value in (data.get("flags") or {}).items():  # of the whole image
        if value is True:
            found.append(Annotation(text_of(label)))
    return AnnotatedImage(name, Path(), tuple(found), size)


def _annotation(shape: dict[str, Any], size: tuple[int, int] | None) -> Annotation | None:
    """A shape that has an area; None for points and lines."""
    label, kind = text_of(shape["label"]), shape.get("shape_type") or "polygon"
    points = [number(value) for point in shape["points"] for value in (point[0], point[1])]
    if kind == "circle":
        x, y, x1, y1 = points
        radius = math.hypot(x1 - x, y1 - y)
        return Annotation(label, (x - radius, y - radius, x + radius, y + radius))
    if kind in ("rectangle", "mask"):
        return Annotation(label, bounds_of(points[:4] if len(points) > 2 else []))
    if kind in ("polygon", "rotation"):
        outline = Polygons((tuple(points),), size) if size else None
        return Annotation(label, bounds_of(points), outline)
    return None


def write_labelme(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `NAME.json` beside `NAME.jpg`: rectangles, or outlines where there are masks; scores in the description.

    Where the images stay where they are, the files name them by the way to them.
    """
    for image in images:
        path = folder / f"{image.stem}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        home = about.out.resolve() / path.parent.relative_to(folder)
        data: dict[str, Any] = {
            "version": _VERSION,
            "flags": {},
            "shapes": [_shape(image, each, box) for each, box in image.boxed],
            "imagePath": Path(image.name).name if about.placed else os.path.relpath(image.path, home),
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
            "found_by": about.source,
        }
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")


def _shape(image: AnnotatedImage, annotation: Annotation, box: Edges) -> dict[str, Any]:
    x0, y0, x1, y1 = map(rounded, box)
    outline = None
    if annotation.mask is not None:
        outline = outline_of(annotation.mask.read(image.height, image.width) == OBJECT)
    kind, points = ("rectangle", [[x0, y0], [x1, y1]]) if outline is None else ("polygon", outline)
    return {
        "label": annotation.label,
        "points": points,
        "group_id": None,
        "description": f"score {annotation.score:.4f}",
        "shape_type": kind,
        "flags": {},
    }


def outline_of(mask: NDArray[np.bool_]) -> list[list[float]] | None:
    """The outline of a mask's largest connected component, its holes filled.

    Corners [x, y] lie in the middle of pixels, and are left out where the outline stays within a pixel without them.
    None where there are fewer than three.
    """
    found, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None
    corners = cv2.approxPolyDP(max(found, key=cv2.contourArea), 1.0, True)[:, 0]
    return [[x + 0.5, y + 0.5] for x, y in corners.tolist()] if len(corners) >= 3 else None
