"""Reads a CSV of boxes, one a line, and a folder of pictures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from boxless.card import Card
from boxless.errors import DatasetError
from boxless.evaluation.dataset import BoxedSet, Entry, gather
from boxless.evaluation.find import folder_of
from boxless.evaluation.notes import Notes

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
        DatasetError: if the heading lacks a column.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: cannot be read ({error})") from None
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    columns = {name.strip().casefold(): name for name in reader.fieldnames or ()}
    picture = next((columns[name] for name in _PICTURE if name in columns), None)
    classes = [columns[name] for name in _CLASS if name in columns]
    edges = next((names for names in (*_EDGES, *_CORNER_AND_SIZE) if all(name in columns for name in names)), None)
    if picture is None or not classes or edges is None:
        lack = "picture" if picture is None else "class" if not classes else "box"
        raise DatasetError(
            f"{file}: no column for the {lack} (found {', '.join(columns) or 'nothing'}; "
            "expected a heading such as image,class,x0,y0,x1,y1)"
        )
    rows = [{key: (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in reader]
    names = [row[picture] for row in rows if row[picture]]
    folder = images or folder_of(names, [file.parent, file.parent / "images", file.parent / file.stem])
    notes = Notes()
    wanted = [columns[edge] for edge in edges]
    entries = _entries(rows, folder, picture, classes, wanted, edges in _CORNER_AND_SIZE, notes)
    return gather(file.stem, list(entries), card, notes)


def _entries(
    rows: list[dict[str, str]],
    folder: Path,
    picture: str,
    classes: list[str],
    edges: list[str],
    sized: bool,
    notes: Notes,
) -> Iterator[Entry]:
    seen: set[tuple[str, ...]] = set()
    for number, row in enumerate(rows, start=2):
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
