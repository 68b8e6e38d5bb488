"""Batch inference, started or resumed: finished work is never repeated, and nothing is lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from boxless.batch.formats import Row
from boxless.batch.item import Item
from boxless.batch.job import Job
from boxless.batch.manifest import begin, planned, write_manifest
from boxless.batch.rows import rows
from boxless.batch.shards import Done
from boxless.batch.sources import check
from boxless.system.extras import require

Failure = tuple[str, str]
"""An image's name, and why it could not be read."""

OnProgress: TypeAlias = "Callable[[int, Sequence[Failure]], object]"
"""Called with the number of images located since the last call, and the failures among them."""

Engine: TypeAlias = "Callable[[Job, int | None, Done, OnProgress], None]"
"""Processes all shards that are still to do; the number is the count of images if the run was finished before."""


@dataclass(frozen=True)
class Summary:
    """The outcome of a run.

    Attributes:
        images: the number of images with a row.
        failed: how many of them could not be read.
        before: how many of them earlier runs had processed.
        replaced: images that changed since earlier runs; their shards were made again.
        seconds: the duration of this run.
    """

    images: int
    failed: int
    before: int
    replaced: tuple[str, ...]
    seconds: float


def here(job: Job, finished: int | None, done: Done, on_progress: OnProgress) -> None:
    """The engine for one machine: keeps all cores busy, also between shards.

    Args:
        job, finished, done, on_progress: see `Engine`.

    Example:
        >>> import tempfile
        >>> from boxless.batch import Job
        >>> from boxless.batch.run import run
        >>> run(Job(("examples/pictures",), tempfile.mkdtemp(), format="jsonl"), engine=here).failed
        0
    """
    shards = job.shards
    under_way: deque[tuple[int, Item]] = deque()  # each with the number of its shard

    def items() -> Iterator[Item]:
        for number, shard in shards.to_do(job.items(), done, finished):
            for item in shard:
                under_way.append((number, item))
                yield item

    gathered: list[tuple[Item, Row]] = []

    def write() -> None:
        shards.write(number, *map(list, zip(*gathered, strict=True)))
        gathered.clear()

    for row in rows(job.settings.localizer(threads=1), items(), job.settings):
        number, item = under_way.popleft()
        gathered.append((item, row))
        on_progress(1, failures([row]))
        if len(gathered) == job.shard:
            write()
    if gathered:
        write()


def failures(gathered: Sequence[Row]) -> list[Failure]:
    """The images of rows that could not be read, and why."""
    return [(each["image"], each["error"]) for each in gathered if each["error"] is not None]


def run(
    job: Job,
    engine: Engine = here,
    on_progress: OnProgress = lambda images, failures: None,
    *,
    resume: bool = True,
    force: bool = False,
) -> Summary:
    """Locates all images of a job, and writes their rows in shards.

    Args:
        job: the job.
        engine: how its shards are processed.
        on_progress: called as images are done.
        resume: whether to resume an earlier run; otherwise start over.
        force: whether earlier results may be removed to start over.

    Returns:
        The number of images located, by this run and earlier ones.

    Raises:
        ResultsError: if another run uses the folder, or its results are of other settings or images.
        DatasetError: if a source cannot be read.
        MissingExtraError: if the format needs packages that are not installed.
        DiskSpaceError: if the disk is full; finished work is kept.

    Example:
        >>> import tempfile
        >>> from boxless.batch import Job, Settings
        >>> from boxless.batch.run import run
        >>> out = tempfile.mkdtemp()
        >>> run(Job(("examples/pictures",), out, Settings(preset="fast"), format="jsonl")).images
        3
    """
    start = time.perf_counter()
    check(job.sources)
    if job.format == "parquet":
        require("batch", "the format parquet (jsonl does not)")
    now, folder, done, counts = planned(job), job.shards.folder, Done(), [0, 0]

    def count(images: int, failures: Sequence[Failure]) -> None:
        counts[0] += images
        counts[1] += len(failures)
        on_progress(images, failures)

    with folder.lock():
        manifest = begin(folder, now, resume=resume, force=force)
        engine(job, manifest.finished, done, count)
        write_manifest(folder, replace(manifest, finished=done.seen))
    return Summary(
        done.images + counts[0],
        done.failed + counts[1],
        done.images,
        tuple(done.replaced),
        time.perf_counter() - start,
    )
