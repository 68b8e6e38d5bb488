"""boxless locate: images in; classes, boxes, heatmaps out. What is asked of an image is in `boxless.locate_options`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli import options
from boxless.locate_options import DEFAULT_NMS
from boxless.models.presets import DEFAULT_PRESET


def locate(
    paths: Annotated[
        list[str], typer.Argument(metavar="IMAGE", help="Images, folders of images, or - for standard input.")
    ],
    preset: options.Preset = DEFAULT_PRESET,
    model: options.Model = None,
    top: options.Top = None,
    classes: options.Classes = None,
    min_probability: options.MinProbability = 0.0,
    include_absent: options.IncludeAbsent = False,
    nms: options.Nms = DEFAULT_NMS,
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the images with heat maps and boxes drawn over them.")
    ] = None,
    save_maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write score maps (NumPy, float32 in [0, 1]).")
    ] = None,
    sheet: options.Sheet = None,
    force: options.Force = False,
    as_json: options.JsonLines = False,
    device: options.Device = None,
) -> None:
    """Find what is in images, and where.

    Exit status: 0 all done; 1 some images failed, the rest are done; 2 wrong usage.
    """
    # Typer reads this file for --help, which is to be instant: what is heavy is imported when there is work.
    from boxless.cli.inputs import inputs_of
    from boxless.cli.outputs import Outputs, check_sheet
    from boxless.cli.report import Report
    from boxless.cli.verbosity import detail
    from boxless.localizer import Localizer
    from boxless.locate_options import LocateOptions
    from boxless.video import is_video

    if clip := next((path for path in paths if is_video(path)), None):
        raise typer.BadParameter(f"{clip} is a clip, a camera or a stream: boxless video {clip}", param_hint="IMAGE")
    if sheet:
        check_sheet(sheet, force)
    localizer = Localizer(model, preset)
    if save_maps:
        localizer.card.need_maps("--save-maps")
    inputs = inputs_of(paths, save, save_maps, sheet)
    detail(f"{len(inputs)} images, {localizer.card.name}, {preset}: {localizer.preset}")
    results = localizer.locate_many(
        (sys.stdin.buffer.read() if each.name == "-" else each.name for each in inputs),
        LocateOptions(top, classes, min_probability, include_absent, nms),
    )
    failed = 0
    with Report(as_json, total=len(inputs)) as report, Outputs(save, save_maps, sheet) as outputs:
        for each, result in zip(inputs, results, strict=True):
            found = replace(result, image=each.name)
            failed += found.error is not None
            report.add(found)
            outputs.add(found, each.place)
    if failed:
        raise typer.Exit(1)
