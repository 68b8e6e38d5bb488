"""CVAT for images 1.1: https://docs.cvat.ai/docs/manual/advanced/xml_format/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Annotation, Dataset, Edges
from boxless.datasets.image_finder import located, near
from boxless.datasets.masks import OBJECT, Part, Polygons
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, bounds_of, head_of, number, read_xml, rotated_bounds, size_of, text_of
from boxless.datasets.writing import child, clean, xml_text
from boxless.errors import DatasetError
from boxless.maps.run_lengths import turns_of

_EDGES = ("xtl", "ytl", "xbr", "ybr")


def find_cvat(path: Path) -> list[Path]:
    """The XML files of a folder whose root is CVAT's."""
    files = [*path.glob("*.xml"), *(path / "annotations").glob("*.xml")]
    return [file for file in sorted(files) if "<annotations" in head_of(file, 4096)]


def read_cvat(path: Path, images: Path | None = None) -> Dataset:
    """Reads CVAT's XML: boxes (upright ones around rotated ones), polygons, ellipses, masks, and tags as classes."""
    root = read_xml(path)
    if root.tag != "annotations":
        raise DatasetError(f"{path}: not CVAT's XML (expected <annotations>, found <{root.tag[:40]}>)")
    if root.find("track") is not None and root.find("image") is None:
        raise DatasetError(f"{path}: CVAT for video (export it as 'CVAT for images 1.1')")
    notes = Notes()
    read: dict[str, AnnotatedImage] = {}
    for count, each in enumerate(root.iter("image")):
        try:
            name = text_of(each.get("name"))
        except BAD_RECORD:
            notes.add("unreadable line", f"image {count}")
            continue
        if name in read:
            notes.add("listed twice", name)
            continue
        size = size_of(each.get("height"), each.get("width"), name, notes)
        split = SPLITS.get((each.get("subset") or "").casefold(), "")
        read[name] = AnnotatedImage(name, Path(), tuple(_annotations(each, name, size, notes)), size, split)
    named = [text for each in root.iter("label") if (text := (each.findtext("name") or "").strip())]
    labels = dict.fromkeys([*named, *(each.label for image in read.values() for each in image.annotations)])
    name = path.stem if path.stem != "annotations" else path.resolve().parent.name
    return Dataset(name, located(read.values(), near(path), images), tuple(labels), notes)


def _annotations(image: Element, name: str, size: tuple[int, int] | None, notes: Notes) -> Iterator[Annotation]:
    for count, shape in enumerate(image):
        try:
            if found := _annotation(shape, name, size, notes):
                yield found
            else:
                notes.add("other shape", f"{name} {shape.tag}")
        except BAD_RECORD:
            notes.add("unreadable line", f"{name} {shape.tag} {count}")


def _annotation(shape: Element, name: str, size: tuple[int, int] | None, notes: Notes) -> Annotation | None:
    label = text_of(shape.get("label"))
    if shape.tag == "tag":
        return Annotation(label)
    if shape.tag == "polygon":
        points = tuple(number(edge) for pair in (shape.get("points") or "").split(";") for edge in pair.split(","))
        return Annotation(label, bounds_of(points), Polygons((points,), size) if size else None)
    if shape.tag == "mask":
        left, top, width, height = (int(shape.get(key, "")) for key in ("left", "top", "width", "height"))
        lengths = tuple(int(each) for each in (shape.get("rle") or "").split(","))
        place = (left, top, left + width, top + height)
        return Annotation(label, place, Part(lengths, place, size) if size else None)
    if shape.tag == "box":
        x0, y0, x1, y1 = (number(shape.get(key)) for key in _EDGES)
    elif shape.tag == "ellipse":
        x, y, across, down = (number(shape.get(key)) for key in ("cx", "cy", "rx", "ry"))
        x0, y0, x1, y1 = x - across, y - down, x + across, y + down
    else:
        return None
    if degrees := number(shape.get("rotation") or 0):
        notes.add("rotated box", name)
        return Annotation(label, rotated_bounds((x0, y0, x1, y1), degrees, ((x0 + x1) / 2, (y0 + y1) / 2)))
    return Annotation(label, (x0, y0, x1, y1))


def write_cvat(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `annotations.xml`: boxes, or masks where there are any, with their scores as an attribute."""
    with (folder / "annotations.xml").open("w", encoding="utf-8", newline="") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        file.write(xml_text(_meta(about, sum(1 for _ in images)), level=1))
        for count, image in enumerate(images):
            width, height = str(image.width), str(image.height)
            element = Element("image", id=str(count), name=clean(image.name), width=width, height=height)
            for each, box in image.boxed:
                shape = SubElement(element, *_shape(image, each, box))
                child(shape, "attribute", round(each.score, 4)).set("name", "score")
            file.write(xml_text(element, level=1))
        file.write("</annotations>\n")


def _meta(about: About, size: int) -> Element:
    meta = Element("meta")
    task = SubElement(meta, "task")
    child(task, "name", about.source)
    child(task, "size", size)
    child(task, "mode", "annotation")
    labels = SubElement(task, "labels")
    for name in about.classes:
        label = SubElement(labels, "label")
        child(label, "name", name)
        attribute = SubElement(SubElement(label, "attributes"), "attribute")
        for key, value in (("name", "score"), ("mutable", "False"), ("input_type", "text"), ("default_value", ""),
                           ("values", "")):  # fmt: skip
            child(attribute, key, value)
    return meta


def _shape(image: AnnotatedImage, annotation: Annotation, box: Edges) -> tuple[str, dict[str, str]]:
    """A mask, the run lengths of its part that is not empty, row after row, background first; else a box."""
    common = {"label": clean(annotation.label), "source": "auto", "occluded": "0"}
    mask = None if annotation.mask is None else annotation.mask.read(image.height, image.width) == OBJECT
    if mask is None or not mask.any():
        edges = {name: f"{edge:.2f}" for name, edge in zip(_EDGES, box, strict=True)}
        return "box", {**common, **edges, "z_order": "0"}
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    place = {"left": columns[0], "top": rows[0], "width": part.shape[1], "height": part.shape[0]}
    lengths = ", ".join(map(str, turns_of(part.ravel())))
    return "mask", {**common, "rle": lengths, **{name: str(value) for name, value in place.items()}, "z_order": "0"}
