"""CSV files as people have them: a heading, then lines, separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from boxless.errors import DatasetError


@dataclass(frozen=True)
class Table:
    """A CSV file, read.

    Attributes:
        columns: in lower case, in their order; those without a name are left out.
        rows: of each line its number in the file, and its cells by column; "" where one is missing.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]

    def first(self, names: tuple[str, ...]) -> str | None:
        """The first of these columns that is there."""
        return next((name for name in names if name in self.columns), None)


def read_table(file: Path) -> Table:
    """A CSV file in UTF-8; what surrounds names and cells is cut off.

    Raises:
        DatasetError: if it cannot be read, is not text, or is no CSV.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DatasetError(f"{file}: not text in UTF-8 (expected a CSV)") from None
    except OSError as error:
        raise DatasetError(f"{file}: cannot be read ({error.strerror})") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator(text.partition("\n")[0]))
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        columns = tuple(name.strip().casefold() for name in next(reader, []))
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
