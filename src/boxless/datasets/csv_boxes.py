"""Reads a CSV of boxes, one a line, and a folder of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from boxless.datasets.csv_table import Table, read_table
from boxless.datasets.dataset import BoxedSet, Entry, gather
from boxless.datasets.find import folder_of
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError
from boxless.models.card import Card

_PICTURE = ("image", "picture", "file", "filename", "file_name", "path", "image_path", "image_id")
_CLASS = ("class_index", "wnid", "class", "label", "class_name", "name", "category")
_EDGES = (
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
_CORNER_AND_SIZE = (("x", "y", "width", "height"), ("x", "y", "w", "h"))


def read_csv(file: Path, card: Card, images: Path | None = None) -> BoxedSet:
    """A data set that is a CSV file with a heading, and pictures.

    Columns, in any order, upper and lower case alike: the picture's file (`image`, `file`, `path`, ...), its class
    (`class`, `label`, `wnid`, `class_index`, ...), and the box in pixels as `x0,y0,x1,y1`, `xmin,ymin,xmax,ymax`,
    `x1,y1,x2,y2`, `left,top,right,bottom` or `x,y,width,height`. A line with an empty box tells the class only; one
    with neither class nor box, that nothing is in the picture.

    Args:
        file: the CSV file, UTF-8; separated by commas, semicolons or tabs.
        card: of the model whose classes count.
        images: the folder that the file names are relative to; searched for near the file where None.

    Raises:
        DatasetError: if it cannot be read as a CSV, or the heading lacks a column.
    """
    table = read_table(file)
    picture = table.first(_PICTURE)
    classes = [name for name in _CLASS if name in table.columns]
    edges = next((names for names in (*_EDGES, *_CORNER_AND_SIZE) if set(names) <= set(table.columns)), None)
    if picture is None or not classes or edges is None:
        lack = "picture" if picture is None else "class" if not classes else "box"
        raise DatasetError(
            f"{file}: no column for the {lack} (found {', '.join(table.columns) or 'nothing'}; "
            "expected a heading such as image,class,x0,y0,x1,y1)"
        )
    names = [row[picture] for _, row in table.rows if row[picture]]
    folder = images or folder_of(names, [file.parent, file.parent / "images", file.parent / file.stem])
    notes = Notes()
    entries = _entries(table, folder, picture, classes, edges, edges in _CORNER_AND_SIZE, notes)
    return gather(file.stem, list(entries), card, notes)


def _entries(
    table: Table,
    folder: Path,
    picture: str,
    classes: list[str],
    edges: tuple[str, ...],
    sized: bool,
    notes: Notes,
) -> Iterator[Entry]:
    seen: set[tuple[str, ...]] = set()
    for number, row in table.rows:
        name, values = row[picture], [row[edge] for edge in edges]
        labels = tuple(row[each] for each in classes if row[each])
        key = (name, *labels, *values)
        if name and not labels and not any(values):
            yield Entry(name, folder / name, ())
        elif not name or not labels:
            notes.add("unreadable line", f"line {number}")
        elif key in seen:
            notes.add("listed twice", f"{name} (line {number})")
        elif not any(values):
            yield Entry(name, folder / name, labels)
        else:
            try:
                a, b, c, d = map(float, values)
            except ValueError:
                notes.add("unreadable line", f"line {number}")
                continue
            seen.add(key)
            yield Entry(name, folder / name, labels, ((a, b, a + c, b + d) if sized else (a, b, c, d),))
