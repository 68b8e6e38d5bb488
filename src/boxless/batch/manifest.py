"""The record of the run that made a folder of results: run.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
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
    """The run that made the results in a folder, or is making them.

    Attributes:
        settings: all settings that affect the rows, by name.
        finished: the number of images; None while the run is unfinished.
        typical_activation: that of the model; see `Localization`.
        column: the column of image names in tables and Parquet files.
        sources: the sources that the user named.
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
        """Images per shard."""
        return int(self.settings[_SIZE])


def planned(job: Job) -> Manifest:
    """The manifest of a job before it starts; raises what is wrong with its model, preset or classes."""
    card = job.settings.card
    return Manifest(
        {**job.settings.recorded(card), "format": job.format, _SIZE: job.shard},
        typical_activation=card.typical_activation,
        column=job.column,
        sources=[spec for spec in job.sources if isinstance(spec, str)],
    )


def begin(folder: Folder, now: Manifest, *, resume: bool, force: bool) -> Manifest:
    """Resumes the run in a folder, or starts one; `force` allows to remove earlier results to start over.

    Returns:
        The manifest that is in the folder now.

    Raises:
        ResultsError: if the folder holds results of another run, or results that may not be removed.
    """
    there = [
        (each, number) for kind in FORMATS.values() for each in [Shards(folder, kind, 1)] for number in each.numbers()
    ]
    then = read_manifest(folder)
    if not resume and (there or then is not None):
        if not force:
            raise ResultsError(
                f"{folder}: already holds {len(there)} files of results; resume them (without --no-resume), or "
                "replace them with --no-resume --force"
            )
        for shards, number in there:
            shards.remove(number)
        then, there = None, []
    if then is None:
        if there:
            shards, number = there[0]
            raise ResultsError(
                f"{folder}: holds {shards.name(number)}, but no {MANIFEST} that records how it was made "
                "(expected both, or an empty folder)"
            )
        write_manifest(folder, now)
        return now
    if differing := differences(then.settings, now.settings):
        raise ResultsError(
            f"{folder}: holds results of other settings: {'; '.join(differing)}. Use the same settings or another "
            "folder, or start over with --no-resume --force"
        )
    return then


def write_manifest(folder: Folder, manifest: Manifest) -> None:
    """Writes run.json."""
    text = json.dumps(vars(manifest), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    folder.write(MANIFEST, text.encode("utf-8", "replace"))


def read_manifest(folder: Folder) -> Manifest | None:
    """Reads the manifest of a folder: None if there is none, ResultsError if it is damaged."""
    try:
        found = json.loads(folder.read(MANIFEST))
        if unknown := set(found) - {each.name for each in fields(Manifest)}:
            raise ValueError(f"unknown {', '.join(sorted(unknown))}")
        return Manifest(**found)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ResultsError(f"{folder}: a damaged {MANIFEST} ({error}); remove it together with the results") from None


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The differences between the settings of two runs, in words."""
    plain_now = json.loads(json.dumps(now))
    return [
        f"{name} {_shown(then.get(name))} then, {_shown(plain_now.get(name))} now"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != plain_now.get(name)
    ]


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
