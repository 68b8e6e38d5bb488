"""What commands that train a model print and write when they are done."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boxless.cli.verbosity import say
from boxless.evaluation.calibrate import Calibration
from boxless.learning.report.report import Report
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.system.text import figures_json
from boxless.tasks import write_report as write

if TYPE_CHECKING:
    from boxless.learning.head.fit import Fitted
    from boxless.learning.network.train import Trained


_LISTED = 20
"""Classes of which the thresholds are listed."""


def write_report(
    report: Report, model: Path, preset: str | None, folder: Path | None, progress: Callable[[str, int, int], object]
) -> Path:
    """Writes the report's page, with JSON beside it; the facts include the current command."""
    report = replace(report, facts=(*report.facts, ("command", shlex.join(["boxless", *sys.argv[1:]]))))
    return write(report, model, preset, folder, progress)


def print_made(made: Fitted | Trained, page: Path, as_json: bool) -> None:
    """Prints what `boxless fit` or `boxless train` made; as one JSON object and nothing else, if asked."""
    report = made.report
    if as_json:
        data = {"model": str(made.path), "page": str(page), **report.as_dict()}
        sys.stdout.write(figures_json(data) + "\n")
        return
    for name, value in report.facts:
        _line(name, value)
    for name, figure in report.figures.items():
        _line(name, f"{figure.value:.1f} % ({figure.low:.1f} to {figure.high:.1f})")
    for i, words in enumerate(report.confused[:3]):
        _line("" if i else "most confused", words)
    for note in report.notes:
        _line("note", note)
    for each in made.thresholds:
        right = f"one box right {each.after.value:.1f} %, {each.after.low:.1f} to {each.after.high:.1f}"
        _line(f"threshold, {each.preset}", f"{'one a class' if each.own else f'{each.new:g}'} ({right})")
        for words in by_class(each, ModelFile(made.path).card):
            _line("", words)
    _line("report", str(page))
    _line("written", str(made.path))


def _line(name: str, value: str) -> None:
    say(f"{name:<20} {value}")


def by_class(found: Calibration, card: Card) -> Iterator[str]:
    """The calibration of per-class thresholds, in lines, at most about twenty."""
    classes = found.classes
    if classes is None:
        return
    gain = f"{classes.gain.value:+.1f} ({classes.gain.low:+.1f} to {classes.gain.high:+.1f})"
    if not classes.changed:
        yield f"a threshold for each class: none is better on these images ({gain} on images that did not choose)"
        return
    yield (
        f"a threshold for each class: one box right {classes.before.value:.1f} % -> {classes.after.value:.1f} % on "
        f"these images, {gain} on images that did not choose it"
    )
    for k in classes.changed[:_LISTED]:
        yield f"{card.labels[k]}: {classes.old[k]:g} -> {classes.new[k]:g} ({classes.boxed[k]} boxed)"
    if len(classes.changed) > _LISTED:
        yield f"and {len(classes.changed) - _LISTED} more"
    without = [label for k, label in enumerate(card.labels) if not classes.boxed[k] and k not in card.background]
    if without:
        listed = ", ".join(without[:_LISTED]) + (" and more" if len(without) > _LISTED else "")
        yield f"no boxed image of {listed}: kept"
