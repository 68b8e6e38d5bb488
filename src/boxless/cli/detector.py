"""boxless detector: a detector of one's own, from labels alone."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.loudness import say
from boxless.networks.backbones import BACKBONES
from boxless.system.text import printable

if TYPE_CHECKING:
    from boxless.datasets.labelled import LabelledPictures


def detector(
    pictures: Annotated[Path, typer.Argument(help="A folder with a sub-folder a class, or a CSV of path and label.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The model file to write.")],
    boxes_from: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Its class maps teach the first round; without one, boxless fit is run."),
    ] = None,
    backbone: Annotated[str, typer.Option(help=f"One of {' or '.join(BACKBONES)}.")] = "efficientnet_lite0",
    size: Annotated[int, typer.Option(help="Pixels a side, as it looks at pictures: a multiple of 32.")] = 256,
    width: Annotated[float, typer.Option(help="Factor on the numbers of filters of darknet19.")] = 1.0,
    rounds: Annotated[int, typer.Option(help="Of teaching at most: the first by class maps, others by itself.")] = 3,
    epochs: Annotated[
        int | None,
        typer.Option(help="Times that every picture is shown in the first round; else 40 to 4, fewer of many."),
    ] = None,
    batch: Annotated[int, typer.Option(help="Pictures a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 1e-3,
    val: Annotated[
        str | None,
        typer.Option(help="Held-out pictures: a folder, a CSV, a split of the CSV, or a fraction; else a fifth."),
    ] = None,
    licence: Annotated[str, typer.Option(help="Of your model, an SPDX identifier.")] = "unknown",
    seed: Annotated[int, typer.Option(help="Of what is held out, of the weights and of the order.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the model file if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
) -> None:
    """Train a detector that finds every object of your classes: no boxes are drawn by anybody.

    Class maps give boxes, boxes teach a detector, and the detector corrects its own boxes. Stopped or killed, the same
    command goes on from the last whole epoch. A GPU is used if there is one.
    """
    from boxless.system.extras import require

    require("train", "boxless detector")
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.training_watch import watched
    from boxless.datasets.split import read_split
    from boxless.learning.detector.settings import Settings

    ask_before_overwriting(out, force)
    settings = Settings(backbone, size, width, rounds, epochs, batch, rate, seed)
    training, validation = read_split(pictures, val, seed)
    from boxless.learning.detector.train import train_detector
    from boxless.learning.head.fit import fit
    from boxless.models.model_file import find_model

    with watched(out) as screen:
        if boxes_from is None:
            teacher = _fitted_on(training, validation, seed, out.with_suffix(".training"))
            if not teacher.exists():
                fit(training, validation, teacher, licence=licence, seed=seed, progress=screen.tell)
        else:
            teacher = find_model(boxes_from)
        made = train_detector(
            training, validation, out, settings, teacher, licence=licence, watch=screen, progress=screen.tell
        )
    if made.doubt:
        sys.stderr.write(f"boxless: {printable(str(made.doubt))}\n")
    if as_json:
        sys.stdout.write(json.dumps(made.as_dict()) + "\n")
        return
    for name, value in (*made.facts, ("written", str(made.path))):
        say(f"{name:<20} {value}")


def _fitted_on(training: LabelledPictures, validation: LabelledPictures, seed: int, folder: Path) -> Path:
    """Where the teacher of these pictures is kept: one that was fitted on others may have seen what is held out now."""
    facts = [training.digest, validation.digest, training.classes, seed]
    return folder / f"teacher-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]}" / "teacher.onnx"
