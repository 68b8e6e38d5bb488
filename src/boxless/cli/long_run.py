"""What `boxless locate --out` prints: how far it is, what failed, and what was done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import typer

from boxless.batch.job import Job
from boxless.batch.run import Engine, Failure, here, run
from boxless.cli.engines import wants_ray
from boxless.cli.loudness import say
from boxless.cli.progress import stages
from boxless.system.extras import require
from boxless.system.text import printable

_TOLD = 20
"""Failures that are named one by one; the rest are in the results."""


def long_run(job: Job, engine: Engine, resume: bool, force: bool) -> None:
    """Runs a job, and says how it went: exit status 1 if pictures failed.

    Args:
        job: what is to be done.
        engine: what does it.
        resume, force: see `boxless.batch.run.run`.
    """
    if job.format == "parquet":
        require("batch", "boxless locate --format parquet (--format jsonl does not)")
    looked_at = told = 0
    with stages() as show:

        def tell(pictures: int, failures: Sequence[Failure]) -> None:
            nonlocal looked_at, told
            looked_at += pictures
            show("pictures", looked_at, None)
            for name, why in failures[: max(0, _TOLD - told)]:
                sys.stderr.write(f"{printable(name)}: {printable(why)}\n")
            told += len(failures)

        try:
            done = run(job, engine, tell, resume=resume, force=force)
        except KeyboardInterrupt:
            sys.stderr.write("boxless: stopped; the same command goes on from the last whole shard\n")
            raise
    if told > _TOLD:
        sys.stderr.write(f"and {told - _TOLD} more: boxless results {job.out} --where error\n")
    now = done.pictures - done.before
    say(f"pictures             {done.pictures:,} ({done.before:,} of them done before)")
    say(f"failed               {done.failed:,}")
    if now:
        say(f"time                 {done.seconds:.1f} s, {now / done.seconds:.1f} pictures a second")
    say(f"results              {job.out}")
    if done.failed:
        raise typer.Exit(1)


def engine_of(name: str, address: str | None, workers: int | None) -> Engine:
    """The engine of that name.

    Args:
        name, address, workers: see `wants_ray`.
    """
    if not wants_ray(name, address, workers, "boxless locate"):
        return here
    from boxless.batch.on_ray import on_ray

    return partial(on_ray, address=address, workers=workers)
