"""CSV files as people have them: a heading, then lines, separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from boxless.datasets.parsing import read_text
from boxless.errors import DatasetError

PATH_COLUMNS = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "imagepath", "image_name",
    "image_file", "img", "img_path", "picture", "image_id", "url",
)  # fmt: skip
"""The columns of paths, without spaces and in lower case; the first that is there counts."""

EXCELS_LINE = re.compile(r"sep=.\r?\n")
"""What Excel writes above the heading."""


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
    """A CSV file; what surrounds names and cells is cut off.

    Raises:
        DatasetError: if it cannot be read, is not text, or is no CSV.
    """
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
