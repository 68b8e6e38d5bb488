"""CSV: a heading, then a line a box, or a line an image with its labels, or only its path."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from boxless.datasets.dataset import About, AnnotatedImage, Annotation, Dataset, classes_in
from boxless.datasets.image_finder import finder, joined
from boxless.datasets.notes import Notes
from boxless.datasets.parsing import BAD_RECORD, head_of, number, read_text, text_of
from boxless.datasets.writing import rounded
from boxless.errors import DatasetError

PATH_COLUMNS = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "imagepath", "image_name",
    "image_file", "img", "img_path", "picture", "image_id", "url",
)  # fmt: skip
"""The columns of paths, without spaces and in lower case; the first that is there counts."""

EXCELS_LINE = re.compile(r"sep=.\r?\n")
"""What Excel writes above the heading."""

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


@dataclass(frozen=True)
class Table:
    """A CSV file, read.

    Attributes:
        columns: as `column_key` has them, in their order; those without a name are left out.
        rows: of each line its number in the file, and its cells by column; "" where one is missing.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    @property
    def heading(self) -> str:
        """The first of its columns, for a message."""
        return ", ".join(name[:40] for name in self.columns[:20]) or "nothing"

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of these columns that is there."""
        return next((name for name in names if name in self.columns), None)


def read_table(file: Path) -> Table:
    """A CSV file; spaces around names and cells are cut off."""
    text = read_text(file)
    if named := EXCELS_LINE.match(text):
        text = text[named.end() :]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text.partition("\n")[0]))
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        columns = tuple(map(column_key, next(reader, [])))
        for cells in reader:
            if cells:
                padded = [*map(str.strip, cells), *[""] * len(columns)]
                rows.append((reader.line_num, dict(zip(columns, padded, strict=False))))
    except csv.Error as error:
        raise DatasetError(f"{file}: line {reader.line_num}: {error}; is there a quote that is not closed?") from None
    return Table(tuple(filter(None, columns)), tuple(rows))


def separator(heading: str) -> str:
    """What stands between the columns of a CSV: of comma, semicolon and tab what its heading has most of."""
    return max(",;\t", key=heading.count)


def column_key(name: str) -> str:
    """The name of a column in lower case, with _ for spaces and hyphens.

    Example:
        >>> column_key(" Image Path")
        'image_path'
    """
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


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
    several labels with | between, or a line for each. `columns` says what the heading does not.
    """
    table = read_table(path)
    known = _Known.of(path, table, columns or Columns())
    notes = Notes()
    found: dict[str, tuple[str, list[Annotation]]] = {}
    for count, row in table.rows:
        split = row.get(known.split, "")
        try:
            name = text_of(row[known.path])
            there, annotations = found.setdefault(name, (split, []))
            new = known.annotations(row)
        except BAD_RECORD:
            notes.add("unreadable line", f"line {count}")
            continue
        if there != split:
            raise DatasetError(f"{path}: {name} stands in two splits, {there or 'none'} and {split or 'none'}")
        for each in new:
            if each in annotations:
                notes.add("listed twice", f"{name} (line {count})")
            else:
                annotations.append(each)
    folders = [path.parent, path.parent / "images", path.parent / path.stem]
    try:
        locate = finder(list(found), folders, images)
    except DatasetError:
        if known.edges:
            raise
        locate = partial(joined, path.parent)  # a list: whoever reads the images says of each that it is not there
    read = tuple(
        AnnotatedImage(name, locate(name), tuple(annotations), None, split)
        for name, (split, annotations) in found.items()
    )
    return Dataset(path.stem, read, classes_in(read), notes, known.labelled)


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

    def annotations(self, row: dict[str, str]) -> list[Annotation]:
        """What a line says of its image; raises one of `BAD_RECORD` where it is not understood."""
        values = [row[edge] for edge in self.edges]
        label, wnid, index = (row.get(each, "") for each in (self.label, self.class_id, self.class_index))
        if not (label or wnid or index):
            if self.labelled and (any(values) or not self.edges):
                raise ValueError("no class")
            return []
        class_index = int(index) if index else None
        if any(values):
            a, b, c, d = map(number, values)
            text_of(label or wnid or index)
            box = (a, b, a + c, b + d) if self.edges in _CORNER_AND_SIZE else (a, b, c, d)
            return [Annotation(label, box, class_id=wnid, class_index=class_index)]
        parts = [label] if self.edges else [each.strip() for each in label.split(self.between)]
        return [Annotation(each, class_id=wnid, class_index=class_index) for each in parts if each or not label]


def write_csv(folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
    """Writes `boxes.csv`: pixels, half-open. An image without boxes has one line, without class and box."""
    with (folder / "boxes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADING)
        for image in images:
            common = (image.width, image.height, image.split, about.model, about.preset)
            for each, box in image.boxed:
                measures = (round(each.score, 4), round(each.probability, 4), round(each.activation, 3))
                writer.writerow((image.name, each.label, *map(rounded, box), *measures, *common))
            if not image.boxed:
                writer.writerow((image.name, *[""] * 8, *common))
