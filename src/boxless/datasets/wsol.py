"""Reads the metadata of the wsolevaluation benchmark: text files with a line a picture, or a box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxless.datasets.dataset import BoxedSet, Entry, gather
from boxless.datasets.find import folder_of
from boxless.datasets.masks import MaskFile
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.models.card import Card


def read_wsol(root: Path, card: Card, images: Path | None = None) -> BoxedSet:
    """A split of the benchmark of Choe et al., CVPR 2020 (github.com/clovaai/wsolevaluation).

    `class_labels.txt` has `path,index`; `image_sizes.txt` has `path,width,height` of the original picture, to which
    the boxes refer; `localization.txt` has `path,x0,y0,x1,y1`, or `path,mask,ignore` with picture files.

    Args:
        root: the folder of the text files.
        card: of the model whose classes count.
        images: the folder that paths are relative to (masks too); searched for near the text files where None.

    Raises:
        DatasetError: if one of the files is missing or no text.
    """
    for name in ("class_labels.txt", "localization.txt"):
        if not (root / name).is_file():
            raise DatasetError(f"{root}: no {name} (expected class_labels.txt, image_sizes.txt and localization.txt)")
    notes = Notes()
    labels = {row[0]: row[1] for row in _rows(root / "class_labels.txt", (2,), notes)}
    folder = images or folder_of(list(labels), [root, root / "images", root.parent, root.parent / "images"])
    entries = list(_entries(root, labels, folder, notes))
    return gather(root.name, entries, card, notes)


def _entries(root: Path, labels: dict[str, str], folder: Path, notes: Notes) -> Iterator[Entry]:
    sizes: dict[str, tuple[int, int]] = {}
    if (root / "image_sizes.txt").is_file():
        for name, width, height in _rows(root / "image_sizes.txt", (3,), notes):
            if width.isdecimal() and height.isdecimal():
                sizes[name] = (int(height), int(width))
    seen: set[tuple[str, ...]] = set()
    located: set[str] = set()
    for row in _rows(root / "localization.txt", (3, 5), notes):
        name = row[0]
        if tuple(row) in seen:
            notes.add("listed twice", ",".join(row))
        elif name not in labels:
            notes.add("unreadable line", f"{name} (not in class_labels.txt)")
        elif len(row) == 3:
            ignore = folder / row[2] if row[2] else None
            located.add(name)
            yield Entry(name, folder / name, _classes(labels[name]), mask=MaskFile(folder / row[1], ignore))
        else:
            try:
                x0, y0, x1, y1 = map(float, row[1:])
            except ValueError:
                notes.add("unreadable line", ",".join(row))
                continue
            located.add(name)
            yield Entry(name, folder / name, _classes(labels[name]), ((x0, y0, x1, y1),), sizes.get(name))
        seen.add(tuple(row))
    for name, label in labels.items():
        if name not in located:
            yield Entry(name, folder / name, _classes(label))


def _classes(label: str) -> tuple[str | int, ...]:
    return (int(label),) if label.isdecimal() else (label,)


def _rows(file: Path, lengths: tuple[int, ...], notes: Notes) -> Iterator[list[str]]:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8 (expected a line a picture, or a box)") from None
    for number, line in enumerate(text.splitlines(), start=1):
        row = [each.strip() for each in line.split(",")]
        if len(row) in lengths:
            yield row
        elif line.strip():
            notes.add("unreadable line", f"{file.name} line {number}")
