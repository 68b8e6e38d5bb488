"""What a command that writes a file does where there is one already."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer


def ask_before_overwriting(out: Path, force: bool, option: str = "--out") -> None:
    """Lets nothing be lost by accident: asks on a terminal, and elsewhere stops.

    Args:
        out: the file to be written.
        force: whether the user passed --force.
        option: that names the file, or its folder.
    """
    folder = out.parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"{folder} is closed to writing; name a file elsewhere", param_hint=option)
    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder (expected the name of a file)", param_hint=option)
    if force or not out.exists():
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{out} exists; replace it with --force", param_hint=option)
    typer.confirm(f"{out} exists. Replace it?", abort=True)
