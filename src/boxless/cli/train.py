"""boxless train: a network of one's own, from pictures to model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from boxless.cli.columns import LabelColumn, PathColumn, Separator
from boxless.networks.catalogue import NETWORKS

_FINE_TUNING = {"adamw": 3e-4, "sgd": 5e-3}
_FROM_SCRATCH = {"adamw": 1e-3, "sgd": 5e-2}


def train(
    pictures: Annotated[
        Path,
        typer.Argument(
            metavar="PICTURES", help="A folder with a sub-folder a class, a CSV of path and label, or annotations."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The model file to write.")],
    network: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(NETWORKS)}.")],
    head: Annotated[
        str, typer.Option(metavar="gap|gmp", help="gap (average pooling) or gmp (maximum pooling).")
    ] = "gap",
    val: Annotated[
        str | None,
        typer.Option(
            metavar="SET", help="Held-out pictures: a folder, a CSV, a split of the CSV, or a fraction; else a fifth."
        ),
    ] = None,
    separator: Separator = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Pixels a side; what the network was made for.")
    ] = None,
    width: Annotated[
        float, typer.Option(metavar="FACTOR", help="Factor on the numbers of filters; 0.25 is quick.")
    ] = 1.0,
    fine_tune: Annotated[
        str | None, typer.Option(metavar="WEIGHTS", help="Start from imagenet, or from a Keras model (.keras).")
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Times that every picture is shown, at most.")] = 30,
    batch: Annotated[int, typer.Option(metavar="N", help="Pictures a step.")] = 32,
    optimizer: Annotated[str, typer.Option(metavar="adamw|sgd", help="adamw or sgd.")] = "adamw",
    rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Highest learning rate; what suits the optimizer, lower to fine-tune."),
    ] = None,
    schedule: Annotated[str, typer.Option(metavar="cosine|step", help="Of the rate: cosine, or step.")] = "cosine",
    warmup: Annotated[float, typer.Option(metavar="EPOCHS", help="Epochs over which the rate rises.")] = 1.0,
    weight_decay: Annotated[float, typer.Option(metavar="FACTOR", help="Pull of the weights towards zero.")] = 1e-4,
    label_smoothing: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the truth spread over all classes.")
    ] = 0.0,
    augment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="none, shift, small or large; what suits the size, which flips too."),
    ] = None,
    patience: Annotated[
        int, typer.Option(metavar="EPOCHS", help="Stop after so many epochs without a better one; 0 never.")
    ] = 0,
    devices: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Devices of this machine that share every batch; all GPUs (on JAX)."),
    ] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--full-precision",
            help="Compute in half precision: float16 on a GPU, unasked; bfloat16 on a CPU.",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(metavar="BOXES", help="Boxed pictures, in any format of evaluate, to set thresholds on."),
    ] = None,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; beside the model.")] = None,
    licence: Annotated[str, typer.Option(metavar="SPDX", help="Of your model, an SPDX identifier.")] = "unknown",
    seed: Annotated[int, typer.Option(metavar="N", help="Of what is held out, of the weights and of the order.")] = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the model file and the report if they are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
) -> None:
    """Train a network of the papers on pictures of your own: no boxes.

    Stopped or killed, the same command goes on from the last whole epoch. A GPU is used if there is one.
    """
    from boxless.system.extras import require

    require("train", "boxless train")
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.training_report import print_made, write_report
    from boxless.cli.training_watch import watched
    from boxless.datasets.boxed import check_boxes
    from boxless.datasets.csv import Columns
    from boxless.datasets.split import read_split
    from boxless.learning.network.augment import usual_augmentation
    from boxless.learning.network.choice import Choice
    from boxless.learning.network.plan import Optimizer, Plan, Rates
    from boxless.system.html_page import PAGE

    choice = Choice(network, head, size, width, fine_tune)
    ask_before_overwriting(out, force)
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    usual = _FINE_TUNING if fine_tune else _FROM_SCRATCH
    plan = Plan(
        epochs=epochs,
        batch=batch,
        optimizer=cast("Optimizer", optimizer),
        rate=usual.get(optimizer, 1e-3) if rate is None else rate,
        schedule=cast("Rates", schedule),
        warmup=warmup,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        augment=augment or usual_augmentation(choice.side),
        patience=patience,
        seed=seed,
    )
    training, validation = read_split(pictures, val, seed, Columns(separator, path_column, label_column))
    if boxes is not None:
        check_boxes(boxes, training.classes)
    from boxless.learning.network.train import train as train_on

    with watched(out) as screen:
        made = train_on(
            training,
            validation,
            out,
            choice,
            plan,
            devices=devices,
            mixed=mixed_precision,
            boxes=boxes,
            licence=licence,
            watch=screen,
            progress=screen.tell,
        )
        page = write_report(made.report, out, None, report, screen.tell)
    print_made(made, page, as_json)
