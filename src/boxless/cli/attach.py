"""boxless attach: a classifier that exists, made into a localizer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from boxless.cli.options import Force, Licence, OutFile, ThresholdBoxes
from boxless.cli.verbosity import say
from boxless.system.text import printable

_PRECISION = {
    "float16": "float32 here",
    "int8": "the same up to the last feature map, float32 behind it",
}


def attach(
    classifier: Annotated[
        str,
        typer.Argument(
            metavar="IN",
            help="An ONNX file, a Keras model (.keras, .h5), or a published one: keras:NAME, torchvision:NAME, "
            "timm:NAME, hf:ORG/NAME.",
        ),
    ],
    out: OutFile,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Class names in order: one a line, or a JSON list [default: numbers]."),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="imagenet, tf, keras-caffe, unit, none, or mean=R,G,B,std=R,G,B [default: imagenet; what the "
            "framework states, for a published one].",
        ),
    ] = None,
    layout: Annotated[
        Literal["nchw", "nhwc"] | None,
        typer.Option(metavar="nchw|nhwc", help="Layout of the input [default: from its shape]."),
    ] = None,
    input_size: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="H W", help="Input size [default: what the file declares, or 224 224]."),
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="NAME", help="Output that holds the logits [default: the only one].")
    ] = None,
    activation: Annotated[
        Literal["softmax", "sigmoid", "none"] | None,
        typer.Option(
            metavar="softmax|sigmoid|none",
            help="How logits become probabilities [default: what it ends in; sigmoid for one output, else softmax]",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Images to verify it on, up to 20 [default: random ones].",
        ),
    ] = None,
    allow_max_pool: Annotated[bool, typer.Option("--allow-max-pool", help="Accept maximum pooling too.")] = False,
    boxes: ThresholdBoxes = None,
    licence: Licence = "unknown",
    force: Force = False,
) -> None:
    """Turn a classifier into a localizer: add class maps to its outputs.

    It has to end in global average pooling. Its predictions do not change: that is verified before anything is written.
    An opset older than 18 is converted. A published classifier is downloaded by its own framework.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.system.extras import require

    require("graph", "boxless attach")
    from boxless.cli.progress import stages
    from boxless.export.classifier_files import read_labels
    from boxless.export.proof import ROUNDED
    from boxless.imaging.read import images_in
    from boxless.system.files import temporary_files_beside
    from boxless.tasks import attach as attach_file

    ask_before_overwriting(out, force)
    names = read_labels(labels) if labels else None
    shown = images_in(images)[:20] if images else ()
    with temporary_files_beside(out), stages() as progress:
        made = attach_file(
            classifier,
            out,
            labels=names,
            preprocess=preprocess,
            layout=layout,
            input_size=input_size,
            output=output,
            activation=activation,
            allow_max_pool=allow_max_pool,
            images=shown,
            licence=None if licence == "unknown" else licence,
            boxes=boxes,
            on_progress=progress,
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
    say(f"probabilities  {card.activation}")
    if made.rounded:
        say(f"precision      {made.rounded} in the original; {_PRECISION[made.rounded]}")
    same = "bit for bit the same" if proof.bit_for_bit else f"same to {proof.difference:.1e} of the largest"
    say(f"logits         {same}, on {proof.images} {kind} images (at most {ROUNDED[made.rounded]:.0e})")
    if proof.completeness is not None:
        say(f"completeness   map means add up to the logits to {proof.completeness:.1e} of the largest")
    if proof.slopes is not None:
        say(f"slopes         maps follow the logits to {proof.slopes:.1e} of the largest slope")
    say(f"box threshold  {card.preset(card.default_preset).cut}")
    say(f"written        {made.path}")
    for warning in proof.warnings:
        sys.stderr.write(f"boxless: {printable(warning)}\n")
