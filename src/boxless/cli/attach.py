"""boxless attach: a classifier that exists, made into a localizer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from boxless.cli.loudness import say
from boxless.system.text import printable


def attach(
    classifier: Annotated[Path, typer.Argument(metavar="IN", help="An ONNX file, or a Keras model (.keras, .h5).")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The boxless model to write.")],
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Class names in their order: one a line, or a JSON list.")
    ] = None,
    preprocess: Annotated[
        str, typer.Option(metavar="NAME", help="imagenet, tf, keras-caffe, unit, none, or mean=R,G,B,std=R,G,B.")
    ] = "imagenet",
    layout: Annotated[
        Literal["nchw", "nhwc"] | None, typer.Option(metavar="nchw|nhwc", help="Where the input's shape does not say.")
    ] = None,
    input_size: Annotated[
        tuple[int, int] | None, typer.Option(metavar="H W", help="What it was made for; what it declares, or 224 224.")
    ] = None,
    output: Annotated[str | None, typer.Option(metavar="NAME", help="Which output names the classes.")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", exists=True, file_okay=False, help="Real pictures to prove it on (up to 20)."),
    ] = None,
    allow_max_pool: Annotated[bool, typer.Option("--allow-max-pool", help="Take maximum pooling too.")] = False,
    licence: Annotated[str, typer.Option(metavar="SPDX", help="Of the weights, an SPDX identifier.")] = "unknown",
    force: Annotated[bool, typer.Option("--force", help="Replace the model file if it is there.")] = False,
) -> None:
    """Turn a classifier into a localizer: bring out the class maps that are inside.

    It has to end in global average pooling. Its answers stay as they are; that is shown before anything is
    written. An opset older than 18 is converted.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.system.extras import require

    require("graph", "boxless attach")
    from boxless.export.from_frameworks import attach_file
    from boxless.export.labels import read_labels
    from boxless.imaging.read import pictures_in
    from boxless.system.files import temporary_files_beside

    ask_before_overwriting(out, force)
    names = read_labels(labels) if labels else None
    shown = pictures_in(pictures)[:20] if pictures else ()
    with temporary_files_beside(out):
        made = attach_file(
            classifier,
            out,
            labels=names,
            preprocess=preprocess,
            layout=layout,
            input_size=input_size,
            output=output,
            allow_max_pool=allow_max_pool,
            pictures=shown,
            licence=licence,
        )
    card, proof = made.card, made.proof
    kind = "real" if proof.real else "random"
    say(f"found          {' -> '.join(made.head)}")
    say(f"class maps     {card.maps}")
    say(f"refined with   {'; '.join(made.stages) or 'nothing (no stages of stride 8, 16, 32)'}")
    say(f"preprocessing  {card.preprocessing}")
    say(f"size           {'{} x {} only'.format(*card.fixed_size) if card.fixed_size else 'any'}")
    if made.converted_from is not None:
        say(f"opset          converted from {made.converted_from}")
    same = "bit for bit the same" if proof.bit_for_bit else f"same to {proof.difference:.1e} of the largest"
    say(f"logits         {same}, on {proof.pictures} {kind} pictures (at most 1e-04)")
    if proof.completeness is not None:
        say(f"completeness   map means add up to the logits to {proof.completeness:.1e} of the largest")
    say(f"written        {made.path}")
    for warning in proof.warnings:
        sys.stderr.write(f"boxless: {printable(warning)}\n")
