"""A long run: which pictures, how they are looked at, where results go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from boxless.batch.folder import Folder, folder_at
from boxless.batch.formats import Format, format_of
from boxless.batch.item import Item
from boxless.batch.settings import Settings
from boxless.batch.sources import pictures
from boxless.errors import ResultsError
from boxless.models.presets import DEFAULT_SHARD


@dataclass(frozen=True)
class Job:
    """Everything that two machines must agree on to do parts of the same run.

    Attributes:
        sources: see `boxless.batch.sources.pictures`.
        out: the folder of the results, or its address.
        settings: how pictures are looked at.
        format: of the files, "parquet" or "jsonl".
        shard: pictures a file, at least 1.
        column: that names the pictures in tables and Parquet files.

    Raises:
        ResultsError: if there is no such format, or if it cannot hold what is wanted.
        ValueError: if a shard is to have no pictures.
    """

    sources: tuple[str, ...]
    out: str
    settings: Settings = field(default_factory=Settings)
    format: str = "parquet"
    shard: int = DEFAULT_SHARD
    column: str | None = None

    def __post_init__(self) -> None:
        if self.shard < 1:
            raise ValueError(f"shard is {self.shard} pictures (expected at least 1)")
        format_of(self.format)
        if self.settings.maps and self.format != "parquet":
            raise ResultsError(f"maps are kept in Parquet only (found the format {self.format})")

    @property
    def folder(self) -> Folder:
        """Where results go."""
        return folder_at(self.out)

    @property
    def kind(self) -> Format:
        """What they are kept in."""
        return format_of(self.format)

    def items(self) -> Iterator[Item]:
        """The pictures, anew from the first."""
        return pictures(self.sources, self.column)
