"""boxless fit: a model of one's own classes, in minutes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.engines import Address, Workers
from boxless.models.zoo import DEFAULT_MODEL


def fit(
    pictures: Annotated[
        Path, typer.Argument(metavar="PICTURES", help="A folder with a sub-folder a class, or a CSV of path and label.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The model file to write.")],
    backbone: Annotated[
        str, typer.Option(metavar="MODEL", help="A model's name (see boxless models) or file.")
    ] = DEFAULT_MODEL,
    val: Annotated[
        str | None,
        typer.Option(
            metavar="SET", help="Held-out pictures: a folder, a CSV, a split of the CSV, or a fraction; else a fifth."
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=32, max=1024, help="Pixels a side; else what is tried out names best."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="PRESET", help="That the report's heat maps are drawn with.")
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
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="BOXES", help="Boxed pictures (COCO .json, .csv, a folder) to set thresholds on."),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; beside the model.")] = None,
    licence: Annotated[str, typer.Option(metavar="SPDX", help="Of your model, an SPDX identifier.")] = "unknown",
    seed: Annotated[int, typer.Option(metavar="N", help="Of what is held out, and of the cross-validation.")] = 0,
    engine: Annotated[str, typer.Option(metavar="ENGINE", help="That looks at the pictures: local, or ray.")] = "local",
    address: Address = None,
    workers: Workers = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the model file and the report if they are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
) -> None:
    """Learn classes of your own from pictures: no boxes, no training framework.

    What the frozen backbone sees in each picture is kept on disk, so another run, or one that was stopped, goes
    on from there.
    """
    from boxless.system.extras import require

    require("fit", "boxless fit")
    from boxless.cli.engines import wants_ray
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import stages
    from boxless.cli.training_report import print_made, write_report
    from boxless.datasets.split import read_split
    from boxless.learning.head.features import here
    from boxless.learning.head.fit import fit as fit_pictures
    from boxless.models.model_file import ModelFile
    from boxless.system.html_page import PAGE

    ask_before_overwriting(out, force)
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    if preset is not None:
        ModelFile(backbone).card.preset(preset)
    looks = here
    if wants_ray(engine, address, workers, "boxless fit"):
        from boxless.learning.head.features_on_ray import on_ray

        looks = partial(on_ray, address=address, workers=workers)
    training, validation = read_split(pictures, val, seed)
    with stages() as tell:
        made = fit_pictures(
            training,
            validation,
            out,
            backbone=backbone,
            side=size,
            localization_size=localization_size,
            boxes=boxes,
            licence=licence,
            seed=seed,
            engine=looks,
            progress=tell,
        )
        page = write_report(made.report, out, preset, report, tell)
    print_made(made, page, as_json)
