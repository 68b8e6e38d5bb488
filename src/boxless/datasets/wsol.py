"""The metadata of the wsolevaluation benchmark: text files with a line an image, or a box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from boxless.datasets.dataset import AnnotatedImage, Annotation, Dataset, classes_in
from boxless.datasets.image_finder import finder
from boxless.datasets.masks import MaskFile, readable_mask
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, number, read_text, size_of
from boxless.errors import DatasetError
from boxless.system.files import is_file


def find_wsol(path: Path) -> list[Path]:
    """The folder itself, where it has a `localization.txt`."""
    return [path] if is_file(path / "localization.txt") else []


def read_wsol(path: Path, images: Path | None = None) -> Dataset:
    """Reads a split of the benchmark of Choe et al., CVPR 2020 (github.com/clovaai/wsolevaluation).

    `class_labels.txt` has `path,index`; `image_sizes.txt` has `path,width,height` of the original image, to which
    the boxes refer; `localization.txt` has `path,x0,y0,x1,y1`, or `path,mask,ignore` with image files.
    """
    for name in ("class_labels.txt", "localization.txt"):
        if not is_file(path / name):
            raise DatasetError(f"{path}: no {name} (expected class_labels.txt, image_sizes.txt and localization.txt)")
    notes = Notes()
    labels = {row[0]: row[1] for row in _rows(path / "class_labels.txt", (2,), notes)}
    locate = finder(list(labels), [path, path / "images", path.parent, path.parent / "images"], images)
    file = path / "image_sizes.txt"
    rows = _rows(file, (3,), notes) if is_file(file) else ()
    sizes = {name: size_of(height, width, name, notes) for name, width, height in rows}
    found: dict[str, list[Annotation]] = {name: [] for name in labels}
    seen: set[tuple[str, ...]] = set()
    for row in _rows(path / "localization.txt", (3, 5), notes):
        name = row[0]
        if tuple(row) in seen:
            notes.add("listed twice", ",".join(row))
        elif name not in labels:
            notes.add("unreadable line", f"{name} (not in class_labels.txt)")
        else:
            try:
                found[name].append(_annotation(row, labels[name], locate))
            except BAD_RECORD:
                notes.add("unreadable line", ",".join(row))
            except DatasetError:
                notes.add("damaged mask", row[1])
        seen.add(tuple(row))
    read = [
        AnnotatedImage(name, locate(name), tuple(objects or [_of_class(labels[name])]), sizes.get(name))
        for name, objects in found.items()
    ]
    return Dataset(path.resolve().name, tuple(read), classes_in(read), notes)


def _annotation(row: list[str], label: str, locate: Callable[[str], Path]) -> Annotation:
    known = _of_class(label)
    if len(row) == 5:
        x0, y0, x1, y1 = map(number, row[1:])
        return Annotation(known.label, (x0, y0, x1, y1), class_index=known.class_index)
    files = [locate(each) for each in row[1:] if each]
    if not all(map(readable_mask, files)):
        raise DatasetError(row[1])
    mask = MaskFile(files[0], files[1] if len(files) > 1 else None)
    return Annotation(known.label, None, mask, class_index=known.class_index)


def _of_class(label: str) -> Annotation:
    """The benchmark's files have indices of classes; a name is read too."""
    return Annotation("", class_index=int(label)) if label.isdecimal() and len(label) < 10 else Annotation(label)


def _rows(file: Path, lengths: tuple[int, ...], notes: Notes) -> Iterator[list[str]]:
    for count, line in enumerate(read_text(file).splitlines(), start=1):
        row = [each.strip() for each in line.split(",")]
        if len(row) in lengths:
            yield row
        elif line.strip():
            notes.add("unreadable line", f"{file.name} line {count}")
