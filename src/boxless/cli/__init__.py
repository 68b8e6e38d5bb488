"""The command line: one subcommand a file; each parses, calls and prints."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from boxless._version import __version__
from boxless.cli.attach import attach
from boxless.cli.calibrate import calibrate
from boxless.cli.evaluate import evaluate
from boxless.cli.fit import fit
from boxless.cli.inspect import inspect
from boxless.cli.locate import locate
from boxless.cli.models import models
from boxless.cli.page import page
from boxless.cli.quantize import quantize
from boxless.cli.reproduce import reproduce
from boxless.cli.serve import serve
from boxless.cli.train import train
from boxless.errors import BoxlessError

app = typer.Typer(
    help="What is in a picture, and where, learned from class labels alone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(locate)
app.command()(models)
app.command()(attach)
app.command()(inspect)
app.command()(quantize)
app.command()(fit)
app.command()(train)
app.command()(evaluate)
app.command()(calibrate)
app.command()(reproduce)
app.command()(serve)
app.command()(page)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"boxless {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; what a user can mend is one line on standard error and exit status 2."""
    try:
        app()
    except BoxlessError as error:
        sys.stderr.write(f"boxless: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has had enough; Python would complain once more when it closes it.
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # Of a file that the user named: a folder that cannot be written, a disk that is full.
        sys.stderr.write(f"boxless: {error.filename or 'a file'}: {error.strerror or error}\n")
        sys.exit(2)
