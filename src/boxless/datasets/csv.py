"""CSV: a line a box, or a line an image with its labels, or only its path."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from boxless.datasets.dataset import About, AnnotatedImage, Annotation, Dataset
from boxless.datasets.image_finder import finder, joined
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import head_of, number, text_of
from boxless.datasets.table import PATH_COLUMNS, Table, column_key, read_table, separator
from boxless.datasets.writing import rounded
from boxless.errors import DatasetError

_LABEL_COLUMNS = (
    "label", "labels", "class", "classes", "class_name", "classname", "category", "categories", "category_name", "name",
    "target",
)  # fmt: skip
_SPLIT_COLUMNS = ("split", "set", "subset")
_EDGES = (
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
)
_CORNER_AND_SIZE = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
_BETWEEN_LABELS = "|"
_HEADING = (
    "image", "class", "x0", "y0", "x1", "y1", "score", "probability", "activation", "width", "height", "split",
    "model", "preset",
)  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """How a CSV is to be read, where its heading does not say it.

    Attributes:
        separator: stands between the labels of an image; | where None, and then commas and semicolons in labels are
            asked about.
        path: the column of paths; the first of the usual names where None.
        label: the column of labels; likewise.
    """

    separator: str | None = None
    path: str | None = None
    label: str | None = None


def find_csv(path: Path) -> list[Path]:
    """The CSV files of a folder that list images with classes or boxes."""
    return [each for each in sorted(path.iterdir()) if each.suffix.lower() in (".csv", ".tsv") and _lists_images(each)]


def _lists_images(file: Path) -> bool:
    heading = head_of(file, 8192).partition("\n")[0]
    names = {column_key(name.strip('"')) for name in heading.split(separator(heading))}
    return bool(names & set(PATH_COLUMNS) and names & {*_LABEL_COLUMNS, "wnid", "class_index"})


def read_csv(path: Path, images: Path | None = None, columns: Columns | None = None) -> Dataset:
    """Reads a CSV file with a heading.

    Columns, in any order, upper and lower case alike: the image's file (`path`, `image`, `filename`, ...), its class
    (`label`, `class`, ..., or `wnid`, or `class_index`), the box in pixels as `x0,y0,x1,y1`, `xmin,ymin,xmax,ymax`,
    `x1,y1,x2,y2`, `left,top,right,bottom` or `x,y,width,height`, and `split`. A line with an empty box tells the class
    only; one with neither class nor box, that nothing is in the image. Where there are no boxes, an image may have
    several labels with | between, or a line for each.

    Args:
        path: the file; UTF-8, separated by commas, semicolons or tabs.
        images: the folder that the file names are relative to; searched for near the file where None.
        columns: what the heading does not say.

    Raises:
        DatasetError: if it cannot be read as a CSV, lacks the column of paths, puts an image into two splits, or has
            commas in labels and nobody says whether they part them.

    Example:
        >>> read_csv(Path("labels.csv")).classes  # doctest: +SKIP
        ('cat', 'dog')
    """
    columns = columns or Columns()
    table = read_table(path)
    known = _Known.of(path, table, columns)
    notes = Notes()
    found: dict[str, _Lines] = {}
    for count, row in table.rows:
        try:
            name, split = text_of(row[known.path]), row.get(known.split, "")
        except ValueError:
            notes.add("unreadable line", f"line {count}")
            continue
        lines = found.setdefault(name, _Lines(split))
        if lines.split != split:
            raise DatasetError(f"{path}: {name} stands in two splits, {lines.split or 'none'} and {split or 'none'}")
        known.add(lines, row, count, notes)
    folders = [path.parent, path.parent / "images", path.parent / path.stem]
    try:
        locate = finder(list(found), folders, images)
    except DatasetError:
        if known.edges:
            raise
        locate = partial(joined, path.parent)  # a list: whoever reads the images says of each that it is not there
    read = tuple(
        AnnotatedImage(name, locate(name), tuple(each.annotations), None, each.split) for name, each in found.items()
    )
    classes = dict.fromkeys(each.name for image in read for each in image.annotations)
    return Dataset(path.stem, read, tuple(classes), notes, known.labelled)


@dataclass
class _Lines:
    """What the lines of one image say."""

    split: str
    annotations: list[Annotation] = field(default_factory=list)


@dataclass(frozen=True)
class _Known:
    """Which columns a CSV has."""

    path: str
    label: str
    split: str
    class_id: str
    class_index: str
    edges: tuple[str, ...]
    between: str

    @classmethod
    def of(cls, file: Path, table: Table, columns: Columns) -> _Known:
        def named(asked: str | None, usual: tuple[str, ...]) -> str:
            if asked is None:
                return table.first(usual) or ""
            if column_key(asked) not in table.columns:
                raise DatasetError(f"{file}: no column {asked} (found {table.heading})")
            return column_key(asked)

        path = named(columns.path, PATH_COLUMNS)
        if not path:
            raise DatasetError(
                f"{file}: no column for the image: its first line names {table.heading} "
                "(expected the columns path and label, maybe split; or say which: --path-column)"
            )
        label = named(columns.label, tuple(name for name in _LABEL_COLUMNS if name != path))
        edges = next((names for names in (*_EDGES, *_CORNER_AND_SIZE) if set(names) <= set(table.columns)), ())
        wnid, index = (table.first((name,)) or "" for name in ("wnid", "class_index"))
        lacking = "class" if edges and not (label or wnid or index) else ""
        if not edges and {"x0", "xmin", "x_min", "x1"} & set(table.columns):
            lacking = "box"
        if lacking:
            raise DatasetError(
                f"{file}: no column for the {lacking} (found {table.heading}; expected a heading such as "
                "image,class,x0,y0,x1,y1)"
            )
        between = columns.separator or _BETWEEN_LABELS
        parted = any(between in row[label] for _, row in table.rows) if label else False
        if label and not edges and not parted and columns.separator is None:
            for mark, name in ((",", "commas"), (";", "semicolons")):
                found = next((row[label] for _, row in table.rows if mark in row[label]), None)
                if found is not None:
                    raise DatasetError(
                        f'{file}: Labels contain {name}; use --separator "{mark}" (found "{found[:80]}"; where the '
                        f'{name} are parts of names, use --separator "|")'
                    )
        return cls(path, label, table.first(_SPLIT_COLUMNS) or "", wnid, index, edges, between)

    @property
    def labelled(self) -> bool:
        return bool(self.label or self.class_id or self.class_index)

    def add(self, lines: _Lines, row: dict[str, str], count: int, notes: Notes) -> None:
        """Adds what a line says of its image."""
        values = [row[edge] for edge in self.edges]
        label, wnid, index = (row.get(each, "") for each in (self.label, self.class_id, self.class_index))
        if not (label or wnid or index):
            if self.labelled and (any(values) or not self.edges):
                notes.add("unreadable line", f"line {count}")
            return
        if any(values):
            try:
                a, b, c, d = map(number, values)
                text_of(label or wnid or index)
                sized = self.edges in _CORNER_AND_SIZE
                box = (a, b, a + c, b + d) if sized else (a, b, c, d)
                new = [Annotation(label, box, class_id=wnid, class_index=int(index) if index else None)]
            except (ValueError, TypeError, OverflowError):
                notes.add("unreadable line", f"line {count}")
                return
        else:
            try:
                shared = {"class_id": wnid, "class_index": int(index) if index else None}
            except ValueError:
                notes.add("unreadable line", f"line {count}")
                return
            parts = [label] if self.edges else [each.strip() for each in label.split(self.between)]
            new = [Annotation(each, **shared) for each in parts if each or not label]  # type: ignore[arg-type]
        for each in new:
            if each in lines.annotations:
                notes.add("listed twice", f"{row[self.path]} (line {count})")
            else:
                lines.annotations.append(each)


def write_csv(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `boxes.csv`: pixels, half-open. An image without boxes has one line, without class and box."""
    with (folder / "boxes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADING)
        for image in images:
            common = (image.width, image.height, image.split, about.model, about.preset)
            boxed = [(each, each.box) for each in image.annotations if each.box is not None]
            for each, box in boxed:
                measures = (round(each.score, 4), round(each.probability, 4), round(each.activation, 3))
                writer.writerow((image.name, each.label, *map(rounded, box), *measures, *common))
            if not boxed:
                writer.writerow((image.name, *[""] * 8, *common))
