"""What a folder of results says of the run that made it: run.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from boxless.batch.folder import Folder
from boxless.batch.formats import FORMATS
from boxless.batch.job import Job
from boxless.batch.shards import shard_name, shards_in
from boxless.errors import ResultsError

MANIFEST = "run.json"


class Manifest:
    """The run that made, or makes, what is in a folder.

    Args:
        folder: of the results.
        job: that is in hand.
    """

    def __init__(self, folder: Folder, job: Job) -> None:
        self._folder = folder
        card = job.settings.card
        self._now = {**job.settings.recorded(card), "format": job.format, "pictures a shard": job.shard}
        self._said = {
            "typical activation": card.typical_activation,
            "sources": list(job.sources),
            "column": job.column,
        }

    def begin(self, resume: bool, force: bool) -> int | None:
        """Goes on with the run that is there, or begins one.

        Args:
            resume: whether to go on with what is there; else everything is made anew.
            force: whether what is there may be removed for that.

        Returns:
            How many pictures there were, if the run was finished before; else None.

        Raises:
            ResultsError: if what is there is of another run, or may not be removed.
        """
        there = [shard_name(n, kind.suffix) for kind in FORMATS.values() for n in shards_in(self._folder, kind)]
        then = read_manifest(self._folder)
        if not resume and (there or then is not None):
            if not force:
                raise ResultsError(
                    f"{self._folder}: {len(there)} files of results are there; go on with them (without --no-resume), "
                    "or replace them with --no-resume --force"
                )
            for name in there:
                self._folder.remove(name)
            then, there = None, []
        if then is None:
            if there:
                raise ResultsError(f"{self._folder}: {there[0]}, but no {MANIFEST} that says how it was made")
            self._write(None)
            return None
        if differing := differences(then["settings"], self._now):
            raise ResultsError(
                f"{self._folder}: holds results of other settings: {'; '.join(differing)}. Use the same, another "
                "folder, or make all anew with --no-resume --force"
            )
        finished: int | None = then["finished"]
        return finished

    def finish(self, pictures: int) -> None:
        """Says that all is done."""
        self._write(pictures)

    def _write(self, finished: int | None) -> None:
        said = {"settings": self._now, **self._said, "finished": finished}
        self._folder.write(MANIFEST, (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """What a folder says of its run; None where it says nothing.

    Raises:
        ResultsError: if that is damaged.
    """
    try:
        with folder.open(MANIFEST) as file:
            said = json.loads(file.read())
        if not isinstance(said["settings"], dict) or "finished" not in said:
            raise ValueError("settings are missing")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ResultsError(f"{folder}: a damaged {MANIFEST} ({error}); remove it together with the results") from None
    manifest: dict[str, Any] = said
    return manifest


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What two runs' settings differ in, in words."""
    plain_now = json.loads(json.dumps(now))
    names = dict.fromkeys([*then, *now])
    return [
        f"{name} {_said(then.get(name))} then, {_said(plain_now.get(name))} now"
        for name in names
        if then.get(name) != plain_now.get(name)
    ]


def _said(value: object) -> str:
    return "none" if value is None else str(value)
