"""Pascal VOC XML, one file an image: Everingham et al., "The Pascal Visual Object Classes Challenge", 2010."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from boxless.datasets.dataset import SPLITS, About, AnnotatedImage, Annotation, Dataset, Edges, classes_in
from boxless.datasets.image_finder import located, near
from boxless.datasets.masks import PaletteFile, readable_mask
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, head_of, number, read_text, read_xml, size_of, text_of
from boxless.datasets.writing import child, rounded, xml_text
from boxless.errors import DatasetError
from boxless.system.files import is_file

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Pascal VOC's classes: the first has palette index 1 in its masks."""

_TRIED = 50  # files by which the format is recognised


def find_voc(path: Path) -> list[Path]:
    """The folder itself, where it has VOC's XML files, or a folder `Annotations` of them."""
    return [path] if _files(path) else []


def _files(root: Path) -> list[Path]:
    folder = root / "Annotations" if (root / "Annotations").is_dir() else root
    files = sorted(folder.glob("*.xml"))
    heads = (head_of(file, 4096) for file in files[:_TRIED])
    return files if any(re.search(r"<annotation\b", head) for head in heads) else []  # CVAT's are <annotations>


def read_voc(path: Path, images: Path | None = None) -> Dataset:
    """Reads Pascal VOC's XML files.

    Pixels count from 1 there and boxes hold their last row and column, so a box from 1 to 10 becomes 0 to 10. Objects
    marked difficult are ignored, as in VOC's own evaluation: boxes there are neither right nor wrong. Splits are those
    of `ImageSets/Main`. The folder holds `Annotations` and `JPEGImages`, or the XML files themselves.
    """
    files = _files(path) if path.is_dir() else []
    if not files:
        raise DatasetError(f"{path}: no Pascal VOC annotations (expected XML files)")
    notes = Notes()
    splits = _splits(path, notes)
    read: list[AnnotatedImage] = []
    for file in files:
        try:
            root = read_xml(file)
            if root.tag != "annotation":
                raise ValueError(root.tag)
            read.append(_image(file, root, splits.get(file.stem, ""), notes))
        except (DatasetError, *BAD_RECORD):
            notes.add("unreadable line", file.name)
    folders = [path / "JPEGImages", path / "images", path, path.parent / "JPEGImages", *near(path)]
    placed = located(read, folders, images)
    return Dataset(path.resolve().name, placed, classes_in(placed), notes)


def _image(file: Path, root: Element, split: str, notes: Notes) -> AnnotatedImage:
    name = text_of(root.findtext("filename", "").strip() or file.stem)
    size = size_of(root.findtext("size/height"), root.findtext("size/width"), name, notes)
    found: list[Annotation] = []
    for each in root.iter("object"):
        label = each.findtext("name", "").strip()
        try:
            x0, y0, x1, y1 = (number(each.findtext(f"bndbox/{edge}", "")) for edge in ("xmin", "ymin", "xmax", "ymax"))
            text_of(label)
        except BAD_RECORD:
            notes.add("unreadable line", f"{file.name} {label}")
            continue
        box = (x0 - 1, y0 - 1, x1, y1)
        if each.findtext("difficult", "0").strip() == "1":
            notes.add("difficult", f"{name} {label}")
            found.append(Annotation(label, box, None, "difficult"))
        else:
            found.append(Annotation(label, box, _mask(file, label, notes)))
    return AnnotatedImage(name, Path(), tuple(found), size, split)


def _splits(root: Path, notes: Notes) -> dict[str, str]:
    """The split of each image, by the stem of its file, where `ImageSets/Main` says it."""
    found: dict[str, str] = {}
    for file in sorted((root / "ImageSets/Main").glob("*.txt")):
        if file.stem.casefold() not in SPLITS:  # trainval, or those of one class
            continue
        try:
            found |= {line.strip(): SPLITS[file.stem.casefold()] for line in read_text(file).split("\n")}
        except DatasetError:
            notes.add("unreadable line", file.name)
    return found


def _mask(file: Path, label: str, notes: Notes) -> PaletteFile | None:
    path = file.parent.parent / "SegmentationClass" / f"{file.stem}.png"
    if label not in CLASSES or not is_file(path):
        return None
    if not readable_mask(path):
        notes.add("damaged mask", path.name)
        return None
    return PaletteFile(path, CLASSES.index(label) + 1)


def write_voc(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `Annotations/*.xml`, `ImageSets/Main/*.txt`, and `labelmap.txt`, without which CVAT and datumaro know
    VOC's own classes only; see `read_voc` for what pixels are there.

    All files are in one folder, as readers want it; where images stay where they are, folders become part of the name:
    `a/b.jpg` has `a__b.xml`.
    """
    (folder / "Annotations").mkdir(exist_ok=True)
    splits: dict[str, list[str]] = defaultdict(list)
    for image in images:
        root = Element("annotation")
        child(root, "folder", "JPEGImages" if about.placed else "")
        child(root, "filename", image.name)
        source = SubElement(root, "source")
        child(source, "database", "found by class maps, not drawn by hand")
        child(source, "annotation", about.source)
        size = SubElement(root, "size")
        for name, value in (("width", image.width), ("height", image.height), ("depth", 3)):
            child(size, name, value)
        child(root, "segmented", 0)
        for each, box in image.boxed:
            object_ = SubElement(root, "object")
            for name, text in (("name", each.label), ("pose", "Unspecified"), ("truncated", 0), ("difficult", 0)):
                child(object_, name, text)
            edges = SubElement(object_, "bndbox")
            for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _inclusive(box), strict=True):
                child(edges, name, value)
            child(object_, "score", round(each.score, 4))
        name = image.stem.replace("/", "__")
        splits[image.split].append(name)
        (folder / "Annotations" / f"{name}.xml").write_text(xml_text(root), encoding="utf-8", newline="")
    (folder / "ImageSets/Main").mkdir(parents=True, exist_ok=True)
    for split, names in splits.items():
        text = "".join(f"{name}\n" for name in names)
        (folder / f"ImageSets/Main/{split}.txt").write_text(text, encoding="utf-8", newline="")
    lines = ["# label:color_rgb:parts:actions", "background:::"]
    lines += [f"{name}:::" for name in about.classes if name != "background" and not set(name) & set(":\r\n")]
    (folder / "labelmap.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")


def _inclusive(box: Edges) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = map(round, map(rounded, box))
    return x0 + 1, y0 + 1, max(x1, x0 + 1), max(y1, y0 + 1)
