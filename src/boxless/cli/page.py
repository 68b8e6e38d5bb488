"""boxless page: a web page that needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.options import Force
from boxless.cli.verbosity import say


def page(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Name (see boxless models) or file of a model.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write.")],
    runtime: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of onnxruntime-web [default: in node_modules]."),
    ] = None,
    examples: Annotated[
        list[Path] | None,
        typer.Option("--example", metavar="IMAGE", help="Image that the page offers to visitors; repeatable."),
    ] = None,
    force: Force = False,
) -> None:
    """Write a web page that runs a model in the visitor's browser: images never leave the device.

    Any web server can serve the folder. It holds the page, the model, and onnxruntime-web (npm) to run it.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.serve.alone import find_runtime, write_alone

    ask_before_overwriting(out / "index.html", force)
    size = write_alone(model, out, find_runtime(runtime, Path.cwd()), examples or [])
    say(f"{out}: {size / 1e6:.0f} MB. Put it on a web server, or open it here: python -m http.server -d {out}")
