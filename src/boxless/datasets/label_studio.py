"""Label Studio's tasks, with annotations or predictions: https://labelstud.io/guide/export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from boxless.datasets.dataset import About, AnnotatedImage, Annotation, Dataset, Edges, classes_in
from boxless.datasets.image_finder import located, near
from boxless.datasets.masks import OBJECT, Mask, Part, Polygons
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, bounds_of, head_of, number, read_json, rotated_bounds, text_of
from boxless.datasets.writing import clean, write_array, xml_text
from boxless.errors import DatasetError
from boxless.maps.run_lengths import mask_of, turns_of

_LOCAL_FILES = "/data/local-files/?d="  # below LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT
_PERCENT = (100, 100)  # the size that boxes in percent refer to

_SIZES = (3, 4, 8, 16)  # bits that the length of a run in a brush mask may take
_CHANNELS = 4  # brush masks are RGBA, all four alike
_MOST_VALUES = _CHANNELS * 150_000_000


def find_label_studio(path: Path) -> list[Path]:
    """The JSON files of a folder that are lists of tasks."""
    return [file for file in sorted(path.glob("*.json")) if is_label_studio(file)]


def is_label_studio(file: Path) -> bool:
    """Whether a JSON file may be Label Studio's: a list of tasks."""
    head = head_of(file)
    return head.lstrip().startswith("[") and '"data"' in head


def read_label_studio(path: Path, images: Path | None = None) -> Dataset:
    """Reads Label Studio's JSON export: rectangles, polygons, ellipses, brush masks, and choices as classes.

    Where any task has annotations, those without are left out; where none has, predictions are read, as `boxless
    annotate` writes them. Coordinates are in percent of the image as displayed.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list):
        raise DatasetError(f"{path}: not Label Studio's JSON (expected a list of tasks)")
    notes = Notes()
    known: list[dict[str, Any]] = []
    for place, each in enumerate(tasks, start=1):
        if isinstance(each, dict) and isinstance(each.get("data"), dict):
            known.append(each)
        else:
            notes.add("unreadable line", f"task {place}")
    corrected = any(_results_of(each, "annotations") is not None for each in known)
    read: list[AnnotatedImage] = []
    for place, task in enumerate(known, start=1):
        results = _results_of(task, "annotations" if corrected else "predictions")
        if results is None and corrected:
            notes.add("not annotated", f"task {task.get('id', place)}")
            continue
        try:
            name = _image_of(task["data"])
        except BAD_RECORD:
            notes.add("unreadable line", f"task {task.get('id', place)}")
            continue
        read.append(AnnotatedImage(name, Path(), tuple(_annotations(results or [], name, notes)), _PERCENT))
    if not read:
        raise DatasetError(f"{path}: no tasks of Label Studio with annotations ({'; '.join(notes) or 'it has none'})")
    placed = located(read, near(path), images)
    return Dataset(path.stem, placed, classes_in(placed), notes)


def _results_of(task: dict[str, Any], key: str) -> list[Any] | None:
    """The last annotation of a task that was not cancelled; None if there is none."""
    found = task.get(key)
    usable = [
        each["result"]
        for each in (found if isinstance(found, list) else [])
        if isinstance(each, dict) and isinstance(each.get("result"), list) and not each.get("was_cancelled")
    ]
    return usable[-1] if usable else None


def _image_of(data: dict[str, Any]) -> str:
    """What a task calls its image: `image`, or the first text that it has."""
    values = (data.get("image"), data.get("img"), *data.values())
    return text_of(next((value for value in values if isinstance(value, str)), None))


def _annotations(results: list[Any], name: str, notes: Notes) -> Iterator[Annotation]:
    found: list[tuple[str, list[Annotation]]] = []
    for count, result in enumerate(results, start=1):
        try:
            found.append((str(result.get("id")), list(_annotation(result, name, notes))))
        except BAD_RECORD:
            notes.add("unreadable line", f"{name} result {count}")
    # `write_label_studio` writes a box and its mask as two results, one after the other.
    masks = {own: each for own, each in found if own.startswith("mask")}
    for own, each in found:
        if each and own.startswith("box") and (pair := masks.pop(own.replace("box", "mask"), None)):
            yield replace(each[0], mask=pair[0].mask)
        elif not own.startswith("mask") or own in masks:
            yield from each


def _annotation(result: dict[str, Any], name: str, notes: Notes) -> Iterator[Annotation]:
    kind, value = result["type"], result["value"]
    labels = [text_of(each) for each in value.get(kind) or value.get("labels") or []]
    if kind == "choices":
        yield from map(Annotation, labels)
        return
    box: Edges
    mask: Mask | None = None
    if kind == "rectanglelabels":
        x, y, width, height = (number(value[key]) for key in ("x", "y", "width", "height"))
        box = (x, y, x + width, y + height)
        if number(value.get("rotation") or 0):
            notes.add("rotated box", name)
            box = _upright(box, number(value["rotation"]), result)
    elif kind == "polygonlabels":
        points = tuple(number(edge) for point in value["points"] for edge in (point[0], point[1]))
        box, mask = bounds_of(points), Polygons((points,), _PERCENT)
    elif kind == "ellipselabels":
        x, y, across, down = (number(value[key]) for key in ("x", "y", "radiusX", "radiusY"))
        box = (x - across, y - down, x + across, y + down)
    elif kind == "brushlabels":
        height, width = int(number(result["original_height"])), int(number(result["original_width"]))
        mask = Part(tuple(turns_of_brush(value["rle"])), (0, 0, width, height), (height, width))
        rows, columns = (np.flatnonzero((mask.read(height, width) == OBJECT).any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            raise ValueError("an empty mask")
        across, down = 100 / width, 100 / height
        box = (columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down)
    else:
        notes.add("other shape", f"{name} {kind}")
        return
    for label in labels:
        yield Annotation(label, box, mask)


def _upright(box: Edges, degrees: float, result: dict[str, Any]) -> Edges:
    """The box around one that is turned about its upper left corner; in pixels, since percents are no squares."""
    height, width = number(result["original_height"]) / 100, number(result["original_width"]) / 100
    x0, y0, x1, y1 = box
    pixels = (x0 * width, y0 * height, x1 * width, y1 * height)
    found = rotated_bounds(pixels, degrees, pixels[:2])
    return found[0] / width, found[1] / height, found[2] / width, found[3] / height


def write_label_studio(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `tasks.json`, a task an image with one prediction, and `label_config.xml`, the labelling configuration.

    Coordinates are in percent. Images are named as local files: below this folder where they stand in it, else below
    the folder that they were read from.
    """
    with (folder / "tasks.json").open("w", encoding="utf-8") as file:
        write_array(file, (_task(about, image) for image in images))
        file.write("\n")
    masks = any(each.mask is not None for image in images for each in image.annotations)
    (folder / "label_config.xml").write_text(xml_text(_configuration(about, masks)), encoding="utf-8", newline="")


def _task(about: About, image: AnnotatedImage) -> dict[str, Any]:
    place = f"images/{image.name}" if about.placed else image.name
    results = [part for number, (each, box) in enumerate(image.boxed) for part in _results(image, each, box, number)]
    scores = [each.score for each in image.annotations]
    prediction = {
        "model_version": f"{about.model}, {about.preset}",
        "score": round(sum(scores) / len(scores), 4) if scores else 0.0,
        "result": results,
    }
    data = {"image": _LOCAL_FILES + quote(place), "width": image.width, "height": image.height}
    return {"data": data, "predictions": [prediction]}


def _results(image: AnnotatedImage, annotation: Annotation, box: Edges, count: int) -> Iterator[dict[str, Any]]:
    x0, y0, x1, y1 = box
    common = {
        "to_name": "image",
        "original_width": image.width,
        "original_height": image.height,
        "image_rotation": 0,
        "score": round(annotation.score, 4),
    }
    yield {
        "id": f"box{count}",
        "type": "rectanglelabels",
        "from_name": "label",
        **common,
        "value": {
            "x": round(100 * x0 / image.width, 4),
            "y": round(100 * y0 / image.height, 4),
            "width": round(100 * (x1 - x0) / image.width, 4),
            "height": round(100 * (y1 - y0) / image.height, 4),
            "rotation": 0,
            "rectanglelabels": [annotation.label],
        },
    }
    if annotation.mask is not None:
        mask = mask_of(annotation.mask.counts(image.height, image.width), image.height, image.width)
        value = {"format": "rle", "rle": brush_of(turns_of(mask.ravel())), "brushlabels": [annotation.label]}
        yield {"id": f"mask{count}", "type": "brushlabels", "from_name": "mask", **common, "value": value}


def _configuration(about: About, masks: bool) -> Element:
    view = Element("View")
    SubElement(view, "Image", name="image", value="$image", zoom="true")
    controls = [("RectangleLabels", "label"), *([("BrushLabels", "mask")] if masks else [])]
    for kind, name in controls:
        control = SubElement(view, kind, name=name, toName="image")
        for label in about.classes:
            SubElement(control, "Label", value=clean(label))
    return view


# Label Studio's own run lengths, for brush masks: a stream of bits, as the library of its images' masks
# (@thi.ng/rle-pack) reads it. The number of values (32 bits); bits a value less one (5); four sizes, less one (4 each);
# then runs. One that begins with 1 is a value that repeats: which of the sizes (2 bits), the length less one in as many
# bits, and the value. One that begins with 0 lists as many values that differ. The last byte is filled up with zeros.


def brush_of(turns: Sequence[int]) -> list[int]:
    """The bytes, as numbers, of a mask given as `turns_of_brush` does."""
    header = [(sum(turns) * _CHANNELS, 32), (8 - 1, 5), *((size - 1, 4) for size in _SIZES)]
    bits = [f"{value:0{width}b}" for value, width in header]
    for turn, pixels in enumerate(turns):
        left = pixels * _CHANNELS
        while left:
            length = min(left, 1 << _SIZES[-1])
            which = next(i for i, size in enumerate(_SIZES) if length <= 1 << size)
            bits.append(f"1{which:02b}{length - 1:0{_SIZES[which]}b}" + ("1" if turn % 2 else "0") * 8)
            left -= length
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[place : place + 8], 2) for place in range(0, len(text), 8)]


def turns_of_brush(content: Sequence[int]) -> list[int]:
    """The lengths of background and object by turns, in pixels, row after row, of bytes of Label Studio, as numbers.

    Background comes first, of which there may be none.

    Raises:
        ValueError: if it is no such stream, or one of more than 150 million pixels.
    """
    bits, at = "".join(f"{byte:08b}" for byte in bytes(content)), 0

    def read(count: int) -> int:
        nonlocal at
        at += count
        if at > len(bits):
            raise ValueError("a brush mask that is cut off")
        return int(bits[at - count : at], 2)

    total, width = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    if total > _MOST_VALUES or total % _CHANNELS:
        raise ValueError(f"a brush mask of {total} values")
    changes = [0]  # where background and object take turns, in values
    place, inside = 0, False
    while place < total:
        repeats, length = read(1), 1 + read(sizes[read(2)])
        for count in [length] if repeats else [1] * length:
            if (read(width) >= 1 << (width - 1)) != inside:
                changes.append(place)
                inside = not inside
            place += count
    if place != total:
        raise ValueError("a brush mask whose runs do not fit")
    pixels = [(each + _CHANNELS - 1) // _CHANNELS for each in [*changes, total]]
    return [end - start for start, end in pairwise(pixels)]
