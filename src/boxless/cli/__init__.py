"""The command line: one subcommand a file; each parses, calls and prints.

Internal: commands and options are public, the functions behind them are not.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import Annotated

import typer

from boxless._version import __version__
from boxless.cli.annotate import annotate
from boxless.cli.attach import attach
from boxless.cli.batch import batch
from boxless.cli.calibrate import calibrate
from boxless.cli.detector import detector
from boxless.cli.evaluate import evaluate
from boxless.cli.fit import fit
from boxless.cli.inspect import inspect
from boxless.cli.locate import locate
from boxless.cli.models import models
from boxless.cli.page import page
from boxless.cli.quantize import quantize
from boxless.cli.results import results
from boxless.cli.serve import serve
from boxless.cli.train import train
from boxless.cli.verbosity import is_verbose, say, with_verbosity
from boxless.cli.video import video
from boxless.errors import BoxlessError
from boxless.system.text import printable

app = typer.Typer(
    help="What is in an image, and where, learned from class labels alone.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


for _command in (
    locate, batch, video, results, models, attach, inspect, quantize, fit, train, detector, evaluate, calibrate,
    annotate, serve, page,
):  # fmt: skip
    # In the list of commands stands the whole first line of a command's help.
    app.command(short_help=(_command.__doc__ or "").partition("\n")[0])(with_verbosity(_command))


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"boxless {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; a user's mistake is one line on standard error and exit status 2."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed (>&-)
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (until the process ends)
    for stream in (sys.stdout, sys.stderr):
        # A file's name may have characters that the terminal cannot show, or bytes that are no text: go on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, to their programmers; boxless has none
    try:
        app()
    except BoxlessError as error:
        if is_verbose():
            traceback.print_exc()
        sys.stderr.write(f"boxless: {printable(str(error))}\n")
        sys.exit(2)
    except SystemExit as stop:
        # The reader of our output has gone; Typer exits with 1 then, which means failed images here.
        if isinstance(stop.__context__, BrokenPipeError):
            sys.exit(141)
        raise
    except OSError as error:
        # Of a file that the user named: a folder that cannot be written, a disk that is full.
        name = printable(str(error.filename or "while writing"))
        sys.stderr.write(f"boxless: {name}: {error.strerror or printable(str(error))}\n")
        sys.exit(2)
