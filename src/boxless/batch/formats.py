"""The files that rows are kept in: Parquet, or JSON, an object a line. Both give back the same rows.

Files are decoded from bytes in memory, in the thread that asks. Where PyArrow's own threads read a file of Python, one
of them may want the interpreter while it shuts down, and the process then aborts (exit status 134).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from boxless.errors import ResultsError

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """One way to keep rows.

    Attributes:
        suffix: of its files.
        encode: makes a whole file of rows; the same rows give the same bytes.
        rows: the rows of a file.
        table: the rows of a file as a table of PyArrow.
    """

    suffix: str
    encode: Callable[[Sequence[Row]], bytes]
    rows: Callable[[bytes], list[Row]]
    table: Callable[[bytes], pa.Table]


def _to_parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with_maps = any("class_map" in prediction for each in rows for prediction in each["predictions"])
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema(with_maps)), file, compression="zstd")
    return file.getvalue()


def _from_parquet(content: bytes) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(content)) as file:
        return file.read(use_threads=False)


def _to_lines(rows: Sequence[Row]) -> bytes:
    """Exactly what `boxless locate --json` prints."""
    return "".join(json.dumps(each, ensure_ascii=False, allow_nan=False) + "\n" for each in rows).encode("utf-8")


def _from_lines(content: bytes) -> list[Row]:
    return [json.loads(line) for line in content.splitlines()]


def _table_of_lines(content: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(_from_lines(content), schema=schema(with_maps=False))


FORMATS: dict[str, Format] = {
    "parquet": Format(".parquet", _to_parquet, lambda content: list(_from_parquet(content).to_pylist()), _from_parquet),
    "jsonl": Format(".jsonl", _to_lines, _from_lines, _table_of_lines),
}
"""By the name that `--format` takes."""


def format_of(name: str) -> Format:
    """The format of that name; ResultsError if there is none."""
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
