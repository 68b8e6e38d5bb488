"""A long run, begun or gone on with: what is done is never done again, and nothing is lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from boxless.batch.item import Item
from boxless.batch.job import Job
from boxless.batch.manifest import Manifest
from boxless.batch.rows import Row, rows
from boxless.batch.shards import Done, Shards, shard_name
from boxless.batch.sources import check

Failure = tuple[str, str]
"""A picture's name, and why it could not be read."""

Tell: TypeAlias = "Callable[[int, Sequence[Failure]], object]"
"""Told how many pictures more were looked at, and which of them failed."""

Engine: TypeAlias = "Callable[[Job, Shards, Done, Tell], None]"
"""Does all shards that are to do."""


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        pictures: that have a row, in all.
        failed: of them could not be read.
        before: of them were done by earlier runs.
        seconds: that this run took.
    """

    pictures: int
    failed: int
    before: int
    seconds: float


def here(job: Job, shards: Shards, done: Done, tell: Tell) -> None:
    """The engine of one machine: all cores, without a stop between shards."""
    under_way: deque[int] = deque()  # the shard of each picture

    def items() -> Iterator[Item]:
        for number, shard in shards.to_do(job.items(), done):
            for item in shard:
                under_way.append(number)
                yield item

    gathered: list[Row] = []
    for each in rows(job.settings.localizer(threads=1), items(), job.settings):
        number = under_way.popleft()
        gathered.append(each)
        tell(1, failures([each]))
        if len(gathered) == job.shard:
            write_shard(job, number, gathered)
            gathered = []
    if gathered:
        write_shard(job, number, gathered)


def write_shard(job: Job, number: int, gathered: Sequence[Row]) -> None:
    """Writes a shard whole.

    Raises:
        DiskSpaceError, ResultsError: if it cannot be written.
    """
    job.folder.write(shard_name(number, job.kind.suffix), job.kind.encode(gathered))


def failures(gathered: Sequence[Row]) -> list[Failure]:
    """The pictures of rows that could not be read, and why."""
    return [(each["image"], each["error"]) for each in gathered if each["error"] is not None]


def run(
    job: Job,
    engine: Engine = here,
    tell: Tell = lambda pictures, failures: None,
    *,
    resume: bool = True,
    force: bool = False,
) -> Summary:
    """Looks at all pictures of a job, and writes their rows in shards.

    Args:
        job: what is to be done.
        engine: what does it.
        tell: told how far it is.
        resume, force: see `Manifest.begin`.

    Raises:
        ResultsError: if another run is at work in the folder, or what is there is of other settings or pictures.
        DatasetError: if a source cannot be read.
        MissingExtraError: if the format needs packages that are not installed.
        DiskSpaceError: if there is no room left; what was done stays.
    """
    start = time.perf_counter()
    check(job.sources)
    job.kind.load()
    folder, done, counts = job.folder, Done(), [0, 0]

    def count(pictures: int, failures: Sequence[Failure]) -> None:
        counts[0] += pictures
        counts[1] += len(failures)
        tell(pictures, failures)

    manifest = Manifest(folder, job)
    with folder.lock():
        finished = manifest.begin(resume, force)
        engine(job, Shards(folder, job.kind, job.shard, finished), done, count)
        manifest.finish(done.seen)
    return Summary(done.pictures + counts[0], done.failed + counts[1], done.pictures, time.perf_counter() - start)
