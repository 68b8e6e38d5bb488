"""boxless reproduce: the papers' claims, measured again."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from boxless.cli.loudness import say


def reproduce(
    experiment: Annotated[
        str | None, typer.Argument(metavar="EXPERIMENT", help="Its name; without one, all are listed.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Minutes on two cores, few pictures; the default.")] = False,
    medium: Annotated[
        bool, typer.Option("--medium", help="Full width and all pictures, few epochs; hours on two cores.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="The paper's recipe; wants a GPU.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Seconds; says only that everything runs.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", exists=True, help="CIFAR-10's archive, or (gap-gmp) boxed pictures; else in $BOXLESS_DATA."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results and pages go.")] = Path("docs/reproduction"),
) -> None:
    """Measure a paper's claim again: a table, a plot and a page.

    Networks that are trained once are kept in $BOXLESS_CACHE and taken again; a run that was killed goes on.
    """
    from boxless.cli.loudness import note
    from boxless.reproduction.catalogue import EXPERIMENTS
    from boxless.reproduction.catalogue import reproduce as measure_again

    sizes = {"check": check, "quick": quick, "medium": medium, "full": full}
    asked = [name for name, chosen in sizes.items() if chosen]
    if len(asked) > 1:
        raise typer.BadParameter("--quick, --medium, --full and --check are sizes of the same: give one")
    scale = asked[0] if asked else "quick"
    if experiment is None:
        for each in EXPERIMENTS.values():
            say(f"{each.name:<17}{each.title}")
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it counts how many networks we build
    page = measure_again(experiment, scale, out, data, note)
    say(str(page))
