"""The options that several commands share: each has one name, one meaning and one text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, TypeAlias

import typer


def _use_device(device: str | None) -> str | None:
    """Makes a device that of this command, worker processes included; ModelFileError if it is not there."""
    if device is not None:
        from boxless.models.devices import VARIABLE, providers

        providers(device)
        os.environ[VARIABLE] = device
    return device


# What is asked of an image; see `boxless.locate_options.LocateOptions`.
Top: TypeAlias = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Most classes to show, detected ones first [default: 1; every detected class of a multi-label model].",
    ),
]
Classes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--class", metavar="NAME", help="Show exactly this class; repeatable [default: the most probable]."),
]
MinProbability: TypeAlias = Annotated[
    float, typer.Option(metavar="P", min=0, max=1, help="Leave out less probable classes.")
]
IncludeAbsent: TypeAlias = Annotated[bool, typer.Option("--include-absent", help="Give undetected classes boxes too.")]
Nms: TypeAlias = Annotated[
    float,
    typer.Option(
        metavar="IOU",
        min=0.01,
        max=1,
        help="Highest IoU between boxes of different classes; the worse box is dropped, 1 keeps all. Not for "
        "multi-label models.",
    ),
]

# Models.
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Name (see boxless models) or file of a model [default: the one that runs best on this processor].",
    ),
]
Backbone: TypeAlias = Annotated[
    str, typer.Option(metavar="MODEL", help="Name (see boxless models) or file of a model.")
]
Preset: TypeAlias = Annotated[str, typer.Option(metavar="PRESET", help="fast, balanced or best.")]
ModelPreset: TypeAlias = Annotated[
    str | None, typer.Option(metavar="PRESET", help="fast, balanced or best [default: the model's].")
]

# Data.
LABELLED_HELP = "A folder with a sub-folder for each class, or a CSV file of path and label."
LabelledFolder: TypeAlias = Annotated[Path, typer.Argument(metavar="IMAGES", help=LABELLED_HELP)]
Annotations: TypeAlias = Annotated[
    Path, typer.Argument(metavar="BOXES", help="Annotations (COCO .json, .csv) or a folder that holds them.")
]
ImagesDir: TypeAlias = Annotated[
    Path | None, typer.Option("--images", metavar="DIR", help="Folder of the images [default: beside the annotations].")
]
AnnotationFormat: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="coco, voc, yolo, cvat, labelstudio, labelme, hf, csv, folders or wsol [default: detected].",
    ),
]
Validation: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="SET",
        help="Held-out images: a folder, a CSV file, a split of the CSV file, or a fraction [default: 0.2].",
    ),
]
ThresholdBoxes: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="BOXES", help="Boxed images (COCO .json, .csv, a folder) to set thresholds on."),
]

# What is written.
OutFile: TypeAlias = Annotated[Path, typer.Option(metavar="FILE", help="The model file to write.")]
Sheet: TypeAlias = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw all images on one contact sheet.")]
LearningReport: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the report [default: beside the model].")
]
Licence: TypeAlias = Annotated[str, typer.Option(metavar="SPDX", help="Licence of your model, an SPDX identifier.")]
Seed: TypeAlias = Annotated[int, typer.Option(metavar="N", help="Random seed.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")]
JsonLines: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Replace existing output.")]

# Where the work is done.
Engine: TypeAlias = Annotated[str, typer.Option(metavar="ENGINE", help="Runs the model: local, or ray.")]
Address: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Address of a Ray cluster [default: a new one on this machine]."),
]
Workers: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Ray actors [default: one for each core].")
]
Separator: TypeAlias = Annotated[
    str | None,
    typer.Option("--separator", metavar="TEXT", help="Text between the labels of an image in a CSV [default: |]."),
]
PathColumn: TypeAlias = Annotated[
    str | None,
    typer.Option("--path-column", metavar="NAME", help="Column of paths in a CSV [default: path, file, image, ...]."),
]
LabelColumn: TypeAlias = Annotated[
    str | None,
    typer.Option("--label-column", metavar="NAME", help="Column of labels in a CSV [default: label, class, ...]."),
]
Device: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        callback=_use_device,  # so commands need not look at it
        help="cpu, cuda, openvino, coreml or directml; see boxless models --devices [default: cpu].",
    ),
]


def wants_ray(name: str, address: str | None, workers: int | None, who: str) -> bool:
    """Whether --engine asks for a Ray cluster, which is installed then; `who` is the command."""
    if name not in ("local", "ray"):
        raise typer.BadParameter(f"'{name}' (expected local or ray)", param_hint="--engine")
    if name == "local":
        if address or workers:
            raise typer.BadParameter("--address and --workers go with --engine ray", param_hint="--engine")
        return False
    from boxless.system.extras import require

    require("ray", f"{who} --engine ray")
    return True
