"""What `boxless locate` prints: rows for people, or JSON for machines."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console

from boxless.cli.progress import stages
from boxless.results import Localization, Prediction
from boxless.system.text import json_text, printable

_ROW = "{:<36}  {:<26}  {:>6}  {:>9}  {}"
_HEADINGS = _ROW.format("image", "class", "prob.", "activation", "box (x0 y0 x1 y1)")


class Report:
    """Prints results as they come, failures on standard error, and on a terminal a progress bar.

    There is a row for each prediction, with its best box. On a terminal the rows are cut to fit and an image's name
    stands once; elsewhere every row has the whole name, so that programs can read it. As JSON there is one object a
    line. `total` is None where it is unknown how many `things` there will be.
    """

    def __init__(self, as_json: bool, total: int | None, things: str = "images") -> None:
        self._as_json = as_json
        self._unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        self._out = Console(highlight=False, soft_wrap=True)
        self._for_people = self._out.is_terminal
        self._stages = stages(
            self._out if self._for_people else None, hidden=total in (0, 1) or (as_json and self._for_people)
        )
        self._done, self._total, self._things = 0, total, things
        self._empty = True

    def __enter__(self) -> Self:
        self._tell = self._stages.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401
        self._stages.__exit__(*error)

    def add(self, found: Localization, data: Mapping[str, Any] | None = None) -> None:
        """Prints a result, or why its image could not be read; as JSON `data`, where given."""
        self._done += 1
        self._tell(self._things, self._done, self._total)
        if found.error is not None:
            sys.stderr.write(f"{printable(found.image)}: {printable(found.error)}\n")
        if self._as_json:
            sys.stdout.write(json_text(data or found.to_dict(), ascii_only=not self._unicode) + "\n")
            sys.stdout.flush()
        elif found.error is None:
            self._print_rows(found)

    def _print_rows(self, found: Localization) -> None:
        if self._empty:
            self._out.print(_HEADINGS, style="bold", markup=False)
            self._empty = False
        name = printable(found.image)
        if self._for_people and len(name) > 36:
            name = "…" + name[-35:]
        if not found.predictions:
            self._out.print(_ROW.format(name, "(no class as probable as asked)", "", "", ""), markup=False)
        for prediction in found.predictions:
            label = printable(prediction.label)
            if self._for_people and len(label) > 26:
                label = label[:25] + "…"
            self._out.print(_row(name, label, prediction), markup=False)
            name = "" if self._for_people else name


def _row(name: str, label: str, prediction: Prediction) -> str:
    nowhere = "no box" if prediction.detected else "not detected"
    place = "  ".join(f"{edge:.0f}" for edge in prediction.box.xyxy) if prediction.box else nowhere
    return _ROW.format(name, label, f"{prediction.probability:.1%}", f"{prediction.activation:.1f}", place)
