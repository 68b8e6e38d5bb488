"""Reads Pascal VOC XML: one file a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from boxless.datasets.dataset import BoxedSet, Entry, gather
from boxless.datasets.find import LOOKED_FOR, folder_of
from boxless.datasets.masks import PaletteFile
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.imaging.containers import SUFFIXES
from boxless.models.card import Card

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Pascal VOC's classes: the first has palette index 1 in its masks."""


def read_voc(root: Path, card: Card, images: Path | None = None) -> BoxedSet:
    """A data set in Pascal VOC's layout: Everingham et al., "The Pascal Visual Object Classes Challenge", 2010.

    Pixels count from 1 there and boxes hold their last row and column, so a box from 1 to 10 becomes 0 to 10.
    Objects marked difficult are ignored, as in VOC's own evaluation: boxes there are neither right nor wrong.

    Args:
        root: the folder that holds `Annotations` and `JPEGImages`, or the XML files themselves.
        card: of the model whose classes count.
        images: the folder of the pictures; searched for near the annotations where None.

    Raises:
        DatasetError: if there are no annotations.
    """
    folder = root / "Annotations" if (root / "Annotations").is_dir() else root
    files = sorted(folder.glob("*.xml"))
    if not files:
        raise DatasetError(f"{folder}: no Pascal VOC annotations (expected XML files)")
    notes = Notes()
    return gather(root.name, list(_entries(files, root, images, notes)), card, notes)


def _entries(files: list[Path], root: Path, images: Path | None, notes: Notes) -> Iterator[Entry]:
    trees = _trees(files, notes)
    first = list(islice(trees, LOOKED_FOR))
    if images is None and first:
        near = [root / "JPEGImages", root / "images", root, root.parent / "JPEGImages"]
        images = folder_of([_picture(file, tree) for file, tree in first], near)
    images = images or root
    for file, tree in chain(first, trees):
        picture = _picture(file, tree)
        yield Entry(picture, images / picture, ())
        for thing in tree.iter("object"):
            name = thing.findtext("name", "").strip()
            difficult = thing.findtext("difficult", "0").strip() == "1"
            if difficult:
                notes.add("difficult", f"{picture} {name}")
            try:
                x0, y0, x1, y1 = (
                    float(thing.findtext(f"bndbox/{edge}", "")) for edge in ("xmin", "ymin", "xmax", "ymax")
                )
            except ValueError:
                notes.add("unreadable line", f"{file.name} {name}")
                continue
            box, mask = (x0 - 1, y0 - 1, x1, y1), None if difficult else _mask(file, name)
            ignored: Literal["difficult"] | None = "difficult" if difficult else None
            yield Entry(picture, images / picture, (name,), (box,), _size(tree), mask, ignored)


def _trees(files: list[Path], notes: Notes) -> Iterator[tuple[Path, ElementTree.Element]]:
    for file in files:
        try:
            yield file, _parsed(file)
        except (ElementTree.ParseError, ValueError, OSError):
            notes.add("unreadable line", file.name)


def _parsed(file: Path) -> ElementTree.Element:
    text = file.read_text(encoding="utf-8")
    # Entities can be made to grow without end, and annotations need none.
    if re.search(r"<!(DOCTYPE|ENTITY)", text):
        raise ValueError("an XML file with a document type")
    return ElementTree.fromstring(text)


def _picture(file: Path, tree: ElementTree.Element) -> str:
    """The picture's file name; ImageNet's annotations leave the suffix out."""
    name = tree.findtext("filename", "").strip() or file.stem
    return name if Path(name).suffix.lower() in SUFFIXES else f"{name}.JPEG"


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    try:
        height, width = (int(tree.findtext(f"size/{side}", "")) for side in ("height", "width"))
    except ValueError:
        return None
    return (height, width) if height > 0 and width > 0 else None


def _mask(file: Path, name: str) -> PaletteFile | None:
    path = file.parent.parent / "SegmentationClass" / f"{file.stem}.png"
    return PaletteFile(path, CLASSES.index(name) + 1) if name in CLASSES and path.is_file() else None
