"""What `boxless evaluate --ap` does and prints: a column a model, for people, or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from boxless.cli.progress import stages
from boxless.cli.table import cell
from boxless.evaluation.average_precision import MEASURES, AveragePrecision
from boxless.evaluation.detections import MODES
from boxless.evaluation.side_by_side import SideBySide, compare_models
from boxless.system.text import figures_json, printable

_CLASSES = 30
"""With more, the lines of the classes are for --json only."""


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
    rows += [(f"  {title}", [cell(each.interval(key)) for each in some]) for key, (title, _) in MEASURES.items()]
    if len(measured.classes) <= _CLASSES:
        rows += [
            (f"    {name}, IoU 0.5", [cell(each.only([name]).interval("ap_50")) for each in some])
            for name in measured.classes
        ]
    if len(some) > 1:
        rows += [
            (f"  more than the first, {title}", ["", *(cell(each.less(some[0], key)) for each in some[1:])])
            for key, (title, _) in MEASURES.items()
        ]
    widths = [max(len(title) for title, _ in rows)] + [
        max(len(cells[column]) for _, cells in rows) for column in range(len(some))
    ]
    return [
        title.ljust(widths[0]) + "".join(f"  {text:>{width}}" for text, width in zip(cells, widths[1:], strict=True))
        for title, cells in rows
    ]
