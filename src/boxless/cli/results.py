"""boxless results: what boxless batch found, as a table and a contact sheet."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from boxless.cli.options import Force, JsonLines, Sheet
from boxless.cli.verbosity import say
from boxless.system.text import printable


def results(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder, or address of one, that boxless batch wrote.")],
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            help="Such as: label = 'tabby' and activation > 5; or: error is not null [default: all].",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="ORDER", help="Order: class, activation, or doubt (least probable first) [default: as processed]."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Most predictions to show.")] = 20,
    sheet: Sheet = None,
    force: Force = False,
    as_json: JsonLines = False,
) -> None:
    """Show what boxless batch found, even while it is still running.

    Exit status: 0 all is there; 1 shards of a finished run are missing; 2 wrong usage, or a shard is damaged.
    """
    from boxless.system.extras import require

    require("batch", "boxless results")
    from boxless.batch.results import ORDERS, select
    from boxless.cli.outputs import Outputs, check_sheet
    from boxless.cli.report import Report
    from boxless.errors import ImageError

    if sheet:
        check_sheet(sheet, force)
    if by is not None and by not in ORDERS:
        raise typer.BadParameter(f"'{by}' (expected {', '.join(ORDERS)})", param_hint="--by")
    selection = select(folder, where, by, limit)
    with Report(as_json, total=len(selection.found)) as report, Outputs(None, None, sheet) as outputs:
        for each in selection.found:
            report.add(each)
            try:
                outputs.add(each, each.image)
            except ImageError as error:  # it was there when the run looked at it
                sys.stderr.write(f"not drawn: {printable(str(error))}\n")
    if not as_json:
        running = "" if selection.finished else "; the run is not finished"
        say(
            f"{len(selection.found)} of {selection.matching:,} that fit, in {selection.images:,} images "
            f"({selection.failed:,} failed{running})"
        )
    if selection.missing:
        more = f" and {len(selection.missing) - 1} more" if len(selection.missing) > 1 else ""
        sys.stderr.write(f"boxless: {selection.missing[0]}{more} missing; the command that wrote it makes it again\n")
        raise typer.Exit(1)
