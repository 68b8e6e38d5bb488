"""boxless page: a web page that needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.loudness import say


def page(
    model: Annotated[str, typer.Argument(help="A model's name (see boxless models) or file.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")],
    runtime: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where onnxruntime-web is; looked for in node_modules where it is left out."),
    ] = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option("--example", metavar="PICTURE", help="To offer to visitors without one at hand; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the page if it is there.")] = False,
) -> None:
    """Write a folder that runs a model in its visitor's browser: pictures never leave their device.

    The folder can be put on any web space. It holds the page, the model, and onnxruntime-web (npm) to run it.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.serve.alone import find_runtime, write_alone

    ask_before_overwriting(out / "index.html", force)
    size = write_alone(model, out, find_runtime(runtime, Path.cwd()), examples or [])
    say(f"{out}: {size / 1e6:.0f} MB. Put it on a web space, or look at it here: python -m http.server -d {out}")
