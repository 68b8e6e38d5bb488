"""CVAT for images 1.1: https://docs.cvat.ai/docs/manual/advanced/xml_format/."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from boxless.datasets.formats.annotation import About, Annotated, Thing
from boxless.datasets.formats.xml import as_text, child, clean
from boxless.maps.run_lengths import mask_of, turns_of


def write_cvat(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `annotations.xml`: boxes, or masks where there are any, with their scores as an attribute."""
    with (folder / "annotations.xml").open("w", encoding="utf-8", newline="") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n')
        file.write(as_text(_meta(about, sum(1 for _ in pictures)), level=1))
        for number, picture in enumerate(pictures):
            image = Element(
                "image",
                id=str(number),
                name=clean(picture.file),
                width=str(picture.width),
                height=str(picture.height),
            )
            for thing in picture.things:
                shape = SubElement(image, *_box(thing) if thing.mask is None else _mask(picture, thing))
                child(shape, "attribute", round(thing.score, 4)).set("name", "score")
            file.write(as_text(image, level=1))
        file.write("</annotations>\n")


def _meta(about: About, size: int) -> Element:
    meta = Element("meta")
    task = SubElement(meta, "task")
    child(task, "name", about.by_whom)
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


def _box(thing: Thing) -> tuple[str, dict[str, str]]:
    edges = zip(("xtl", "ytl", "xbr", "ybr"), (f"{edge:.2f}" for edge in thing.box), strict=True)
    return "box", {"label": clean(thing.label), "source": "auto", "occluded": "0", **dict(edges), "z_order": "0"}


def _mask(picture: Annotated, thing: Thing) -> tuple[str, dict[str, str]]:
    """The run lengths of the part of the mask that is not empty, row after row, background first."""
    mask = mask_of(thing.mask or (), picture.height, picture.width)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return "mask", {
        "label": clean(thing.label),
        "source": "auto",
        "occluded": "0",
        "rle": ", ".join(map(str, turns_of(part.ravel()))),
        "left": str(columns[0]),
        "top": str(rows[0]),
        "width": str(part.shape[1]),
        "height": str(part.shape[0]),
        "z_order": "0",
    }
