"""An evaluation, whole: what was measured on what, and what came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from boxless.datasets.boxed import BoxedSet
from boxless.errors import DatasetError
from boxless.evaluation.box_accuracy import THRESHOLDS
from boxless.evaluation.curves import by_size, calibration_error, detections, over_thresholds, reliability
from boxless.evaluation.figures import Figure, figures
from boxless.evaluation.score import Score


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was measured.

    Attributes:
        dataset: the data set; its notes say what was wrong with it.
        subject: what was measured, in words: model, preset and method, or a folder of maps.
        threshold: where the deployable figures' one box was cut, and on what that was set, in words.
        scores: one a class an image.
        figures: the table.
    """

    dataset: BoxedSet
    subject: str
    threshold: str
    scores: tuple[Score, ...]
    figures: tuple[Figure, ...]

    @classmethod
    def of(
        cls,
        dataset: BoxedSet,
        subject: str,
        threshold: str,
        scores: Iterable[Score],
        more: Iterable[Figure] = (),
        draws: int = 1000,
    ) -> Evaluation:
        """Computes the evaluation from scores.

        Args:
            dataset, subject, threshold: see the attributes.
            scores: drawn from once.
            more: figures that stand at the end of the table.
            draws: of the bootstrap.

        Returns:
            The evaluation, with the whole table.

        Raises:
            DatasetError: if there is not one score.
        """
        known = tuple(scores)
        if not known:
            raise DatasetError(f"{dataset.name}: not one image could be measured ({'; '.join(dataset.notes)})")
        return cls(dataset, subject, threshold, known, (*figures(known, draws), *more))

    @property
    def counts(self) -> dict[str, int]:
        """How many images, classes in images, and boxes were measured."""
        return {
            "images": len({each.path for each in self.scores}),
            "classes_in_images": len(self.scores),
            "boxed": sum(each.boxed for each in self.scores),
            "boxes": sum(len(each.truth) for each in self.scores),
            "masks": sum(each.pixels is not None for each in self.scores),
        }

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The plain numbers of `figures`, by their keys: "deployable" and "oracle", where a figure has that form."""
        columns = ("deployable", "oracle")
        return {
            each.key: {name: value.value for name in columns if (value := getattr(each, name)) is not None}
            for each in self.figures
        }

    def as_dict(self) -> dict[str, Any]:
        """The evaluation: the table, the curves, and problems with the data.

        Returns:
            Plain data for JSON.
        """
        precision, recall = detections(self.scores)
        every = max(1, len(precision) // 200)
        return {
            "dataset": self.dataset.name,
            "subject": self.subject,
            "threshold": self.threshold,
            "counts": self.counts,
            "notes": self.dataset.notes.as_dict(),
            "figures": {
                each.key: {
                    "title": each.title,
                    **{
                        column: interval.as_dict() if (interval := getattr(each, column)) else None
                        for column in ("oracle", "deployable", "centre")
                    },
                    "means": each.means,
                }
                for each in self.figures
            },
            "curves": {
                "thresholds": _plain(THRESHOLDS),
                **{name: _plain(curve) for name, curve in over_thresholds(self.scores).items()},
                "precision": _plain(precision[::every]),
                "recall": _plain(recall[::every]),
            },
            "by_size": [_without_nan(asdict(each)) for each in by_size(self.scores)],
            "reliability": [_without_nan(asdict(each)) for each in reliability(self.scores)],
            "calibration_error": _number(calibration_error(self.scores)),
        }


def _plain(values: Any) -> list[float]:  # noqa: ANN401
    return [round(float(value), 4) for value in values]


def _number(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _without_nan(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _number(value) if isinstance(value, float) else value for key, value in data.items()}
