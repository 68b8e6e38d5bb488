"""Which engine runs the model: this machine, or a Ray cluster."""

from __future__ import annotations

import typer

from boxless.system.extras import require

ENGINES = ("local", "ray")


def wants_ray(name: str, address: str | None, workers: int | None, who: str) -> bool:
    """Whether --engine asks for a Ray cluster.

    Args:
        name: one of `ENGINES`.
        address, workers: of a Ray cluster, or None.
        who: the command, for the error where Ray is not installed.

    Raises:
        typer.BadParameter: if there is no such engine, or the options do not fit it.
        MissingExtraError: if Ray is not installed.
    """
    if name not in ENGINES:
        raise typer.BadParameter(f"'{name}' (expected {' or '.join(ENGINES)})", param_hint="--engine")
    if name == "local":
        if address or workers:
            raise typer.BadParameter("--address and --workers go with --engine ray", param_hint="--engine")
        return False
    require("ray", f"{who} --engine ray")
    return True
