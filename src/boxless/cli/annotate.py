"""boxless annotate: what is found, as annotations for other people's programs."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.device import DeviceOption, use_device
from boxless.models.zoo import DEFAULT_MODEL


class FormatName(StrEnum):
    """The formats; `boxless.datasets.formats.FORMATS` has the same, and is not imported for --help."""

    COCO = "coco"
    YOLO = "yolo"
    VOC = "voc"
    LABELSTUDIO = "labelstudio"
    CVAT = "cvat"
    LABELME = "labelme"
    HF = "hf"
    CSV = "csv"


class Pictures(StrEnum):
    """What becomes of the pictures."""

    LINK = "link"
    COPY = "copy"
    NONE = "none"


def annotate(
    pictures: Annotated[Path, typer.Argument(help="A folder of pictures, or a CSV of their paths (and labels).")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to make.")],
    format_: Annotated[FormatName, typer.Option("--format", help="Of the annotations.")] = FormatName.COCO,
    model: Annotated[str, typer.Option(help="A model's name (see boxless models) or file.")] = DEFAULT_MODEL,
    preset: Annotated[str | None, typer.Option(help="fast, balanced or best; the model's default.")] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE", help="What pictures show: folder (its name), a CSV, or model; else the CSV's own or model."
        ),
    ] = None,
    min_probability: Annotated[float, typer.Option(min=0, max=1, help="Leave out less probable classes.")] = 0.0,
    min_activation: Annotated[float, typer.Option(help="Leave out classes with less activation (logits).")] = 0.0,
    masks: Annotated[
        bool, typer.Option("--masks", help="The pixels of each box too, where the format has them.")
    ] = False,
    placing: Annotated[
        Pictures, typer.Option("--pictures", help="Link or copy the pictures into the folder, or leave them.")
    ] = Pictures.LINK,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a folder that annotate wrote; begin anew what was stopped.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
    device: DeviceOption = None,
) -> None:
    """Write what is found as annotations, for people and programs to go on from.

    A run that was stopped goes on where it was. Exit status: 0 all done; 1 some pictures failed, the rest are done; 2
    wrong usage.
    """
    use_device(device)
    from boxless.annotation import Wishes, read_inputs
    from boxless.annotation import annotate as annotate_pictures
    from boxless.cli.progress import stages
    from boxless.localizer import Localizer
    from boxless.models.model_file import ModelFile

    localizer = Localizer(ModelFile(model, threads=1), preset)
    inputs = read_inputs(pictures, labels, without=out)
    wishes = Wishes(format_.value, placing.value, min_probability, min_activation, masks)
    with stages() as tell:
        done = annotate_pictures(inputs, out, localizer, wishes, force=force, progress=tell)
    for _, error in done.failures:
        sys.stderr.write(f"{error}\n")
    if as_json:
        data = {
            "main": str(done.main),
            "pictures": done.pictures,
            "boxes": done.boxes,
            "without_boxes": done.empty,
            "failed": [picture for picture, _ in done.failures],
            "resumed": done.resumed,
        }
        sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
    else:
        resumed = f" ({done.resumed} of them found by the run that was stopped)" if done.resumed else ""
        typer.echo(
            f"{done.pictures} pictures{resumed}, {done.boxes} boxes, {done.empty} pictures without any\n"
            f"written: {done.main}"
        )
    if done.failures:
        raise typer.Exit(1)
