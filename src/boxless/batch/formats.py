"""The files that rows are kept in: Parquet, or JSON, an object a line.

Files are decoded from bytes in memory, in the thread that asks. Where PyArrow's own threads read a file of Python, one
of them may want the interpreter while it shuts down, and the process then aborts (exit status 134).
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from boxless.errors import ResultsError
from boxless.system.extras import require

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


class Format(Protocol):
    """One way to keep rows. Both ways give back the same rows."""

    suffix: str

    def load(self) -> None:
        """Loads the packages that it is written with, before an image is read in vain.

        Raises:
            MissingExtraError: if one is not installed.
        """

    def encode(self, rows: Sequence[Row]) -> bytes:
        """A whole file; the same rows give the same bytes."""

    def rows(self, content: bytes) -> list[Row]:
        """The rows of a file."""

    def table(self, content: bytes) -> pa.Table:
        """The rows of a file as a table of PyArrow."""


class Parquet:
    """Parquet by PyArrow: a row an image, predictions and boxes nested in it."""

    suffix = ".parquet"

    def load(self) -> None:
        """PyArrow; see `Format`."""
        require("batch", "the format parquet (jsonl does not)")
        import pyarrow.parquet  # noqa: F401

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `Format`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with_maps = any("class_map" in prediction for each in rows for prediction in each["predictions"])
        file = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(rows), schema=schema(with_maps)), file, compression="zstd")
        return file.getvalue()

    def rows(self, content: bytes) -> list[Row]:
        """See `Format`."""
        rows: list[Row] = self.table(content).to_pylist()
        return rows

    def table(self, content: bytes) -> pa.Table:
        """See `Format`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetFile(pa.BufferReader(content)) as file:
            return file.read(use_threads=False)


class JsonLines:
    """JSON, an object a line: exactly what `boxless locate --json` prints."""

    suffix = ".jsonl"

    def load(self) -> None:
        """Nothing; see `Format`."""

    def encode(self, rows: Sequence[Row]) -> bytes:
        """See `Format`."""
        return "".join(json.dumps(each, ensure_ascii=False, allow_nan=False) + "\n" for each in rows).encode("utf-8")

    def rows(self, content: bytes) -> list[Row]:
        """See `Format`."""
        return [json.loads(line) for line in content.splitlines()]

    def table(self, content: bytes) -> pa.Table:
        """See `Format`."""
        import pyarrow as pa

        return pa.Table.from_pylist(self.rows(content), schema=schema(with_maps=False))


FORMATS: dict[str, Format] = {"parquet": Parquet(), "jsonl": JsonLines()}


def format_of(name: str) -> Format:
    """The format of that name.

    Args:
        name: one of `FORMATS`.

    Returns:
        The format.

    Raises:
        ResultsError: if there is none.
    """
    if name not in FORMATS:
        raise ResultsError(f"no format '{name}' (expected {' or '.join(FORMATS)})")
    return FORMATS[name]


@cache
def schema(with_maps: bool) -> pa.Schema:
    """The schema of a table of rows, for PyArrow; floats of 64 bits, so that they are those of `to_dict`."""
    import pyarrow as pa

    edges = pa.list_(pa.float64())
    prediction = [
        ("label", pa.string()),
        ("class_index", pa.int32()),
        ("probability", pa.float64()),
        ("activation", pa.float64()),
        ("detected", pa.bool_()),
        ("box", edges),
        ("boxes", pa.list_(pa.struct([("box", edges), ("score", pa.float64())]))),
    ]
    if with_maps:
        kept = [("height", pa.int32()), ("width", pa.int32()), ("peak", pa.float32()), ("data", pa.binary())]
        prediction.append(("class_map", pa.struct(kept)))
    return pa.schema(
        [
            ("image", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("model", pa.string()),
            ("preset", pa.string()),
            ("maps", pa.string()),
            ("predictions", pa.list_(pa.struct(prediction))),
            ("xyxy", pa.list_(edges)),
            ("scores", pa.list_(pa.float64())),
            ("class_ids", pa.list_(pa.int32())),
            ("labels", pa.list_(pa.string())),
            ("error", pa.string()),
        ]
    )
