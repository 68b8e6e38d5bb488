"""Average precision of several models on the same images, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxless.datasets.boxed import read_dataset
from boxless.errors import DatasetError
from boxless.evaluation.average_precision import MEASURES, AveragePrecision
from boxless.evaluation.detections import MODES, measure_boxes
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.system.progress import Progress


@dataclass(frozen=True, eq=False)
class SideBySide:
    """What was measured.

    Attributes:
        dataset: its name.
        subjects: the models with their presets, in words.
        counts: images and boxes, as the first model's classes have them.
        classes: that are measured: those of the data set that every model knows.
        left_out: classes of the data set that only some of the models know.
        modes: of each of `MODES`, the figures of each model.
        notes: what was wrong with the data, a line each, listed once if models agree.
    """

    dataset: str
    subjects: tuple[str, ...]
    counts: dict[str, int]
    classes: tuple[str, ...]
    left_out: tuple[str, ...]
    modes: dict[str, tuple[AveragePrecision, ...]]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Every figure of each model and class, and the differences to the first model.

        Returns:
            Plain data for JSON.
        """
        return {
            "dataset": self.dataset,
            "counts": self.counts,
            "classes": list(self.classes),
            "left_out": list(self.left_out),
            "notes": list(self.notes),
            "modes": {
                mode: {
                    "title": MODES[mode].title,
                    "models": {
                        subject: _figures(each, some[0] if place else None)
                        for place, (subject, each) in enumerate(zip(self.subjects, some, strict=True))
                    },
                }
                for mode, some in self.modes.items()
            },
        }


def _figures(measured: AveragePrecision, first: AveragePrecision | None) -> dict[str, Any]:
    classes = {name: measured.only([name]) for name in measured.classes}
    figures: dict[str, Any] = {measure: measured.interval(measure).as_dict() for measure in MEASURES}
    if first is not None:
        figures["more_than_first"] = {measure: measured.less(first, measure).as_dict() for measure in MEASURES}
    figures["classes"] = {
        name: {measure: each.interval(measure).as_dict() for measure in MEASURES} for name, each in classes.items()
    }
    return figures


def compare_models(
    dataset: Path,
    models: Sequence[str],
    preset: str | None = None,
    layout: str | None = None,
    images: Path | None = None,
    progress: Progress = lambda stage, done, total: None,
    draws: int = 1000,
    nms: float = 1.0,
) -> SideBySide:
    """Measures average precision of models, with classes known and unknown.

    Args:
        dataset, layout, images: see `read_dataset`.
        models: names or files, at least one.
        preset: see `Localizer`; of all models.
        progress: called with the model's name, the number of images done and the total.
        draws: of the bootstrap.
        nms: see `measure_boxes`.

    Returns:
        The figures of all models on the classes that they share.

    Raises:
        DatasetError: if there is no true box, or no class of the data set that every model knows.

    Example:
        >>> compared = compare_models(Path("boxes.json"), ["mine.onnx", "detector.onnx"])  # doctest: +SKIP
        >>> compared.modes["unknown"][0].interval("ap_50").value  # doctest: +SKIP
        61.2
    """
    localizers = [Localizer(ModelFile(model, threads=1), preset) for model in models]
    sets = [read_dataset(dataset, each.card, layout, images) for each in localizers]
    subjects = _subjects(models, localizers)
    measured = {
        key: [
            measure_boxes(localizer, boxed, mode, draws, _staged(progress, f"{subject}, classes {key}"), nms)
            for subject, localizer, boxed in zip(subjects, localizers, sets, strict=True)
        ]
        for key, mode in MODES.items()
    }
    names = [some.classes for some in measured["known"]]
    shared = tuple(name for name in names[0] if all(name in some for some in names))
    if not shared:
        raise DatasetError(f"{dataset}: the models share no class that has a true box there")
    left_out = tuple(dict.fromkeys(name for some in names for name in some if name not in shared))
    return SideBySide(
        sets[0].name,
        subjects,
        {"images": len(sets[0].listed), "boxes": sum(len(each.boxes) for each in sets[0].images)},
        shared,
        left_out,
        {key: tuple(each.only(shared) for each in some) for key, some in measured.items()},
        tuple(dict.fromkeys(line for boxed in sets for line in boxed.notes)),
    )


def _staged(progress: Progress, stage: str) -> Progress:
    return lambda _, done, total: progress(stage, done, total)


def _subjects(models: Sequence[str], localizers: Sequence[Localizer]) -> tuple[str, ...]:
    """A name for each model: its file's, the whole path where two would be called the same."""
    short = [Path(model).stem if Path(model).suffix else model for model in models]
    names = [name if short.count(name) == 1 else model for name, model in zip(short, models, strict=True)]
    return tuple(f"{name}, {each.preset_name}" for name, each in zip(names, localizers, strict=True))
