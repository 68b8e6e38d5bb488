"""What a folder of results says of the run that made it: run.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from boxless.batch.folder import Folder
from boxless.batch.formats import FORMATS
from boxless.batch.job import Job
from boxless.batch.shards import Shards
from boxless.errors import ResultsError

MANIFEST = "run.json"

_SIZE = "images per shard"


@dataclass(frozen=True)
class Manifest:
    """The run that made, or makes, what is in a folder.

    Attributes:
        settings: what decides the rows, by name.
        finished: how many images there were; None while the run is not finished.
        typical_activation: of the model; see `Localization`.
        column: that names the images in tables and Parquet files.
        sources: as they were given.
    """

    settings: dict[str, Any]
    finished: int | None = None
    typical_activation: float = 10.0
    column: str | None = None
    sources: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        right = {
            "settings": isinstance(self.settings, dict)
            and type(self.settings.get(_SIZE)) is int
            and self.settings[_SIZE] > 0,
            "finished": self.finished is None or (type(self.finished) is int and self.finished >= 0),
            "typical_activation": type(self.typical_activation) in (int, float)
            and isfinite(self.typical_activation)
            and self.typical_activation > 0,
            "column": self.column is None or isinstance(self.column, str),
            "sources": isinstance(self.sources, list),
        }
        for name, is_right in right.items():
            if not is_right:
                raise ValueError(f"{name} is {str(getattr(self, name))[:50]!r}")

    @property
    def shard(self) -> int:
        """Images a shard."""
        return int(self.settings[_SIZE])


def planned(job: Job) -> Manifest:
    """The manifest of a job that is not begun.

    Args:
        job: in hand.

    Returns:
        The manifest.

    Raises:
        ModelFileError, UnknownPresetError, UnknownClassError: if there is no such thing.
    """
    card = job.settings.card
    return Manifest(
        {**job.settings.recorded(card), "format": job.format, _SIZE: job.shard},
        typical_activation=card.typical_activation,
        column=job.column,
        sources=[spec for spec in job.sources if isinstance(spec, str)],
    )


def begin(folder: Folder, now: Manifest, *, resume: bool, force: bool) -> Manifest:
    """Resumes the run that is in a folder, or begins one.

    Args:
        folder: of the results.
        now: of the run in hand.
        resume: whether to resume what is there; else everything is made anew.
        force: whether what is there may be removed for that.

    Returns:
        The manifest that is in the folder now.

    Raises:
        ResultsError: if what is there is of another run, or may not be removed.
    """
    there = [
        (each, number) for kind in FORMATS.values() for each in [Shards(folder, kind, 1)] for number in each.numbers()
    ]
    then = read_manifest(folder)
    if not resume and (there or then is not None):
        if not force:
            raise ResultsError(
                f"{folder}: {len(there)} files of results are there; resume them (without --no-resume), or replace "
                "them with --no-resume --force"
            )
        for shards, number in there:
            shards.remove(number)
        then, there = None, []
    if then is None:
        if there:
            shards, number = there[0]
            raise ResultsError(f"{folder}: {shards.name(number)}, but no {MANIFEST} that says how it was made")
        write_manifest(folder, now)
        return now
    if differing := differences(then.settings, now.settings):
        raise ResultsError(
            f"{folder}: holds results of other settings: {'; '.join(differing)}. Use the same, another folder, or "
            "start anew with --no-resume --force"
        )
    return then


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    """Writes run.json.

    Raises:
        DiskSpaceError, ResultsError: if it cannot be written.
    """
    text = json.dumps(vars(manifest), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    folder.write(MANIFEST, text.encode("utf-8", "replace"))


def read_manifest(folder: Folder) -> Manifest | None:
    """What a folder says of its run.

    Args:
        folder: of results.

    Returns:
        Its manifest; None where there is none.

    Raises:
        ResultsError: if that is damaged.
    """
    try:
        return Manifest(**json.loads(folder.read(MANIFEST)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ResultsError(f"{folder}: a damaged {MANIFEST} ({error}); remove it together with the results") from None


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What two runs' settings differ in, in words."""
    plain_now = json.loads(json.dumps(now))
    return [
        f"{name} {_said(then.get(name))} then, {_said(plain_now.get(name))} now"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != plain_now.get(name)
    ]


def _said(value: object) -> str:
    return "none" if value is None else str(value)
