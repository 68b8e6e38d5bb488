"""Reads COCO JSON: everybody's, and the kind whose images carry a `class_index`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boxless.datasets.dataset import BoxedSet, Entry, gather
from boxless.datasets.find import folder_of
from boxless.datasets.masks import Mask, Polygons, RunLengths
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.models.card import Card


def read_coco(annotations: Path, card: Card, images: Path | None = None) -> BoxedSet:
    """A data set in COCO's format: https://cocodataset.org/#format-data.

    A class is matched by its category's `wnid`, `class_index` or `name`; an image may say its `class_index` itself,
    which then is the class of all its boxes (as in ImageNet, where a picture has one class). Crowds are ignored:
    boxes there are neither right nor wrong.

    Args:
        annotations: the JSON file.
        card: of the model whose classes count.
        images: the folder that its file names are relative to; searched for near the file where None.

    Raises:
        DatasetError: if the file is not COCO.
    """
    try:
        data = json.loads(annotations.read_text(encoding="utf-8"))
        listed = [image["file_name"] for image in data["images"]]
        data["annotations"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{annotations}: not a COCO file ({type(error).__name__}: {error}); expected JSON with images[].file_name, "
            "annotations[].bbox and categories[].name"
        ) from None
    near = annotations.parent
    folder = images or folder_of(listed, [near, near / "images", near / annotations.stem.split("_")[-1],
                                          near.parent / "images", near.parent / annotations.stem.split("_")[-1],
                                          near.parent])  # fmt: skip
    notes = Notes()
    name = annotations.stem if images or annotations.stem != "annotations" else annotations.resolve().parent.name
    return gather(name, list(_entries(data, folder, notes)), card, notes)


def _entries(data: dict[str, Any], folder: Path, notes: Notes) -> Iterator[Entry]:
    images: dict[Any, dict[str, Any]] = {}
    names: set[str] = set()
    for image in data["images"]:
        if "id" not in image:
            notes.add("unreadable line", image["file_name"])
            continue
        if image["file_name"] in names or image["id"] in images:
            notes.add("listed twice", image["file_name"])
            continue
        names.add(image["file_name"])
        images[image["id"]] = image
    # What is of a category without an id is noted below.
    categories = {category["id"]: category for category in data.get("categories", ()) if "id" in category}
    seen: set[tuple[Any, ...]] = set()
    boxed: set[Any] = set()
    for annotation in data["annotations"]:
        image = images.get(annotation.get("image_id"), {})
        try:
            x, y, width, height = (float(each) for each in annotation["bbox"])
            name = image["file_name"]
            classes = _classes(image, categories.get(annotation.get("category_id"), {}))
        except (KeyError, TypeError, ValueError):
            notes.add("unreadable line", f"annotation {annotation.get('id')}")
            continue
        try:
            mask = _mask(annotation.get("segmentation"), image)
        except (KeyError, TypeError, ValueError):  # its box may be good
            notes.add("unreadable line", f"segmentation of annotation {annotation.get('id')}")
            mask = None
        boxed.add(image["id"])
        key = (image["id"], annotation.get("category_id"), x, y, width, height)
        box = (x, y, x + width, y + height)
        if annotation.get("iscrowd"):
            notes.add("difficult", name)
            yield Entry(name, folder / name, classes, (box,), _size(image), ignored="crowd")
        elif key in seen:
            notes.add("listed twice", f"{name} {annotation['bbox']}")
        else:
            seen.add(key)
            yield Entry(name, folder / name, classes, (box,), _size(image), mask)
    for image in images.values():
        if image["id"] in boxed:
            continue
        try:
            classes = _classes(image, {}) if "class_index" in image else ()
        except (TypeError, ValueError):
            notes.add("unreadable line", image["file_name"])
            continue
        yield Entry(image["file_name"], folder / image["file_name"], classes)


def _classes(image: dict[str, Any], category: dict[str, Any]) -> tuple[str | int, ...]:
    if "class_index" in image:
        return (int(image["class_index"]),)
    if not category:
        raise KeyError("category_id")
    index = (int(category["class_index"]),) if "class_index" in category else ()
    wnid = (str(category["wnid"]),) if "wnid" in category else ()
    return (*wnid, *index, str(category["name"]))


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    return (int(height), int(width)) if height and width else None


def _mask(segmentation: Any, image: dict[str, Any]) -> Mask | None:  # noqa: ANN401
    size = _size(image)
    if isinstance(segmentation, dict):
        return RunLengths.from_coco(segmentation)
    if segmentation and size:
        return Polygons(tuple(tuple(map(float, outline)) for outline in segmentation), size)
    return None
