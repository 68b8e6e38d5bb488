"""Reads a CSV of pictures: their paths, and maybe labels and splits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxless.datasets.csv_table import read_table
from boxless.errors import DatasetError

_PATH_COLUMNS = ("path", "file", "filename", "image", "picture")
_LABEL_COLUMNS = ("label", "labels", "class", "classes", "category")
_SPLIT_COLUMNS = ("split", "set", "subset")
_BETWEEN_LABELS = "|"


@dataclass(frozen=True)
class ListedPictures:
    """What a CSV says.

    Attributes:
        columns: its heading, in lower case.
        labels: of each picture, in the order of the lines; none where the line has none.
        splits: of each picture; "" where none is named.
        incomplete: the lines that lack a path, or a label although there is a column for it.
        labelled: whether there is a column for labels.
    """

    columns: tuple[str, ...]
    labels: dict[Path, tuple[str, ...]]
    splits: dict[Path, str]
    incomplete: tuple[str, ...]
    labelled: bool


def read_listed(file: Path) -> ListedPictures:
    """The pictures that a CSV lists, several labels with | between or a line for each; paths are relative to it.

    Raises:
        DatasetError: if it cannot be read as a CSV, has no column `path` (or the like), or puts a picture into two
            splits.
    """
    table = read_table(file)
    path_column, label_column, split_column = map(table.first, (_PATH_COLUMNS, _LABEL_COLUMNS, _SPLIT_COLUMNS))
    if path_column is None:
        found = ", ".join(table.columns) or "nothing"
        raise DatasetError(f"{file}: its first line names {found} (expected the columns path and label, maybe split)")
    labels: dict[Path, dict[str, None]] = {}
    splits: dict[Path, str] = {}
    incomplete: list[str] = []
    for number, row in table.rows:
        name = row[path_column]
        said = row[label_column] if label_column else ""
        found_labels = [each.strip() for each in said.split(_BETWEEN_LABELS) if each.strip()]
        if not name or (label_column and not found_labels):
            incomplete.append(f"line {number}")
        if not name:
            continue
        path = file.parent / name
        labels.setdefault(path, {}).update(dict.fromkeys(found_labels))
        split = row[split_column] if split_column else ""
        if splits.setdefault(path, split) != split:
            raise DatasetError(f"{file}: {name} stands in two splits, {splits[path] or 'none'} and {split or 'none'}")
    return ListedPictures(
        table.columns,
        {path: tuple(found) for path, found in labels.items()},
        splits,
        tuple(incomplete),
        label_column is not None,
    )
