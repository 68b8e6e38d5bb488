"""boxless results: what a long run found, as a table and a contact sheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.loudness import say
from boxless.system.text import printable


def results(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Where boxless locate --out wrote, a folder or an address.")
    ],
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="Such as: label = 'tabby' and activation > 5; or: error.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="ORDER", help="Order: class, activation, or doubt (little probability first).")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="How many to show.")] = 20,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them on one contact sheet.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the contact sheet if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line, and nothing else.")] = False,
) -> None:
    """Show what a long run found, also while it is still at work."""
    from boxless.system.extras import require

    require("batch", "boxless results")
    from boxless.batch.results import ORDERS, select
    from boxless.cli.outputs import Outputs, check_sheet
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.report import Report
    from boxless.errors import PictureError

    if sheet:
        check_sheet(sheet)
        ask_before_overwriting(sheet, force, "--sheet")
    if by is not None and by not in ORDERS:
        raise typer.BadParameter(f"'{by}' (expected {', '.join(ORDERS)})", param_hint="--by")
    selection = select(folder, where, by, limit)
    with Report(as_json, total=len(selection.found)) as report, Outputs(None, None, sheet) as outputs:
        for each in selection.found:
            report.add(each)
            try:
                outputs.add(each, each.image)
            except PictureError as error:  # it was there when the run looked at it
                sys.stderr.write(f"not drawn: {printable(str(error))}\n")
    if not as_json:
        running = "" if selection.finished else "; the run is not finished"
        say(
            f"{len(selection.found)} of {selection.matching:,} that fit, in {selection.pictures:,} pictures "
            f"({selection.failed:,} failed{running})"
        )
