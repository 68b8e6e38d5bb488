"""The files that rows are kept in: Parquet, or JSON, an object a line."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import IO, TYPE_CHECKING, Protocol

from boxless.batch.rows import Row
from boxless.errors import ResultsError
from boxless.system.extras import require

if TYPE_CHECKING:
    import pyarrow as pa

_KEY = b"boxless"
"""Under which a Parquet file says what it holds."""


@dataclass(frozen=True)
class Contents:
    """What a file of rows holds.

    Attributes:
        names: a digest of the pictures' names in their order; see `names_digest`.
        pictures: rows.
        failed: rows with an error.
    """

    names: str
    pictures: int
    failed: int


class Format(Protocol):
    """One way to keep rows. Both ways give back the same rows."""

    suffix: str

    def load(self) -> None:
        """Loads the packages that it is written with, before a picture is looked at in vain.

        Raises:
            MissingExtraError: if one is not installed.
        """

    def encode(self, rows: Sequence[Row]) -> bytes:
        """A whole file; the same rows give the same bytes."""

    def contents(self, file: IO[bytes]) -> Contents | None:
        """What a file holds; None if it is damaged."""

    def names(self, file: IO[bytes]) -> list[str]:
        """The pictures of a file that is whole."""

    def table(self, file: IO[bytes]) -> pa.Table:
        """All of a file as a table of PyArrow."""


def names_digest(names: Iterable[str]) -> str:
    """A digest of names in their order."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode("utf-8") + b"\0")
    return digest.hexdigest()


class Parquet:
    """Parquet by PyArrow: a row a picture, predictions and boxes nested in it."""

    suffix = ".parquet"

    def load(self) -> None:
        """PyArrow; see `Format`."""
        require("batch", "the format parquet (jsonl does not)")
        import pyarrow.parquet  # noqa: F401

    def encode(self, rows: Sequence[Row]) -> bytes:
        """A whole file; see `Format`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        said = json.dumps(asdict(_contents(rows))).encode()
        with_maps = any("class_map" in prediction for each in rows for prediction in each["predictions"])
        table = pa.Table.from_pylist(list(rows), schema=schema(with_maps).with_metadata({_KEY: said}))
        file = io.BytesIO()
        pq.write_table(table, file, compression="zstd")
        return file.getvalue()

    def contents(self, file: IO[bytes]) -> Contents | None:
        """Read from the file's end, without its rows; see `Format`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            whole = pq.read_metadata(file)
            said = Contents(**json.loads(whole.metadata[_KEY]))
            return said if said.pictures == whole.num_rows else None
        except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
            return None

    def names(self, file: IO[bytes]) -> list[str]:
        """See `Format`."""
        import pyarrow.parquet as pq

        found: list[str] = pq.read_table(file, columns=["image"])["image"].to_pylist()
        return found

    def table(self, file: IO[bytes]) -> pa.Table:
        """See `Format`."""
        import pyarrow.parquet as pq

        return pq.read_table(file)


class JsonLines:
    """JSON, an object a line: exactly what `boxless locate --json` prints."""

    suffix = ".jsonl"

    def load(self) -> None:
        """Nothing; see `Format`."""

    def encode(self, rows: Sequence[Row]) -> bytes:
        """A whole file; see `Format`."""
        return "".join(json.dumps(each, ensure_ascii=False, allow_nan=False) + "\n" for each in rows).encode("utf-8")

    def contents(self, file: IO[bytes]) -> Contents | None:
        """See `Format`."""
        content = file.read()
        if not content.endswith(b"\n"):
            return None
        try:
            return _contents([json.loads(line) for line in content.splitlines()])
        except (ValueError, KeyError, TypeError):
            return None

    def names(self, file: IO[bytes]) -> list[str]:
        """See `Format`."""
        return [json.loads(line)["image"] for line in file]

    def table(self, file: IO[bytes]) -> pa.Table:
        """See `Format`."""
        import pyarrow as pa

        return pa.Table.from_pylist([json.loads(line) for line in file], schema=schema(False))


FORMATS: dict[str, Format] = {"parquet": Parquet(), "jsonl": JsonLines()}


def format_of(name: str) -> Format:
    """The format of that name.

    Raises:
        ResultsError: if there is none.
    """
    if name not in FORMATS:
        raise ResultsError(f"no format '{name}' (expected {' or '.join(FORMATS)})")
    return FORMATS[name]


@cache
def schema(with_maps: bool) -> pa.Schema:
    """The schema of a table of rows, for PyArrow; floats of 64 bits, so that they are those of `as_dict`."""
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
            ("error", pa.string()),
        ]
    )


def _contents(rows: Sequence[Row]) -> Contents:
    return Contents(
        names=names_digest(each["image"] for each in rows),
        pictures=len(rows),
        failed=sum(each["error"] is not None for each in rows),
    )
