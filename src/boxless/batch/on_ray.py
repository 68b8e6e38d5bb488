"""The engine of many machines: the shards of a run by Ray Data, an actor a core."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from boxless.batch.cluster import Aside, Cluster
from boxless.batch.item import Item
from boxless.batch.job import Job
from boxless.batch.rows import rows
from boxless.batch.run import Failure, Tell, failures, write_shard
from boxless.batch.shards import Done, Shards
from boxless.models import zoo
from boxless.models.model_file import find_model

_THREADS = 2
"""Threads of an actor: while one runs the network on its core, the other reads the next picture."""


def on_ray(
    job: Job, shards: Shards, done: Done, tell: Tell, *, address: str | None = None, workers: int | None = None
) -> None:
    """Does the shards that are to do on a Ray cluster; see `boxless.batch.run.Engine`.

    One task walks through the names; each actor takes a shard, looks at its pictures and writes its file itself. All
    machines must reach the sources and the folder by the same names. See `Cluster.results` for the rest, errors too.

    Args:
        job, shards, done, tell: see `Engine`.
        address, workers: see `Cluster`.
    """
    for said in Cluster(address, workers).results(partial(_to_do, job, shards), partial(_Worker, job, _content(job))):
        if isinstance(said, Done):
            done.pictures, done.failed, done.seen = said.pictures, said.failed, said.seen
        else:
            tell(*said)


def _to_do(job: Job, shards: Shards) -> Iterator[object]:
    done = Done()
    for number, items in shards.to_do(job.items(), done):
        yield number, list(items)
    yield Aside(done)


class _Worker:
    """What an actor does with a shard, by one session of ONNX Runtime.

    Args:
        job: in hand.
        model: the model file's content; None for a model that comes with boxless.
    """

    def __init__(self, job: Job, model: bytes | None) -> None:
        if model is not None:
            with tempfile.TemporaryDirectory() as place:
                file = Path(place, "model.onnx")
                file.write_bytes(model)
                self._localizer = replace(job.settings, model=str(file)).localizer(threads=1)
        else:
            self._localizer = job.settings.localizer(threads=1)
        self._job = job

    def __call__(self, shard: tuple[int, list[Item]]) -> tuple[int, list[Failure]]:
        """Writes the shard's file, and says how many pictures it had and which failed."""
        number, items = shard
        found = list(rows(self._localizer, items, self._job.settings, _THREADS))
        write_shard(self._job, number, found)
        return len(found), failures(found)


def _content(job: Job) -> bytes | None:
    return None if job.settings.model in zoo.models() else find_model(job.settings.model).read_bytes()
