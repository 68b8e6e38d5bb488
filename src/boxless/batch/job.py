"""Batch inference: which images, how they are located, where results go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from boxless.batch.folder import folder_at
from boxless.batch.formats import format_of
from boxless.batch.item import Item
from boxless.batch.settings import Settings
from boxless.batch.shards import Shards
from boxless.batch.sources import images
from boxless.errors import ResultsError
from boxless.models.presets import DEFAULT_SHARD


@dataclass(frozen=True)
class Job:
    """Everything that machines must agree on to process parts of the same run.

    Attributes:
        sources: see `boxless.batch.sources.images`.
        out: the folder of the results, or its address.
        settings: how images are located.
        format: of the files, "parquet" or "jsonl".
        shard: images a file, at least 1.
        column: the column of image names in tables and Parquet files.

    Raises:
        ResultsError: if there is no such format, or if it cannot hold what is wanted.
        ValueError: if a shard is to have no images.

    Example:
        >>> from boxless.batch import Job, Settings
        >>> job = Job(("examples/pictures",), "results", Settings(preset="fast"), format="jsonl")
        >>> [item.name for item in job.items()][:1]
        ['examples/pictures/chelsea.jpg']
    """

    sources: tuple[str | Item, ...]
    out: str
    settings: Settings = field(default_factory=Settings)
    format: str = "parquet"
    shard: int = DEFAULT_SHARD
    column: str | None = None

    def __post_init__(self) -> None:
        if self.shard < 1:
            raise ValueError(f"shard is {self.shard} images (expected at least 1)")
        format_of(self.format)
        if self.settings.maps and self.format != "parquet":
            raise ResultsError(f"maps are kept in Parquet only (found the format {self.format})")
        if self.settings.masks and self.format != "jsonl":
            raise ResultsError(f"masks are kept in JSON only (found the format {self.format})")

    @property
    def shards(self) -> Shards:
        """Where results go."""
        return Shards(folder_at(self.out), format_of(self.format), self.shard)

    def items(self) -> Iterator[Item]:
        """The images of the job.

        Returns:
            They are listed as they are drawn, from the first one.
        """
        return images(self.sources, self.column)
