"""What `boxless evaluate` prints: a table for people, or JSON for machines."""

from __future__ import annotations

import sys

from rich.console import Console

from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.evaluation import Evaluation
from boxless.system.text import figures_json, printable

_ROW = "{:<50}{:>21}{:>21}{:>21}"


def print_evaluation(evaluation: Evaluation, as_json: bool) -> None:
    """Prints an evaluation on standard output: a table, or one JSON object and nothing else."""
    if as_json:
        sys.stdout.write(figures_json(evaluation.as_dict(), indent=1) + "\n")
        return
    counts = evaluation.counts
    out = Console(highlight=False, soft_wrap=True)
    out.print(
        f"{evaluation.subject} on {evaluation.dataset.name}: {counts['images']} images, {counts['boxes']} boxes",
        style="bold",
        markup=False,
    )
    out.print(_ROW.format("% (95 % interval)", "oracle", "deployable", "centre box"), style="bold", markup=False)
    for each in evaluation.figures:
        cells = (cell(interval) for interval in (each.oracle, each.deployable, each.centre))
        out.print(_ROW.format(each.title, *cells).rstrip(), markup=False)
    out.print("oracle: the true boxes choose threshold and component; deployable: what a user gets", markup=False)
    out.print(f"threshold of the deployable box: {evaluation.threshold}", markup=False)
    for line in evaluation.dataset.notes:
        out.print(printable(f"note: {line}"), markup=False)


def cell(interval: Interval | None) -> str:
    """A figure with its interval; nothing where there is none."""
    if interval is None:
        return ""
    value, low, high = (f"{each:.1f}" if each == 0 or abs(each) >= 0.05 else f"{each:.0e}" for each in
                        (interval.value, interval.low, interval.high))  # fmt: skip
    return f"{value} ({low} to {high})"
