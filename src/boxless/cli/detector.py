"""boxless detector: a detector of one's own, from labels alone."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli import options
from boxless.cli.verbosity import say
from boxless.networks.detector_backbones import BACKBONES
from boxless.system.text import figures_json

if TYPE_CHECKING:
    from boxless.datasets.labelled import LabelledImages


def detector(
    images: options.LabelledFolder,
    out: options.OutFile,
    boxes_from: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Model whose class maps give the first boxes [default: boxless fit makes it]."
        ),
    ] = None,
    backbone: Annotated[
        str, typer.Option(metavar="NAME", help=f"One of {' or '.join(BACKBONES)}.")
    ] = "efficientnet_lite0",
    boxes: Annotated[
        Path | None,
        typer.Option(
            metavar="BOXES",
            help="Boxes of a few training images (COCO .json, .csv, a folder); they count more than pseudo-boxes.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", help="Input size, a multiple of 32 [default: 256 to 768, by the pseudo-boxes]."),
    ] = None,
    width: Annotated[
        float, typer.Option(metavar="FACTOR", help="Factor on the numbers of filters of darknet19.")
    ] = 1.0,
    rounds: Annotated[
        int,
        typer.Option(metavar="N", help="Most rounds: the first learns from class maps, later ones from detections."),
    ] = 3,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Epochs in round 1 [default: 40, fewer for large sets].")
    ] = None,
    batch: Annotated[int, typer.Option(metavar="N", help="Batch size.")] = 8,
    rate: Annotated[float, typer.Option(metavar="RATE", help="Highest learning rate.")] = 1e-3,
    val: options.Validation = None,
    separator: options.Separator = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    licence: options.Licence = "unknown",
    seed: options.Seed = 0,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a detector that finds every object of your classes, from class labels alone.

    Class maps give pseudo-boxes, which train a detector, which then corrects them. Measured with a fitted teacher:
    28 minutes for 204 images and 77 for 500 on one core, 48 for 3,000 on two busy cores. A run that was stopped
    continues from its last epoch. Nothing is written if held-out labels say that the detector is worse than its
    teacher model (exit status 1).
    """
    from boxless.system.extras import require

    require("train", "boxless detector")
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.training_watch import watched
    from boxless.datasets.csv import Columns
    from boxless.datasets.split import read_split
    from boxless.learning.detector.options import DetectorOptions

    ask_before_overwriting(out, force)
    settings = DetectorOptions(backbone, size, width, rounds, epochs, batch, rate, seed)
    training, validation = read_split(images, val, seed, Columns(separator, path_column, label_column))
    from boxless.learning.detector.train import train_detector
    from boxless.learning.head.fit import fit
    from boxless.models.model_file import find_model

    with watched(out) as screen:
        if boxes_from is None:
            teacher = _fitted_on(training, validation, boxes, seed, out.with_suffix(".training"))
            if not teacher.exists():
                fit(training, validation, teacher, boxes=boxes, licence=licence, seed=seed, progress=screen.on_progress)
        else:
            teacher = find_model(boxes_from)
        made = train_detector(
            training,
            validation,
            out,
            settings,
            teacher,
            boxes=boxes,
            licence=licence,
            watch=screen,
            progress=screen.on_progress,
        )
    for words in (made.warning, made.doubt):
        if words:
            sys.stderr.write(f"boxless: {words}\n")
    if as_json:
        sys.stdout.write(figures_json(made.as_dict()) + "\n")
    else:
        for name, value in (*made.facts, ("left in" if made.doubt else "written", str(made.path))):
            say(f"{name:<20} {value}")
    if made.doubt:
        raise typer.Exit(1)


def _fitted_on(
    training: LabelledImages, validation: LabelledImages, boxes: Path | None, seed: int, folder: Path
) -> Path:
    """Where the teacher of these images is kept: one that was fitted on others may have seen what is held out now."""
    files = [boxes] if boxes and boxes.is_file() else sorted(boxes.rglob("*")) if boxes else []
    drawn = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
    facts = [training.digest, validation.digest, training.classes, drawn, seed]
    return folder / f"teacher-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]}" / "teacher.onnx"
