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
from boxless.batch.run import Failure, OnProgress, failures
from boxless.batch.shards import Done
from boxless.models import zoo
from boxless.models.model_file import find_model

_THREADS = 2
"""Threads of an actor: while one runs the network on its core, the other reads the next image."""


def on_ray(
    job: Job,
    finished: int | None,
    done: Done,
    on_progress: OnProgress,
    *,
    address: str | None = None,
    workers: int | None = None,
) -> None:
    """Does the shards that are to do on a Ray cluster; see `boxless.batch.run.Engine`.

    One task walks through the names; each actor takes a shard, locates its images and writes its file itself. All
    machines must reach the sources and the folder by the same names.

    Args:
        job, finished, done, on_progress: see `Engine`.
        address, workers: see `Cluster`.

    Raises:
        ResultsError: see `Cluster.results`.

    Example:
        >>> from functools import partial
        >>> from boxless.batch import Job
        >>> from boxless.batch.run import run
        >>> job = Job(("s3://bucket/images",), "s3://bucket/results")
        >>> run(job, partial(on_ray, address="auto")).images  # doctest: +SKIP
        1000000
    """
    model = job.settings.model
    work = partial(_Worker, job, None if model in zoo.models() else find_model(model).read_bytes())
    for result in Cluster(address, workers).results(partial(_to_do, job, finished), work):
        if isinstance(result, Done):
            vars(done).update(vars(result))
        else:
            on_progress(*result)


def _to_do(job: Job, finished: int | None) -> Iterator[object]:
    done = Done()
    for number, items in job.shards.to_do(job.items(), done, finished):
        yield number, list(items)
    yield Aside(done)


class _Worker:
    """Processes shards in a Ray actor, with one session; `model` is the file's content, None for a bundled one."""

    def __init__(self, job: Job, model: bytes | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            settings = job.settings
            if model is not None:
                file = Path(folder, "model.onnx")
                file.write_bytes(model)
                settings = replace(settings, model=str(file))
            self._localizer = settings.localizer(threads=1)
        self._job = job

    def __call__(self, shard: tuple[int, list[Item]]) -> tuple[int, list[Failure]]:
        """Writes the shard's file; returns the number of its images and the failures."""
        number, items = shard
        found = list(rows(self._localizer, items, self._job.settings, _THREADS))
        self._job.shards.write(number, items, found)
        return len(found), failures(found)
