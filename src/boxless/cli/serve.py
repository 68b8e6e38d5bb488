"""boxless serve: a web page and a REST service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.options import Device
from boxless.models.presets import DEFAULT_PRESET
from boxless.models.zoo import quick_model


def serve(
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Name (see boxless models) or file of a model; repeatable "
            "[default: the one that runs best on this processor].",
        ),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(metavar="PRESET", help="fast, balanced or best, where a request names none."),
    ] = DEFAULT_PRESET,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0 lets other machines connect.")
    ] = "127.0.0.1",
    allow_hosts: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Answer requests for this name too; repeatable, see below."),
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")] = 8000,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Images in work at a time [default: one for each core].")
    ] = None,
    queue: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Images that may wait; more are refused [default: 64]."),
    ] = None,
    max_megabytes: Annotated[
        float | None, typer.Option(metavar="MB", min=0.001, help="Largest request body, in MB [default: 32].")
    ] = None,
    max_megapixels: Annotated[
        float | None, typer.Option(metavar="MP", min=0.001, help="Largest image, in megapixels [default: 64].")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of images on this machine that the page shows, with what is in them."),
    ] = None,
    device: Device = None,
) -> None:
    """Serve a web page and a REST interface on this machine.

    If the environment variable BOXLESS_TOKEN is set, requests need it (Authorization: Bearer TOKEN).

    At 127.0.0.1 the service answers requests for localhost and 127.0.0.1 only, so that a stranger's page cannot reach
    it under another name. Behind a proxy or a forwarded port, name the host: --allow-host NAME.

    With --folder, whoever may ask sees all images in that folder.
    """
    import os
    from dataclasses import replace

    from boxless.system.extras import require

    require("serve", "boxless serve")
    from boxless.serve.limits import Limits
    from boxless.serve.server import serve as run

    given = {
        "workers": workers,
        "queue": queue,
        "body_bytes": None if max_megabytes is None else int(max_megabytes * 1e6),
        "max_pixels": None if max_megapixels is None else int(max_megapixels * 1e6),
    }
    limits = replace(Limits(), **{name: value for name, value in given.items() if value is not None})
    token = os.environ.get("BOXLESS_TOKEN") or None
    run(
        models or [quick_model()],
        preset=preset,
        host=host,
        port=port,
        token=token,
        limits=limits,
        allow_hosts=allow_hosts or (),
        folder=folder,
    )
