"""Progress of work on many images: bars on a terminal, otherwise a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeAlias, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from boxless.cli.verbosity import is_quiet

T = TypeVar("T")
OnProgress: TypeAlias = Callable[[str, int, int | None], None]
"""Called with the stage, the number of images done, and the total, if it is known."""

_FIRST, _BETWEEN = 10.0, 60.0
"""Seconds before the first line, and between two."""


@contextmanager
def stages(console: Console | None = None, *, hidden: bool = False) -> Iterator[OnProgress]:
    """Shows the progress of each stage of some work, or nothing if `hidden` or with --quiet.

    There are bars on a console that is a terminal, else lines on standard error.
    """
    console = console or Console(stderr=True)
    if hidden or is_quiet():
        yield lambda stage, done, total: None
    elif console.is_terminal:
        with _bars(console) as on_progress:
            yield on_progress
    else:
        yield Lines(sys.stderr).on_progress


def counted(items: Iterable[T], stage: str, total: int, on_progress: OnProgress) -> Iterator[T]:
    """The same items, counted: each one calls `on_progress`."""
    for done, each in enumerate(items, 1):
        on_progress(stage, done, total)
        yield each


class Lines:
    """A line now and then, for logs and pipes."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._next = clock() + _FIRST
        self._begun: dict[str, tuple[float, int]] = {}

    def on_progress(self, stage: str, done: int, total: int | None) -> None:
        """Writes a line, if it is time for one."""
        now = self._clock()
        start, before = self._begun.get(stage, (now, done))
        if done <= before:  # a stage may begin again: a detector is trained in rounds
            start, before = self._begun[stage] = now, done
        if now < self._next:
            return
        self._next = now + _BETWEEN
        words = f"{stage}: {done}" if total is None else f"{stage}: {done} of {total}"
        if done > before and now > start:
            rate = (done - before) / (now - start)
            words += f", {rate:.3g} a second"
            words += "" if total is None else f", {_duration((total - done) / rate)} left"
        self._out.write(f"{words}\n")
        self._out.flush()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def _bars(console: Console) -> Iterator[OnProgress]:
    """Bars with count, rate and time left; they disappear when the work is done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        redirect_stderr=sys.stderr.isatty(),
        transient=True,
    ) as bar:
        tasks = {}

        def on_progress(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        yield on_progress


class _Rate(ProgressColumn):
    """Images, or frames, a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} a second" if task.speed else "")
