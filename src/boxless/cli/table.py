"""What `boxless evaluate` prints, with --ap and without: a table for people, or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from boxless.cli.progress import stages
from boxless.evaluation.average_precision import MEASURES, AveragePrecision
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.detections import MODES
from boxless.evaluation.evaluation import Evaluation
from boxless.evaluation.side_by_side import SideBySide, compare_models
from boxless.system.text import figures_json, printable

_ROW = "{:<50}{:>21}{:>21}{:>21}"

_CLASSES = 30
"""With more, the lines of the classes are for --json only."""


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
        cells = (_cell(interval) for interval in (each.oracle, each.deployable, each.centre))
        out.print(_ROW.format(each.title, *cells).rstrip(), markup=False)
    out.print("oracle: the true boxes choose threshold and component; deployable: what a user gets", markup=False)
    out.print(f"threshold of the deployable box: {evaluation.threshold}", markup=False)
    for line in evaluation.dataset.notes:
        out.print(printable(f"note: {line}"), markup=False)


def _cell(interval: Interval | None) -> str:
    """A figure with its interval; nothing where there is none."""
    if interval is None:
        return ""
    value, low, high = (f"{each:.1f}" if each == 0 or abs(each) >= 0.05 else f"{each:.0e}" for each in
                        (interval.value, interval.low, interval.high))  # fmt: skip
    return f"{value} ({low} to {high})"


def evaluate_boxes(
    dataset: Path,
    models: Sequence[str],
    preset: str | None,
    layout: str | None,
    images: Path | None,
    nms: float,
    as_json: bool,
) -> None:
    """Measures average precision (see `compare_models`) and prints it on standard output."""
    with stages() as progress:
        measured = compare_models(dataset, models, preset, layout, images, progress, nms=nms)
    if as_json:
        sys.stdout.write(figures_json(measured.as_dict(), indent=1) + "\n")
        return
    out = Console(highlight=False, soft_wrap=True)
    counts = measured.counts
    out.print(
        f"average precision on {measured.dataset}: {counts['images']} images, {counts['boxes']} boxes",
        style="bold",
        markup=False,
    )
    for mode, some in measured.modes.items():
        out.print(MODES[mode].title, style="bold", markup=False)
        for line in _lines(measured, some):
            out.print(printable(line.rstrip()), markup=False)
    if measured.left_out:
        out.print(printable(f"note: not every model knows {', '.join(measured.left_out)}: not measured"), markup=False)
    for note in measured.notes:
        out.print(printable(f"note: {note}"), markup=False)


def _lines(measured: SideBySide, some: Sequence[AveragePrecision]) -> list[str]:
    """The table of one mode: the measures, the classes, and how much more each model has than the first."""
    rows = [("  % (95 % interval)", list(measured.subjects))]
    rows += [(f"  {title}", [_cell(each.interval(key)) for each in some]) for key, (title, _) in MEASURES.items()]
    if len(measured.classes) <= _CLASSES:
        rows += [
            (f"    {name}, IoU 0.5", [_cell(each.only([name]).interval("ap_50")) for each in some])
            for name in measured.classes
        ]
    if len(some) > 1:
        rows += [
            (f"  more than the first, {title}", ["", *(_cell(each.less(some[0], key)) for each in some[1:])])
            for key, (title, _) in MEASURES.items()
        ]
    widths = [max(len(title) for title, _ in rows)] + [
        max(len(cells[column]) for _, cells in rows) for column in range(len(some))
    ]
    return [
        title.ljust(widths[0]) + "".join(f"  {text:>{width}}" for text, width in zip(cells, widths[1:], strict=True))
        for title, cells in rows
    ]
