"""boxless serve: a web page and a REST service."""

from __future__ import annotations

from typing import Annotated

import typer

from boxless.cli.device import DeviceOption, use_device
from boxless.models.presets import DEFAULT_PRESET
from boxless.models.zoo import quick_model


def serve(
    models: Annotated[
        list[str] | None,
        typer.Option("--model", help="A model's name or file, repeatable; the one that boxless models says if none."),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Used where a request names none: fast, balanced or best.")
    ] = DEFAULT_PRESET,
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for other machines too.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=0, help="Pictures that are worked on at a time; 0 for one a core.")] = 0,
    queue: Annotated[int | None, typer.Option(min=0, help="Pictures that may wait; more are refused.")] = None,
    max_megabytes: Annotated[float | None, typer.Option(min=0.001, help="Of a request's body.")] = None,
    max_megapixels: Annotated[float | None, typer.Option(min=0.001, help="Of a picture.")] = None,
    device: DeviceOption = None,
) -> None:
    """Show a web page and answer REST requests, on this machine.

    If the environment has BOXLESS_TOKEN, requests have to bear it (Authorization: Bearer TOKEN).
    """
    use_device(device)
    import os
    from dataclasses import replace

    from boxless.system.extras import require

    require("serve", "boxless serve")
    from boxless.serve.limits import Limits
    from boxless.serve.server import serve as run

    given = {
        "workers": workers or None,
        "queue": queue,
        "body_bytes": None if max_megabytes is None else int(max_megabytes * 1e6),
        "max_pixels": None if max_megapixels is None else int(max_megapixels * 1e6),
    }
    limits = replace(Limits(), **{name: value for name, value in given.items() if value is not None})
    token = os.environ.get("BOXLESS_TOKEN") or None
    run(models or [quick_model()], preset=preset, host=host, port=port, token=token, limits=limits)
