"""boxless train: a network of your own, from images to model file."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from boxless.cli.options import (
    AsJson,
    Force,
    LabelColumn,
    LabelledImages,
    LearningReport,
    Licence,
    OutFile,
    PathColumn,
    Seed,
    Separator,
    ThresholdBoxes,
    Validation,
)
from boxless.networks.catalogue import NETWORKS


def train(
    pictures: LabelledImages,
    out: OutFile,
    network: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(NETWORKS)}.")],
    head: Annotated[
        str, typer.Option(metavar="gap|gmp", help="gap (average pooling) or gmp (maximum pooling).")
    ] = "gap",
    val: Validation = None,
    separator: Separator = None,
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Input size [default: what the network was designed for].")
    ] = None,
    width: Annotated[float, typer.Option(metavar="FACTOR", help="Factor on the numbers of filters.")] = 1.0,
    fine_tune: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS", help="Start from imagenet, or from a Keras model (.keras) [default: random weights]."
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Most passes over the training images.")] = 30,
    batch: Annotated[int, typer.Option(metavar="N", help="Batch size.")] = 32,
    optimizer: Annotated[str, typer.Option(metavar="adamw|sgd", help="adamw or sgd.")] = "adamw",
    rate: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Highest learning rate [default: by the optimizer; lower with --fine-tune]."),
    ] = None,
    schedule: Annotated[str, typer.Option(metavar="cosine|step", help="Schedule of the learning rate.")] = "cosine",
    warmup: Annotated[float, typer.Option(metavar="EPOCHS", help="Epochs over which the learning rate rises.")] = 1.0,
    weight_decay: Annotated[float, typer.Option(metavar="FACTOR", help="Weight decay.")] = 1e-4,
    label_smoothing: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the target that is spread over all classes.")
    ] = 0.0,
    augment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="none, shift, small or large [default: by the input size, with flips]."),
    ] = None,
    patience: Annotated[
        int, typer.Option(metavar="EPOCHS", help="Stop after this many epochs without a better one; 0 never stops.")
    ] = 0,
    devices: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Devices that share every batch, on JAX [default: all GPUs]."),
    ] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--full-precision",
            help="Mixed precision [default: float16 on a GPU, off on a CPU].",
        ),
    ] = None,
    boxes: ThresholdBoxes = None,
    report: LearningReport = None,
    licence: Licence = "unknown",
    seed: Seed = 0,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Train one of the papers' networks on your own labelled images: no boxes.

    Stopped or killed, the same command continues from the last complete epoch. A GPU is used if there is one.
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
    from boxless.learning.network.plan import Optimizer, Plan, Rates, usual_rate
    from boxless.system.html_page import PAGE

    choice = Choice(network, head, size, width, fine_tune)
    ask_before_overwriting(out, force)
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    plan = Plan(
        epochs=epochs,
        batch=batch,
        optimizer=cast("Optimizer", optimizer),
        rate=usual_rate(optimizer, fine_tune=fine_tune is not None) if rate is None else rate,
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
