"""The options --quiet and --verbose of every command: how much it writes to stderr while it works.

Results go to stdout and errors to stderr; neither option silences them.
"""

from __future__ import annotations

import inspect
import platform
import sys
import time
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Annotated, get_type_hints

import typer

from boxless._version import __version__
from boxless.system.text import printable

_state = {"quiet": False, "verbose": False}

_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only: no progress, no notes.")]
_Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print versions, timings and tracebacks too.")]


def is_quiet() -> bool:
    """Whether to print errors only."""
    return _state["quiet"]


def is_verbose() -> bool:
    """Whether to print versions, timings and tracebacks."""
    return _state["verbose"]


def say(words: str) -> None:
    """Prints a line on standard output; what stands in it may come from files."""
    typer.echo(printable(words))


def note(words: str) -> None:
    """Writes a line to stderr, unless --quiet was given."""
    if not is_quiet():
        sys.stderr.write(f"{printable(words)}\n")


def detail(words: str) -> None:
    """Writes a line to stderr if --verbose was given."""
    if is_verbose():
        sys.stderr.write(f"boxless: {printable(words)}\n")


def with_verbosity(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options --quiet and --verbose beside its own."""

    @wraps(command)
    def wrapped(*args: object, quiet: bool, verbose: bool, **options: object) -> None:
        if quiet and verbose:
            raise typer.BadParameter("--quiet and --verbose are opposites: give one")
        _state.update(quiet=quiet, verbose=verbose)
        if verbose:
            detail(f"{__version__}, ONNX Runtime {version('onnxruntime')}, Python {platform.python_version()}")
        start = time.perf_counter()
        command(*args, **options)
        detail(f"{command.__name__} took {time.perf_counter() - start:.1f} s")

    kinds = {**get_type_hints(command, include_extras=True), "quiet": _Quiet, "verbose": _Verbose}
    own = [each.replace(annotation=kinds[name]) for name, each in inspect.signature(command).parameters.items()]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kinds[name])
        for name in ("quiet", "verbose")
    ]
    wrapped.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    wrapped.__annotations__ = kinds
    return wrapped
