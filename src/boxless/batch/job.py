"""Batch inference: which images, how they are located, where results go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boxless._version import __version__
from boxless.batch.folder import folder_at
from boxless.batch.formats import format_of
from boxless.batch.item import Item
from boxless.batch.shards import Shards
from boxless.batch.sources import images
from boxless.errors import ModelFileError, ResultsError
from boxless.localizer import Localizer
from boxless.locate_options import LocateOptions
from boxless.models.card import Card
from boxless.models.model_file import ModelFile, find_model
from boxless.models.presets import DEFAULT_SHARD
from boxless.models.zoo import quick_model

_MAP_KINDS = ("float16", "uint8")


@dataclass(frozen=True)
class Settings:
    """How images are located, and what is written of them.

    Attributes:
        model: a model's name, or its file's path; by default that of this machine, see
            `boxless.models.zoo.quick_model`.
        preset: its name; the model's default where None.
        locate: what is wanted of each image.
        maps: whether class maps are kept in the rows, and in which numbers: "float16", "uint8", or None for none.
        masks: whether the pixels of each box are kept in the rows, as run lengths.

    Raises:
        ResultsError: for numbers that maps are not kept in.

    Example:
        >>> from boxless.batch import Settings
        >>> Settings("efficientnet-lite0", preset="fast").localizer()
        <Localizer efficientnet-lite0, fast: 1000 classes>
    """

    model: str = field(default_factory=quick_model)
    preset: str | None = None
    locate: LocateOptions = field(default_factory=LocateOptions)
    maps: str | None = None
    masks: bool = False

    def __post_init__(self) -> None:
        if self.maps is not None and self.maps not in _MAP_KINDS:
            raise ResultsError(f"no kind of maps '{self.maps}' (expected {' or '.join(_MAP_KINDS)})")

    def localizer(self, threads: int = 0) -> Localizer:
        """The localizer of these settings.

        Args:
            threads: as for `Localizer`.

        Returns:
            A localizer, the model's file opened.

        Raises:
            ModelFileError, UnknownPresetError: if there is no such thing.
        """
        return Localizer(self.model, self.preset, threads=threads)

    @property
    def card(self) -> Card:
        """What the model says of itself.

        Raises:
            ModelFileError: if there is no such model.
        """
        return ModelFile(self.model, threads=1).card

    def recorded(self, card: Card) -> dict[str, Any]:
        """What another run must have in common to give the same rows, by name.

        The model by what is in its file, wherever that is.

        Args:
            card: the model's.

        Returns:
            Plain data.

        Raises:
            UnknownPresetError, UnknownClassError: if the model has no such thing.
            ModelFileError: if maps or masks are to be kept of a detector.
        """
        if self.maps or self.masks:
            card.need_maps("keeping maps or masks")
        preset = self.preset or card.default_preset
        card.preset(preset)
        wanted = self.locate
        return {
            **asdict(wanted),
            "maps": self.maps,
            "masks": self.masks,
            "model": f"{card.name}, SHA-256 {_digest(find_model(self.model))}",
            "preset": preset,
            "classes": None if wanted.classes is None else [card.class_index(each) for each in wanted.classes],
            "boxless": __version__,
        }


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


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read ({error.strerror or error})") from None
