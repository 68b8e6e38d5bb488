"""boxless batch: any number of images, from folders, archives, tables and buckets, into shards of results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli import options
from boxless.cli.verbosity import say
from boxless.locate_options import DEFAULT_NMS
from boxless.models.presets import DEFAULT_PRESET, DEFAULT_SHARD
from boxless.models.zoo import quick_model

if TYPE_CHECKING:
    from boxless.batch.job import Job
    from boxless.batch.run import Engine as Runs

_NAMED = 20
"""Failures that are named one by one; the rest are in the results."""


def batch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Images, folders, patterns, lists, tar and zip archives, CSV and Parquet files, also at addresses.",
        ),
    ],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder, or address of one, for the shards of results.")],
    model: options.Model = None,
    preset: options.Preset = DEFAULT_PRESET,
    top: options.Top = None,
    classes: options.Classes = None,
    min_probability: options.MinProbability = 0.0,
    include_absent: options.IncludeAbsent = False,
    nms: options.Nms = DEFAULT_NMS,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the images in CSV and Parquet files.")
    ] = None,
    shard_format: Annotated[str, typer.Option(metavar="FORMAT", help="parquet or jsonl.")] = "parquet",
    shard_size: Annotated[int, typer.Option(metavar="N", min=1, help="Images in a shard.")] = DEFAULT_SHARD,
    keep_maps: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Keep class maps in the results, as float16 or uint8.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Continue a run that was stopped, or start again.")] = True,
    engine: options.Engine = "local",
    address: options.Address = None,
    workers: options.Workers = None,
    force: options.Force = False,
    device: options.Device = None,
) -> None:
    """Find what is in any number of images, and write rows in shards.

    Stopped or killed, the same command continues from the last complete shard. boxless results shows what was found.
    Exit status: 0 all done; 1 some images failed, the rest are done; 2 wrong usage.
    """
    from boxless.batch.job import Job, Settings
    from boxless.batch.run import here
    from boxless.locate_options import LocateOptions

    runs: Runs = here
    if options.wants_ray(engine, address, workers, "boxless batch"):
        from boxless.batch.on_ray import on_ray

        runs = partial(on_ray, address=address, workers=workers)
    wanted = LocateOptions(top, classes, min_probability, include_absent, nms)
    settings = Settings(model or quick_model(), preset, wanted, keep_maps)
    job = Job(tuple(sources), out, settings, shard_format, shard_size, column)
    _run(job, runs, resume, force)


def _run(job: Job, engine: Runs, resume: bool, force: bool) -> None:
    """Runs a job and prints how it went: exit status 1 if images failed."""
    from boxless.batch.run import Failure, run
    from boxless.cli.progress import stages
    from boxless.cli.verbosity import note
    from boxless.system.extras import require
    from boxless.system.text import printable

    if job.format == "parquet":
        require("batch", "boxless batch --shard-format parquet (jsonl does not)")
    processed = named = 0
    with stages() as show:

        def on_progress(images: int, failures: Sequence[Failure]) -> None:
            nonlocal processed, named
            processed += images
            show("images", processed, None)
            for name, why in failures[: max(0, _NAMED - named)]:
                sys.stderr.write(f"{printable(name)}: {printable(why)}\n")
            named += len(failures)

        try:
            done = run(job, engine, on_progress, resume=resume, force=force)
        except KeyboardInterrupt:
            sys.stderr.write("boxless: stopped; the same command continues from the last complete shard\n")
            raise
    if named > _NAMED:
        sys.stderr.write(f"and {named - _NAMED} more: boxless results {job.out} --where 'error is not null'\n")
    if done.replaced:
        first = printable(done.replaced[0])
        note(f"{len(done.replaced):,} images changed since their rows were written ({first}, ...): located again")
    now = done.images - done.before
    say(f"images               {done.images:,} ({done.before:,} of them done before)")
    say(f"failed               {done.failed:,}")
    if now:
        say(f"time                 {done.seconds:.1f} s, {now / done.seconds:.1f} images a second")
    say(f"results              {job.out}")
    if done.failed:
        raise typer.Exit(1)
