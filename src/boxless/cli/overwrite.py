"""What a command that writes a file does where there is one already."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from boxless.errors import OutputError
from boxless.system.files import check_place


def ask_before_overwriting(out: Path, force: bool, option: str = "--out") -> None:
    """Lets nothing be lost by accident: asks on a terminal before a file is replaced, and elsewhere stops."""
    try:
        check_place(out)
    except OutputError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if force or not out.exists():
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{out} exists; replace it with --force", param_hint=option)
    typer.confirm(f"{out} exists. Replace it?", abort=True)
