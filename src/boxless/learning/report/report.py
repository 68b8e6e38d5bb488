"""What was learned, as one page for people: figures, confusions, likely wrong labels, and where the model looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from boxless._version import __version__
from boxless.datasets.labelled import LabelledPictures
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.calibrate import Calibration
from boxless.learning.report.duplicates import near_duplicates
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.report_parts import (
    A_CLASS,
    box_table,
    class_table,
    confusion_matrix,
    heat_map_tiles,
    plain_tile,
    survival_table,
    suspect_tiles,
)
from boxless.learning.report.surroundings import Survival
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.system.html_page import PAGE, listed, tiles, write_page

_NEARLY_EVERY = 0.9
"""Of a class that so many pictures show, hardly anything tells what a picture without it looks like."""


@dataclass(frozen=True, eq=False)
class Report:
    """What was learned from what, and how well.

    Attributes:
        title: the model's name, and what it was made of.
        facts: (what, value) of how it was made, in words.
        training: the pictures that were learned from.
        held_out: the others, and what the model says of them.
        left_out: the pictures that were learned from, with what a model says of them that had not seen them; None
            where no such model was made.
        thresholds: what boxed pictures said of each preset, where there were any.
        survivals: how far classes survive without what was found.
        duplicates: see `near_duplicates`.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    training: LabelledPictures
    held_out: HeldOut
    left_out: HeldOut | None
    thresholds: tuple[Calibration, ...]
    survivals: tuple[Survival, ...]
    duplicates: tuple[tuple[int, int, float], ...]

    @classmethod
    def of(
        cls,
        title: str,
        facts: Sequence[tuple[str, str]],
        training: LabelledPictures,
        held_out: HeldOut,
        left_out: HeldOut | None = None,
        thresholds: Sequence[Calibration] = (),
        survivals: Sequence[Survival] = (),
    ) -> Report:
        """The report, the near duplicates looked for."""
        found = near_duplicates(training.paths, held_out.pictures.paths)
        return cls(title, tuple(facts), training, held_out, left_out, tuple(thresholds), tuple(survivals), tuple(found))

    @property
    def figures(self) -> dict[str, Interval]:
        """See `HeldOut.figures`."""
        return self.held_out.figures

    @property
    def notes(self) -> tuple[str, ...]:
        """What was wrong with the pictures, in words."""
        held_out = self.held_out.pictures
        found = [*self.training.notes, *(each for each in held_out.notes if each not in self.training.notes)]
        if unseen := [name for name, count in zip(held_out.classes, held_out.counts, strict=True) if not count]:
            found.append(f"no held-out picture of {', '.join(unseen[:10])}{' and more' if len(unseen) > 10 else ''}")
        if self.duplicates:
            found.append(
                f"{len(self.duplicates)} held-out pictures nearly are pictures that were learned from: the accuracy "
                "is too high by what they give"
            )
        found += [each.in_words(held_out.classes) for each in self.survivals if each.suspicious]
        for name, count in zip(self.training.classes, self.training.counts, strict=True):
            if len(self.training.classes) > 1 and count >= _NEARLY_EVERY * len(self.training):
                found.append(
                    f"{name}: {count / len(self.training):.0%} of the pictures show it, so few tell what it looks like "
                    "without: add pictures that do not show it, with the label background"
                )
        return tuple(found)

    @property
    def confused(self) -> list[str]:
        """The pairs most often confused, in words."""
        counts, classes = self.held_out.pictures.counts, self.held_out.pictures.classes
        return [
            f"{classes[true]} taken for {classes[said]}: {count} of {counts[true]}"
            for true, said, count in self.held_out.confused()
        ]

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        held_out, learned = self.held_out.pictures, self.training
        return {
            "title": self.title,
            "facts": dict(self.facts),
            "figures": {name: interval.as_dict() for name, interval in self.figures.items()},
            "classes": [
                {
                    "name": name,
                    "learned_from": int(learned.counts[k]),
                    "held_out": int(held_out.counts[k]),
                    "recall": _number(self.held_out.recalls[k]),
                    "precision": _number(self.held_out.precisions[k]),
                }
                for k, name in enumerate(held_out.classes)
            ],
            "confused": [
                {"true": held_out.classes[true], "said": held_out.classes[said], "count": count}
                for true, said, count in self.held_out.confused()
            ],
            "likely_wrong_labels": [
                {
                    "path": path,
                    "labelled": labels,
                    "said": list(said),
                    "probabilities": [round(each, 4) for each in said.values()],
                }
                for path, labels, said in self._suspects()
            ],
            "near_duplicates": [
                {"held_out": str(held_out.paths[i]), "learned_from": str(learned.paths[j]), "likeness": round(like, 4)}
                for i, j, like in self.duplicates
            ],
            "surroundings": [each.as_dict(held_out.classes) for each in self.survivals],
            "thresholds": [each.as_dict() for each in self.thresholds],
            "notes": list(self.notes),
            "made_with": {"boxless": __version__, "date": date.today().isoformat()},
        }

    @property
    def heat_maps(self) -> int:
        """How many pictures `write` draws."""
        held_out = self.held_out.pictures
        return sum(min(A_CLASS, int(n)) for k, n in enumerate(held_out.counts) if k not in held_out.background)

    def write(
        self, model: ModelFile, preset: str, folder: Path, done: Callable[[int], object] = lambda n: None
    ) -> Path:
        """Writes `index.html`, which needs no other file.

        Args:
            model: what was made; draws the heat maps.
            preset: to draw them with.
            folder: made where it is missing.
            done: told after each drawn picture how many are.

        Returns:
            The page's path.
        """
        page = folder / PAGE
        write_page(page, self.title, self._parts(Localizer(model, preset), done))
        return page

    def _measured(self) -> list[HeldOut]:
        return [self.held_out, *([self.left_out] if self.left_out else [])]

    def _suspects(self, most: int = 24) -> list[tuple[str, list[str], dict[str, float]]]:
        """Of each picture whose label is likely wrong: path, labels, and what the model says, each with how surely."""
        found = []
        for whole in self._measured():
            classes = whole.pictures.classes
            for i in whole.suspects(most):
                labels = [classes[k] for k in np.flatnonzero(whole.pictures.targets[i])]
                said = {classes[k]: float(whole.probabilities[i, k]) for k in np.flatnonzero(whole.said[i])}
                found.append((str(whole.pictures.paths[i]), labels, said))
        return found

    def _parts(self, localizer: Localizer, done: Callable[[int], object]) -> list[str]:
        facts = "".join(f"<tr><td>{escape(what)}<td>{escape(value)}</tr>" for what, value in self.facts)
        return [
            f'<table class="facts">{facts}</table>',
            f"<h2>How often it is right</h2><p>On {len(self.held_out.pictures)} pictures that it did not learn from, "
            "in percent, with 95 % bootstrap intervals over pictures.</p>",
            listed(
                f"{name}: {each.value:.1f} ({each.low:.1f} to {each.high:.1f})" for name, each in self.figures.items()
            ),
            f"<h2>What was wrong with the pictures</h2>{listed(self.notes)}" if self.notes else "",
            box_table(self.thresholds) if self.thresholds else "",
            class_table(self.training, self.held_out),
            f"<h2>Most often confused</h2>{listed(self.confused)}" if self.confused else "",
            confusion_matrix(self.held_out),
            *suspect_tiles(self._suspects(12)),
            *self._duplicate_tiles(),
            survival_table(self.survivals, self.training.classes) if self.survivals else "",
            *heat_map_tiles(localizer, self.held_out, done),
        ]

    def _duplicate_tiles(self) -> list[str]:
        heading = "<h2>Nearly the same, held out and learned from</h2>"
        if not self.duplicates:
            none = f"None of the {len(self.held_out.pictures)} held-out pictures nearly is one that was learned from."
            return [f"{heading}<p>{none}</p>"]
        shown = []
        for i, j, likeness in self.duplicates[:12]:
            for path, which in (
                (self.held_out.pictures.paths[i], "held out"),
                (self.training.paths[j], "learned from"),
            ):
                shown.append(plain_tile(path, f"{which}: {path} ({likeness:.3f})"))
        return [heading, tiles(shown)]


def _number(value: float) -> float | None:
    return round(float(value), 4) if isfinite(value) else None
