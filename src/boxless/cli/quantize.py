"""boxless quantize: a model in int8, and what that costs and gains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.options import Force, OutFile
from boxless.cli.verbosity import say


def quantize(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name (see boxless models) or file of a model.")],
    calibrate: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Images of the kind that the model is for; 100 are enough.",
        ),
    ],
    out: OutFile,
    min_agreement: Annotated[
        float,
        typer.Option(metavar="SHARE", min=0, max=1, help="Least share of images with the same most probable class."),
    ] = 0.9,
    min_correlation: Annotated[
        float, typer.Option(metavar="R", min=-1, max=1, help="Least mean correlation of the maps.")
    ] = 0.95,
    min_iou: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Least mean overlap of the boxes.")
    ] = 0.85,
    force: Force = False,
) -> None:
    """Make a model smaller and faster: its network in int8.

    Half of the images set the ranges, the other half compare the new model with the old one. A model that loses more
    than the limits allow is not written.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import stages
    from boxless.system.extras import require

    require("graph", "boxless quantize")
    from boxless.export.loss import Limits
    from boxless.export.quantize import quantize as quantize_model
    from boxless.imaging.read import images_in
    from boxless.system.files import temporary_files_beside

    ask_before_overwriting(out, force)
    limits = Limits(min_agreement, min_correlation, min_iou)
    with temporary_files_beside(out), stages() as progress:
        made = quantize_model(model, images_in(calibrate), out, limits, progress)
    loss = made.loss
    say(f"calibrated on        {made.calibrated_on} images")
    say(f"measured on          {loss.images} images, against the original model")
    say(f"top-1 agreement      {loss.agreement:.1%}")
    say(f"map correlation      {loss.correlation:.3f}")
    say(f"box IoU              {loss.box_iou:.1%}")
    say(f"time                 {loss.time_ratio:.2f} of the original model's (one image, one thread)")
    say(f"size                 {made.bytes_after / 1e6:.1f} MB (before: {made.bytes_before / 1e6:.1f} MB)")
    say(f"written              {made.path}")
