"""Conditions on rows in SQL, such as label = 'tabby' and activation > 5; DuckDB evaluates them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from boxless.errors import ResultsError, first_line

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


_MOST = 200
"""Opening parentheses of a condition: DuckDB takes time by their square, 16 s for 5,000."""


def database() -> duckdb.DuckDBPyConnection:
    """A database that keeps nothing and reads no files; of one thread, see `boxless.batch.formats`."""
    import duckdb

    return duckdb.connect(config={"enable_external_access": "false", "threads": "1"})


def condition(text: str, empty: pa.Table) -> Callable[[pa.Table], pa.Table]:
    """A condition as a filter of tables.

    Args:
        text: a condition in DuckDB's SQL, without WHERE. It sees the columns and nothing else, no files either.
        empty: a table with the columns that there are, and no rows.

    Returns:
        Gives the rows of a table that fit, in their order.

    Raises:
        ResultsError: if it is no condition, or names another column.

    Example:
        >>> import pyarrow as pa
        >>> table = pa.table({"label": ["tabby", "cup"], "activation": [7.5, 4.0]})
        >>> condition("label = 'tabby' and activation > 5", table[:0])(table).num_rows
        1
    """
    import duckdb
    import pyarrow as pa

    if text.count("(") > _MOST:
        raise ResultsError(_refusal(text, f"has more than {_MOST} parentheses", empty))
    connection = database()

    def fitting(table: pa.Table) -> pa.Table:
        columns = table.select(empty.column_names).append_column("row", pa.array(range(table.num_rows), pa.int64()))
        try:
            relation = connection.from_arrow(columns)
            kinds = [str(kind) for kind in relation.project(text).types]
            if kinds != ["BOOLEAN"]:
                raise ResultsError(_refusal(text, f"gives {', '.join(kinds)}, not true or false", empty))
            found = relation.filter(text).project('"row"').fetchnumpy()
            return table.take(pa.array(found["row"], pa.int64()))
        except (duckdb.Error, UnicodeEncodeError) as error:
            raise ResultsError(_refusal(text, first_line(error), empty)) from None

    fitting(empty)  # most mistakes show without rows
    return fitting


def _refusal(text: str, problem: str, empty: pa.Table) -> str:
    shown = text if len(text) <= 200 else f"{text[:200]}..."
    return (
        f"--where {shown!r}: {problem} (expected such as: label = 'tabby' and activation > 5, or error is not null; "
        f"columns: {', '.join(empty.column_names)})"
    )
