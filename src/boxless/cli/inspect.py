"""boxless inspect: the end of a network as text, and what its maps would be."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="An ONNX classifier, or a boxless model (name or file).")
    ],
    preprocess: Annotated[str, typer.Option(help="As for boxless attach.")] = "imagenet",
) -> None:
    """Show what there is to localize with: pooling, head, map sizes, cost."""
    from boxless.errors import ModelFileError
    from boxless.graph.attachment import attach
    from boxless.graph.measure import measure
    from boxless.model_file import ModelFile

    try:
        path = ModelFile(model).path
    except ModelFileError as error:
        if "no boxless model" not in str(error) and "no model" not in str(error):
            raise
        with tempfile.TemporaryDirectory() as folder:
            made = attach(model, Path(folder) / "attached.onnx", preprocess=preprocess)
            for i, line in enumerate(made.head):
                typer.echo(f"{'   ' * min(i, 1)}{'-> ' if i else ''}{line}")
            if made.proof.completeness is not None:
                typer.echo(f"completeness   {made.proof.completeness:.1e} of the largest logit")
            _print(measure(made.path))
            for warning in made.proof.warnings:
                typer.echo(f"note           {warning}")
    else:
        _print(measure(path))


def _print(facts: dict[str, str]) -> None:
    for name, value in facts.items():
        typer.echo(f"{name:<15}{value}")
