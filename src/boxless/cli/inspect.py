"""boxless inspect: what a network localizes with."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from boxless.cli.verbosity import say


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A classifier (ONNX or Keras), or name or file of a boxless model.")
    ],
    preprocess: Annotated[str, typer.Option(metavar="NAME", help="As for boxless attach.")] = "imagenet",
    layout: Annotated[
        Literal["nchw", "nhwc"] | None, typer.Option(metavar="nchw|nhwc", help="As for boxless attach.")
    ] = None,
    input_size: Annotated[tuple[int, int] | None, typer.Option(metavar="H W", help="As for boxless attach.")] = None,
    output: Annotated[str | None, typer.Option(metavar="NAME", help="As for boxless attach.")] = None,
    allow_max_pool: Annotated[bool, typer.Option("--allow-max-pool", help="As for boxless attach.")] = False,
) -> None:
    """Show what a network localizes with: pooling, head, map sizes, cost.

    Nothing is written.
    """
    from boxless.system.extras import require

    require("graph", "boxless inspect")
    from boxless.errors import ModelFileError
    from boxless.export.classifier_files import attach_file
    from boxless.export.measure import measure
    from boxless.export.source import has_card
    from boxless.models.model_file import ModelFile

    try:
        path = ModelFile(model).path
    except ModelFileError:
        if not Path(model).is_file() or has_card(Path(model)):
            raise
    else:
        _print(measure(path))
        return
    with tempfile.TemporaryDirectory() as folder:
        made = attach_file(
            Path(model),
            Path(folder) / "attached.onnx",
            preprocess=preprocess,
            layout=layout,
            input_size=input_size,
            output=output,
            allow_max_pool=allow_max_pool,
        )
        say(f"found          {made.head[0]}")
        _print(measure(made.path))


def _print(facts: dict[str, str]) -> None:
    for name, value in facts.items():
        say(f"{name:<15}{value}")
