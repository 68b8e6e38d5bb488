"""boxless fit: a model of your own classes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli import options
from boxless.models.zoo import DEFAULT_MODEL


def fit(
    images: options.LabelledFolder,
    out: options.OutFile,
    backbone: options.Backbone = DEFAULT_MODEL,
    val: options.Validation = None,
    separator: options.Separator = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            min=32,
            max=1024,
            help="Input size for classification [default: 224 or 448, by cross-validation].",
        ),
    ] = None,
    localization_size: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            min=32,
            max=2048,
            help="Input size for localization maps [default: chosen from the data].",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="PRESET", help="Preset for the report's heatmaps [default: the model's].")
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            metavar="BOXES",
            help="A few boxed images of each class (COCO .json, .csv, a folder): they choose how it is localized, and "
            "set thresholds.",
        ),
    ] = None,
    report: options.LearningReport = None,
    licence: options.Licence = "unknown",
    seed: options.Seed = 0,
    engine: options.Engine = "local",
    address: options.Address = None,
    workers: options.Workers = None,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Learn your own classes from labelled images: no boxes, no training framework.

    The frozen backbone's features are kept on disk, so that another run, or one that was stopped, continues from there.
    """
    from boxless.system.extras import require

    require("fit", "boxless fit")
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import stages
    from boxless.cli.training_report import print_made, write_report
    from boxless.datasets.csv import Columns
    from boxless.datasets.split import read_split
    from boxless.learning.head.features import here
    from boxless.learning.head.fit import fit as fit_images
    from boxless.models.model_file import ModelFile
    from boxless.system.html_page import PAGE

    ask_before_overwriting(out, force)
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    if preset is not None:
        ModelFile(backbone).card.preset(preset)
    engine_ = here
    if options.wants_ray(engine, address, workers, "boxless fit"):
        from boxless.learning.head.features_on_ray import on_ray

        engine_ = partial(on_ray, address=address, workers=workers)
    training, validation = read_split(images, val, seed, Columns(separator, path_column, label_column))
    with stages() as progress:
        made = fit_images(
            training,
            validation,
            out,
            backbone=backbone,
            side=size,
            localization_size=localization_size,
            boxes=boxes,
            licence=licence,
            seed=seed,
            engine=engine_,
            progress=progress,
        )
        page = write_report(made.report, out, preset, report, progress)
    print_made(made, page, as_json)
