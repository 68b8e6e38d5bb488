"""The training report, one HTML page: accuracy, confusions, labels that are likely wrong, and heatmaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from boxless._version import __version__
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.calibrate import Calibration
from boxless.learning.report.duplicates import near_duplicates
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.report_parts import (
    box_table,
    class_table,
    confusion_matrix,
    drawn_of,
    heat_map_tiles,
    occlusion_table,
    plain_tile,
    suspect_tiles,
)
from boxless.learning.report.surroundings import OcclusionResult
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.system.html_page import PAGE, listed, tiles, write_page

_EVERYWHERE = 0.95
"""A label on at least this share of the training images gets a note."""


@dataclass(frozen=True, eq=False)
class Report:
    """What a model learned from, and how well.

    Attributes:
        title: the model's name, and what it was made of.
        facts: (name, value) pairs on how it was made.
        training: the training images.
        held_out: the held-out images, with the model's predictions.
        left_out: the training images, with predictions of models that were not trained on them (cross-validation);
            None if there are no such models.
        thresholds: the calibration of each preset, if there were boxed images.
        occlusion: the results of the occlusion test, one a class.
        duplicates: see `near_duplicates`.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    training: LabelledImages
    held_out: HeldOut
    left_out: HeldOut | None
    thresholds: tuple[Calibration, ...]
    occlusion: tuple[OcclusionResult, ...]
    duplicates: tuple[tuple[int, int, float], ...]

    @classmethod
    def of(
        cls,
        title: str,
        facts: Sequence[tuple[str, str]],
        training: LabelledImages,
        held_out: HeldOut,
        left_out: HeldOut | None = None,
        thresholds: Sequence[Calibration] = (),
        occlusion: Sequence[OcclusionResult] = (),
    ) -> Report:
        """A report; near duplicates are searched for now.

        Args:
            title, facts, training, held_out, left_out, thresholds, occlusion: see the attributes.

        Returns:
            The report.
        """
        found = near_duplicates(training.paths, held_out.images.paths)
        return cls(title, tuple(facts), training, held_out, left_out, tuple(thresholds), tuple(occlusion), tuple(found))

    @property
    def figures(self) -> dict[str, Interval]:
        """See `HeldOut.figures`."""
        return self.held_out.figures

    @property
    def notes(self) -> tuple[str, ...]:
        """Problems with the images and the labels, in words."""
        held_out = self.held_out.images
        found = [*self.training.notes, *(each for each in held_out.notes if each not in self.training.notes)]
        if unseen := [name for name, count in zip(held_out.classes, held_out.counts, strict=True) if not count]:
            found.append(f"no held-out image of {', '.join(unseen[:10])}{' and more' if len(unseen) > 10 else ''}")
        if count := len(self.duplicates):
            many = "1 held-out image nearly duplicates a training image"
            if count > 1:
                many = f"{count} held-out images nearly duplicate training images"
            found.append(f"{many}, so accuracy is slightly too high")
        found += [*self._everywhere(), *self.held_out.notes]
        found += [each.in_words(held_out.classes) for each in self.occlusion if each.suspicious]
        return tuple(found)

    def _everywhere(self) -> list[str]:
        """Notes on labels that nearly all training images have: without negatives, a model cannot locate them."""
        images = self.training
        if not images.several:
            return []
        return [
            f"{name} is in {count} of {len(images)} training images: labels alone cannot teach where it is. Add "
            "images without it"
            for k, (name, count) in enumerate(zip(images.classes, images.counts, strict=True))
            if k not in images.background and count >= _EVERYWHERE * len(images)
        ]

    @property
    def confused(self) -> list[str]:
        """The pairs most often confused, in words."""
        counts, classes = self.held_out.images.counts, self.held_out.images.classes
        return [
            f"{classes[true]} taken for {classes[predicted]}: {count} of {counts[true]}"
            for true, predicted, count in self.held_out.confused()
        ]

    def as_dict(self) -> dict[str, Any]:
        """The report without its drawings.

        Returns:
            Plain data for JSON.
        """
        held_out, learned = self.held_out.images, self.training
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
                {"true": held_out.classes[true], "predicted": held_out.classes[predicted], "count": count}
                for true, predicted, count in self.held_out.confused()
            ],
            "likely_wrong_labels": [
                {
                    "path": path,
                    "labelled": labels,
                    "predicted": list(predicted),
                    "probabilities": [round(each, 4) for each in predicted.values()],
                }
                for path, labels, predicted in self._suspects()
            ],
            "near_duplicates": [
                {"held_out": str(held_out.paths[i]), "learned_from": str(learned.paths[j]), "likeness": round(like, 4)}
                for i, j, like in self.duplicates
            ],
            "surroundings": [each.as_dict(held_out.classes) for each in self.occlusion],
            "thresholds": [asdict(each) for each in self.thresholds],
            "notes": list(self.notes),
            "made_with": {"boxless": __version__, "date": date.today().isoformat()},
        }

    @property
    def heat_maps(self) -> int:
        """How many images `write` draws."""
        return sum(len(chosen) for _, chosen in drawn_of(self.held_out))

    def write(
        self, model: ModelFile, preset: str, folder: Path, done: Callable[[int], object] = lambda n: None
    ) -> Path:
        """Writes a self-contained `index.html`.

        Args:
            model: the trained model; draws the heatmaps.
            preset: the preset to draw them with.
            folder: created if it is missing.
            done: called after each drawn image with the number drawn.

        Returns:
            The page's path.
        """
        page = folder / PAGE
        write_page(page, self.title, self._parts(Localizer(model, preset), done))
        return page

    def _suspects(self, most: int = 24) -> list[tuple[str, list[str], dict[str, float]]]:
        """For each image whose label is likely wrong: its path, its labels, and the predicted probabilities."""
        found = []
        for whole in filter(None, (self.held_out, self.left_out)):
            classes = whole.images.classes
            for i in whole.suspects(most):
                labels = [classes[k] for k in np.flatnonzero(whole.images.targets[i])]
                predicted = {classes[k]: float(whole.probabilities[i, k]) for k in np.flatnonzero(whole.predicted[i])}
                found.append((str(whole.images.paths[i]), labels, predicted))
        return found

    def _parts(self, localizer: Localizer, done: Callable[[int], object]) -> list[str]:
        facts = "".join(f"<tr><td>{escape(what)}<td>{escape(value)}</tr>" for what, value in self.facts)
        return [
            f'<table class="facts">{facts}</table>',
            f"<h2>How often it is right</h2><p>On {len(self.held_out.images)} held-out images, in percent, with "
            "95 % intervals (Wilson's for shares, otherwise bootstrap over images).</p>",
            listed(
                f"{name}: {each.value:.1f} ({each.low:.1f} to {each.high:.1f})" for name, each in self.figures.items()
            ),
            f"<h2>Problems with the images</h2>{listed(self.notes)}" if self.notes else "",
            box_table(self.thresholds) if self.thresholds else "",
            class_table(self.training, self.held_out),
            f"<h2>Most often confused</h2>{listed(self.confused)}" if self.confused else "",
            confusion_matrix(self.held_out),
            *suspect_tiles(self._suspects(12)),
            *self._duplicate_tiles(),
            occlusion_table(self.occlusion, self.training.classes) if self.occlusion else "",
            *heat_map_tiles(localizer, self.held_out, done),
        ]

    def _duplicate_tiles(self) -> list[str]:
        heading = "<h2>Near duplicates of training images</h2>"
        if not self.duplicates:
            none = f"None of the {len(self.held_out.images)} held-out images nearly duplicates a training image."
            return [f"{heading}<p>{none}</p>"]
        shown = []
        for i, j, likeness in self.duplicates[:12]:
            for path, which in (
                (self.held_out.images.paths[i], "held out"),
                (self.training.paths[j], "training"),
            ):
                shown.append(plain_tile(path, f"{which}: {path} ({likeness:.3f})"))
        return [heading, tiles(shown)]


def _number(value: float) -> float | None:
    return round(float(value), 4) if isfinite(value) else None
