"""Pascal VOC XML: one file a picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from boxless.datasets.formats.annotation import About, Annotated, Edges
from boxless.datasets.formats.xml import as_text, child


def write_voc(folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
    """Writes `Annotations/*.xml`: pixels count from 1, and boxes hold their last row and column.

    Everingham et al., "The Pascal Visual Object Classes Challenge", 2010. All files are in one folder, as readers want
    it; where pictures stay where they are, folders become part of the name: `a/b.jpg` has `a__b.xml`.
    """
    (folder / "Annotations").mkdir(exist_ok=True)
    for picture in pictures:
        root = Element("annotation")
        child(root, "folder", "JPEGImages" if about.placed else "")
        child(root, "filename", picture.file)
        source = SubElement(root, "source")
        child(source, "database", "found by class maps, not drawn by hand")
        child(source, "annotation", about.by_whom)
        size = SubElement(root, "size")
        for name, value in (("width", picture.width), ("height", picture.height), ("depth", 3)):
            child(size, name, value)
        child(root, "segmented", 0)
        for thing in picture.things:
            object_ = SubElement(root, "object")
            for name, text in (("name", thing.label), ("pose", "Unspecified"), ("truncated", 0), ("difficult", 0)):
                child(object_, name, text)
            edges = SubElement(object_, "bndbox")
            for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _inclusive(thing.box), strict=True):
                child(edges, name, value)
            child(object_, "score", round(thing.score, 4))
        name = picture.stem.replace("/", "__")
        (folder / "Annotations" / f"{name}.xml").write_text(as_text(root), encoding="utf-8", newline="")


def _inclusive(box: Edges) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = map(round, box)
    return x0 + 1, y0 + 1, max(x1, x0 + 1), max(y1, y0 + 1)
