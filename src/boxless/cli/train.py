"""boxless train: a network of your own, from images to model file."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from boxless.cli import options
from boxless.networks.catalogue import NETWORKS


def train(
    images: options.LabelledFolder,
    out: options.OutFile,
    network: Annotated[str, typer.Option(metavar="NAME", help=f"One of {', '.join(NETWORKS)}.")],
    head: Annotated[str, typer.Option(metavar="gap|gmp", help="Pooling: global average or global maximum.")] = "gap",
    val: options.Validation = None,
    separator: options.Separator = None,
    path_column: options.PathColumn = None,
    label_column: options.LabelColumn = None,
    size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Input size [default: 32 or 224, by network].")
    ] = None,
    width: Annotated[float, typer.Option(metavar="FACTOR", help="Width multiplier; 0.25 is quick.")] = 1.0,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Start from imagenet or a Keras model (.keras) [default: random].",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Most epochs.")] = 30,
    batch: Annotated[int, typer.Option(metavar="N", help="Batch size.")] = 32,
    optimizer: Annotated[str, typer.Option(metavar="adamw|sgd", help="Optimizer.")] = "adamw",
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE", help="Peak learning rate [default: adamw 0.001, sgd 0.05; with --weights 0.0003, 0.005]."
        ),
    ] = None,
    schedule: Annotated[str, typer.Option(metavar="cosine|step", help="Learning rate schedule.")] = "cosine",
    warmup: Annotated[float, typer.Option(metavar="EPOCHS", help="Warm-up epochs.")] = 1.0,
    weight_decay: Annotated[float, typer.Option(metavar="FACTOR", help="Weight decay.")] = 1e-4,
    label_smoothing: Annotated[float, typer.Option(metavar="SHARE", help="Label smoothing.")] = 0.0,
    augment: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="none, shift, small or large [default: small; large from 96 pixels on]."),
    ] = None,
    patience: Annotated[
        int, typer.Option(metavar="EPOCHS", help="Stop after so many epochs without a better one; 0 never stops early.")
    ] = 0,
    devices: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Devices that share every batch (on JAX) [default: all GPUs]."),
    ] = None,
    mixed_precision: Annotated[
        bool | None,
        typer.Option(
            "--mixed-precision/--full-precision",
            help="Mixed precision [default: float16 on a GPU, off on a CPU].",
        ),
    ] = None,
    boxes: options.ThresholdBoxes = None,
    report: options.LearningReport = None,
    licence: options.Licence = "unknown",
    seed: options.Seed = 0,
    force: options.Force = False,
    as_json: options.AsJson = False,
) -> None:
    """Train a whole network from class labels: no boxes.

    A GPU is used if there is one. Measured on two cores: nin_bn, 50,000 images at 32 pixels, 3.5 minutes an
    epoch; efficientnet_lite0, 240 images at 128 pixels, 16 to 21 seconds an epoch. Time grows with the number of
    images and of pixels. A run that was stopped continues from its last whole epoch.
    """
    from boxless.system.extras import require

    require("train", "boxless train")
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.training_report import print_made, write_report
    from boxless.cli.training_watch import watched
    from boxless.datasets.csv import Columns
    from boxless.datasets.split import read_split
    from boxless.learning.network.augment import usual_augmentation
    from boxless.learning.network.choice import Choice
    from boxless.learning.network.plan import Optimizer, Schedule, TrainingPlan, usual_rate
    from boxless.system.html_page import PAGE

    choice = Choice(network, head, size, width, weights)
    ask_before_overwriting(out, force)
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    plan = TrainingPlan(
        epochs=epochs,
        batch=batch,
        optimizer=cast("Optimizer", optimizer),
        rate=usual_rate(optimizer, fine_tune=weights is not None) if rate is None else rate,
        schedule=cast("Schedule", schedule),
        warmup=warmup,
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        augment=augment or usual_augmentation(choice.side),
        patience=patience,
        seed=seed,
    )
    training, validation = read_split(images, val, seed, Columns(separator, path_column, label_column))
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
            progress=screen.on_progress,
        )
        page = write_report(made.report, out, None, report, screen.on_progress)
    print_made(made, page, as_json)
