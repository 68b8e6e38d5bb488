"""Hugging Face's image folder: images in a folder a split, and `metadata.jsonl` beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from boxless.datasets.coco import segmentation
from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Annotation, Dataset, classes_in
from boxless.datasets.image_finder import located
from boxless.datasets.masks import Mask, RunLengths
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, number, read_text, size_of, text_of
from boxless.datasets.writing import rounded
from boxless.errors import DatasetError
from boxless.system.files import is_file

_FILE = "metadata.jsonl"
_LABELS = ("label", "labels", "category", "class", "class_name")
_CATEGORIES = ("categories", "category", "label", "labels", "class", "classes", "names", "category_id")


def find_hugging_face(path: Path) -> list[Path]:
    """The `metadata.jsonl` of a folder."""
    return [path / _FILE] if is_file(path / _FILE) else []


def read_hugging_face(path: Path, images: Path | None = None) -> Dataset:
    """Reads `metadata.jsonl`: a label, or `objects` with bbox (x, y, width, height) and categories, for each image."""
    file = path / _FILE if path.is_dir() else path
    notes = Notes()
    read: dict[str, AnnotatedImage] = {}
    labelled = False
    for count, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            name = text_of(data.get("file_name") or data["image"])
            labelled |= bool(data.keys() & {"objects", *_LABELS})
            size = size_of(data.get("height"), data.get("width"), name, notes)
            found = tuple(_annotations(data, f"line {count}", notes))
            # What is below a folder of a split is of that split.
            first, *below = name.removeprefix("./").split("/")
            split = SPLITS.get(first.casefold(), "") if below else ""
        except BAD_RECORD:
            notes.add("unreadable line", f"line {count}")
            continue
        if name in read:
            notes.add("listed twice", name)
        else:
            read[name] = AnnotatedImage(name, Path(), found, size, split)
    if not read:
        raise DatasetError(f"{file}: no images (expected a line of JSON with file_name for each; {'; '.join(notes)})")
    placed = located(read.values(), [file.parent, file.parent / "images", file.parent.parent], images)
    return Dataset(file.resolve().parent.name, placed, classes_in(placed), notes, labelled)


def _annotations(data: dict[str, Any], where: str, notes: Notes) -> Iterator[Annotation]:
    objects = data.get("objects")
    if objects is None:
        value: Any = next((data[key] for key in _LABELS if data.get(key) is not None), [])
        yield from (Annotation(text_of(each)) for each in (value if isinstance(value, list) else [value]))
        return
    boxes = objects["bbox"]
    categories: Any = next((objects[key] for key in _CATEGORIES if key in objects), [])
    masks = objects.get("segmentation") or [None] * len(boxes)
    for count, box in enumerate(boxes):
        try:
            x, y, width, height = map(number, box)
            label = text_of(categories[count])
        except BAD_RECORD:
            notes.add("unreadable line", f"{where}, box {count + 1}")
            continue
        mask: Mask | None = None
        try:
            mask = RunLengths.from_coco(masks[count]) if masks[count] else None
        except BAD_RECORD:
            notes.add("damaged mask", f"{where}, box {count + 1}")
        yield Annotation(label, (x, y, x + width, y + height), mask)


def write_hugging_face(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes a `metadata.jsonl` for each split, an image a line: `objects` has a list for each of bbox (COCO's: x, y,
    width, height), categories (names), scores, and segmentation (COCO's run lengths) where there are masks.

    `datasets.load_dataset("imagefolder", data_dir=...)` reads them where the images stand beside them. It guesses
    splits by names of files, and leaves out all others, unless folders say them. Where the images stay where they
    are, there is one file for all.
    """
    with ExitStack() as opened:
        files: dict[str, IO[str]] = {}
        for image in images:
            split = image.split if about.placed else ""
            if split not in files:
                (folder / split).mkdir(exist_ok=True)
                files[split] = opened.enter_context((folder / split / _FILE).open("w", encoding="utf-8"))
            line = {
                "file_name": image.name,
                "width": image.width,
                "height": image.height,
                "objects": _objects(image),
                "model": about.model,
                "preset": about.preset,
            }
            files[split].write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")


def _objects(image: AnnotatedImage) -> dict[str, list[Any]]:
    boxed = image.boxed
    objects: dict[str, list[Any]] = {
        "bbox": [[*map(rounded, (x0, y0, x1 - x0, y1 - y0))] for _, (x0, y0, x1, y1) in boxed],
        "categories": [each.label for each, _ in boxed],
        "scores": [round(each.score, 4) for each, _ in boxed],
    }
    if any(each.mask for each, _ in boxed):
        objects["segmentation"] = [segmentation(image, each) for each, _ in boxed]
    return objects
