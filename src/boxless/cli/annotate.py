"""boxless annotate: boxes as annotations, for labelling tools and training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from boxless.cli.options import AsJson, Device, MinProbability, Model, ModelPreset
from boxless.cli.verbosity import say
from boxless.models.zoo import quick_model
from boxless.system.text import figures_json

FormatName = Literal["coco", "yolo", "voc", "labelstudio", "cvat", "labelme", "hf", "csv"]
"""The formats; `boxless.datasets.formats.WRITTEN` has the same, and is not imported for --help."""


def annotate(
    images: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="A folder of images, or a CSV file of their paths (and labels).")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")],
    format_: Annotated[
        FormatName,
        typer.Option("--format", metavar="FORMAT", help=f"Annotation format: {', '.join(get_args(FormatName))}."),
    ] = "coco",
    model: Model = None,
    preset: ModelPreset = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels-from",
            metavar="folder|FILE|model",
            help="Labels of the images: their folder's name, a CSV file, or what the model detects "
            "[default: the labels in IMAGES if it is a CSV file with labels, else model].",
        ),
    ] = None,
    pick: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Only N images of each class, to draw boxes on: a typical one, then those that differ most.",
        ),
    ] = None,
    min_probability: MinProbability = 0.0,
    min_activation: Annotated[
        float, typer.Option(metavar="LOGITS", help="Leave out classes with less activation.")
    ] = 0.0,
    masks: Annotated[
        bool, typer.Option("--masks", help="Write the pixels of each box too, where the format has them.")
    ] = False,
    placing: Annotated[
        Literal["link", "copy", "none"],
        typer.Option(
            "--save-images", metavar="link|copy|none", help="Link or copy the images into the folder, or neither."
        ),
    ] = "link",
    force: Annotated[
        bool, typer.Option("--force", help="Replace a folder that annotate wrote; restart a run that was stopped.")
    ] = False,
    as_json: AsJson = False,
    device: Device = None,
) -> None:
    """Write boxes as annotations, for labelling tools and training.

    A run that was stopped continues where it was. Exit status: 0 all done; 1 some images failed, the rest are done; 2
    wrong usage.
    """
    from boxless.annotation import AnnotationOptions, read_inputs
    from boxless.annotation import annotate as annotate_images
    from boxless.cli.progress import stages
    from boxless.system.text import printable

    inputs = read_inputs(images, labels, without=out)
    options = AnnotationOptions(
        format_, model or quick_model(), preset, placing, min_probability, min_activation, masks
    )
    with stages() as show:
        if pick is not None:
            from boxless.system.extras import require

            require("graph", "boxless annotate --pick")
            from boxless.annotation.pick import picked

            inputs = picked(inputs, options.model, pick, show)
        done = annotate_images(inputs, out, options, force=force, on_progress=show)
    for _, error in done.failures:
        sys.stderr.write(f"{printable(error)}\n")
    if as_json:
        data = {
            "main": str(done.main),
            "images": done.images,
            "boxes": done.boxes,
            "without_boxes": done.empty,
            "failed": [image for image, _ in done.failures],
            "resumed": done.resumed,
        }
        sys.stdout.write(figures_json(data) + "\n")
    else:
        resumed = f" ({done.resumed} of them by the run that was stopped)" if done.resumed else ""
        say(f"{done.images} images{resumed}, {done.boxes} boxes, {done.empty} images without any")
        say(f"written: {done.main}")
    if done.failures:
        raise typer.Exit(1)
