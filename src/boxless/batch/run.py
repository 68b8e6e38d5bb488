"""Batch inference, begun or resumed: what is done is never done again, and nothing is lost."""

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
"""Called with how many images more were located, and which of them failed."""

Engine: TypeAlias = "Callable[[Job, int | None, Done, OnProgress], None]"
"""Does all shards that are to do; the number is that of the images, if the run was finished before."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        images: that have a row, in all.
        failed: of them could not be read.
        before: of them were done by earlier runs.
        replaced: images that changed since earlier runs; their shards were made again.
        seconds: that this run took.
    """

    images: int
    failed: int
    before: int
    replaced: tuple[str, ...]
    seconds: float


def here(job: Job, finished: int | None, done: Done, on_progress: OnProgress) -> None:
    """The engine of one machine: all cores, without a stop between shards.

    Args:
        job, finished, done, on_progress: see `Engine`.
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
        job: what is to be done.
        engine: what does it.
        on_progress: called as images are done.
        resume: whether to resume what is there; else everything is made anew.
        force: whether what is there may be removed for that.

    Returns:
        How many images were located, now and before.

    Raises:
        ResultsError: if another run is at work in the folder, or what is there is of other settings or images.
        DatasetError: if a source cannot be read.
        MissingExtraError: if the format needs packages that are not installed.
        DiskSpaceError: if there is no room left; what was done stays.

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
