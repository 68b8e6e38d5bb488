"""Reads a CSV of pictures: their paths, and maybe labels and splits."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

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
        DatasetError: if it is not text, has no column `path` (or the like), or puts a picture into two splits.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8 (expected a CSV of path and label)") from None
    between = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=between)
    columns = {name.strip().casefold(): name for name in rows.fieldnames or () if name}
    path_column, label_column, split_column = (
        next((columns[name] for name in names if name in columns), None)
        for names in (_PATH_COLUMNS, _LABEL_COLUMNS, _SPLIT_COLUMNS)
    )
    if path_column is None:
        found = ", ".join(columns) or "nothing"
        raise DatasetError(f"{file}: its first line names {found} (expected the columns path and label, maybe split)")
    labels: dict[Path, dict[str, None]] = {}
    splits: dict[Path, str] = {}
    incomplete: list[str] = []
    for row in rows:
        name = (row[path_column] or "").strip()
        said = (row[label_column] or "") if label_column else ""
        found_labels = [each.strip() for each in said.split(_BETWEEN_LABELS) if each.strip()]
        if not name or (label_column and not found_labels):
            incomplete.append(f"line {rows.line_num}")
        if not name:
            continue
        path = file.parent / name
        labels.setdefault(path, {}).update(dict.fromkeys(found_labels))
        split = (row[split_column] or "").strip() if split_column else ""
        if splits.setdefault(path, split) != split:
            raise DatasetError(f"{file}: {name} stands in two splits, {splits[path] or 'none'} and {split or 'none'}")
    return ListedPictures(
        tuple(columns),
        {path: tuple(found) for path, found in labels.items()},
        splits,
        tuple(incomplete),
        label_column is not None,
    )
