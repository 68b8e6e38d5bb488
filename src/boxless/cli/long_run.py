"""What batch inference prints: how far it is, what failed, and what was done."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

import typer

from boxless.batch.job import Job
from boxless.batch.run import Engine, Failure, here, run
from boxless.cli.engines import wants_ray
from boxless.cli.loudness import note
from boxless.cli.progress import stages
from boxless.cli.report import one_line
from boxless.system.extras import require

_NAMED = 20
"""Failures that are named one by one; the rest are in the results."""


def long_run(job: Job, engine: Engine, resume: bool, force: bool) -> None:
    """Runs a job, and says how it went: exit status 1 if images failed.

    Args:
        job: what is to be done.
        engine: what does it.
        resume, force: see `boxless.batch.run.run`.
    """
    if job.format == "parquet":
        require("batch", "boxless locate --format parquet (--format jsonl does not)")
    located = named = 0
    with stages() as show:

        def on_progress(images: int, failures: Sequence[Failure]) -> None:
            nonlocal located, named
            located += images
            show("images", located, None)
            for name, why in failures[: max(0, _NAMED - named)]:
                sys.stderr.write(f"{one_line(name)}: {one_line(why)}\n")
            named += len(failures)

        try:
            done = run(job, engine, on_progress, resume=resume, force=force)
        except KeyboardInterrupt:
            sys.stderr.write("boxless: stopped; the same command goes on from the last whole shard\n")
            raise
    if named > _NAMED:
        sys.stderr.write(f"and {named - _NAMED} more: boxless results {job.out} --where error\n")
    if done.replaced:
        first = one_line(done.replaced[0])
        note(f"{len(done.replaced):,} images changed since their rows were written ({first}, ...): located again")
    now = done.images - done.before
    typer.echo(f"images               {done.images:,} ({done.before:,} of them done before)")
    typer.echo(f"failed               {done.failed:,}")
    if now:
        typer.echo(f"time                 {done.seconds:.1f} s, {now / done.seconds:.1f} images a second")
    typer.echo(f"results              {job.out}")
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
