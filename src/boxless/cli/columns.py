"""Options of commands that read labels from a CSV file."""

from __future__ import annotations

from typing import Annotated

import typer

Separator = Annotated[
    str | None,
    typer.Option("--separator", metavar="TEXT", help="Stands between the labels of an image in a CSV [default: |]."),
]
PathColumn = Annotated[
    str | None,
    typer.Option("--path-column", metavar="NAME", help="Column of paths in a CSV [default: path, file, image, ...]."),
]
LabelColumn = Annotated[
    str | None,
    typer.Option("--label-column", metavar="NAME", help="Column of labels in a CSV [default: label, class, ...]."),
]
