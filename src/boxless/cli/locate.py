"""boxless locate: pictures in; classes, boxes, heat maps out."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.device import DeviceOption, use_device
from boxless.cli.engines import Address, Workers
from boxless.models.presets import DEFAULT_PRESET, DEFAULT_SHARD, DEFAULT_TOP
from boxless.models.zoo import DEFAULT_MODEL


def locate(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Pictures, folders, - for standard input; or a clip, a camera (0), a stream (rtsp://...).",
        ),
    ],
    preset: Annotated[str, typer.Option(metavar="PRESET", help="fast, balanced or best.")] = DEFAULT_PRESET,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help=f"A model's name or file; boxless models says which it is else, and with --out {DEFAULT_MODEL}.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many of the most probable classes.")] = DEFAULT_TOP,
    classes: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME", help="Look for this class instead (repeatable)."),
    ] = None,
    min_probability: Annotated[
        float, typer.Option(metavar="P", min=0, max=1, help="Leave out less probable predictions.")
    ] = 0.0,
    include_absent: Annotated[
        bool, typer.Option("--include-absent", help="Box what counts as absent too, wherever anything speaks for it.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw heat maps and boxes over the pictures.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write score maps (NumPy, float32 in [0, 1]).")
    ] = None,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw all pictures on one contact sheet.")] = None,
    every: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Of a clip, look at each N-th frame only.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Write rows in shards to this folder or address; PATHS may be sources of any size."
        ),
    ] = None,
    format: Annotated[str, typer.Option(metavar="KIND", help="Of --out: parquet or jsonl.")] = "parquet",
    shard: Annotated[int, typer.Option(metavar="N", min=1, help="Of --out: pictures a file.")] = DEFAULT_SHARD,
    column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of --out: names the pictures in CSV and Parquet sources.")
    ] = None,
    keep_maps: Annotated[
        str | None, typer.Option(metavar="KIND", help="Of --out: keep class maps, as float16 or uint8.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Of --out: go on with what is there, or make all anew.")] = True,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="Of --out: local, or ray.")] = "local",
    address: Address = None,
    workers: Workers = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the contact sheet, or (--no-resume) the results, that are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")] = False,
    device: DeviceOption = None,
) -> None:
    """Find what is in pictures, and where.

    Exit status: 0 all done; 1 some pictures failed, the rest are done; 2 wrong usage.
    """
    use_device(device)
    # Typer reads this file for --help, which is to be instant: what is heavy is imported when there is work.
    from boxless.cli.inputs import inputs_of
    from boxless.cli.loudness import detail
    from boxless.cli.outputs import Outputs, check_sheet
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.report import Report
    from boxless.cli.video import is_clip, locate_clip
    from boxless.localizer import Localizer

    if out is not None:
        from boxless.batch.job import Job
        from boxless.batch.settings import Settings
        from boxless.cli.long_run import engine_of, long_run

        if save or maps or sheet or as_json:
            raise typer.BadParameter("with --out, see boxless results for drawings and JSON", param_hint="--out")
        settings = Settings(
            model or DEFAULT_MODEL,
            preset,
            top,
            tuple(classes) if classes else None,
            min_probability,
            include_absent,
            keep_maps,
        )
        job = Job(tuple(paths), out, settings, format, shard, column)
        long_run(job, engine_of(engine, address, workers), resume, force)
        return
    if is_clip(paths, every):
        asked = {"top": top, "classes": classes, "min_probability": min_probability, "include_absent": include_absent}
        locate_clip(paths[0], model, preset, asked, every or 1, save, maps or sheet, as_json)
        return
    if sheet:
        check_sheet(sheet)
        ask_before_overwriting(sheet, force, "--sheet")
    localizer = Localizer(model, preset)
    if maps:
        localizer.card.need_maps("--maps")
    inputs = inputs_of(paths, save, maps, sheet)
    detail(f"{len(inputs)} pictures, {localizer.card.name}, {preset}: {localizer.preset}")
    results = localizer.locate_many(
        (sys.stdin.buffer.read() if each.name == "-" else each.name for each in inputs),
        top=top,
        classes=classes,
        min_probability=min_probability,
        include_absent=include_absent,
    )
    failed = 0
    with Report(as_json, total=len(inputs)) as report, Outputs(save, maps, sheet) as outputs:
        for each, result in zip(inputs, results, strict=True):
            found = replace(result, image=each.name)
            failed += found.error is not None
            report.add(found)
            outputs.add(found, each.place)
    if failed:
        raise typer.Exit(1)
