"""The result of detector training."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxless.datasets.labelled import LabelledImages
from boxless.learning.detector.evidence import Evidence
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.true_boxes import TrueBoxes
from boxless.learning.network.export import TOLERANCE
from boxless.learning.network.history import Epoch
from boxless.learning.network.train import ran_on
from boxless.models.card import Card

LOW_THRESHOLD = 0.05
"""Scores from 0 to 1; a detection threshold below it separates nothing."""

_FEW_BOXES = 0.5
"""Boxes for each image with a class; of fewer, most images teach that there is nothing."""


def worse_than(evidence: Evidence, teacher: Evidence | None) -> bool:
    """Whether held-out labels say that a detector is worse than its teacher model."""
    return teacher is not None and evidence.precision < teacher.precision


def too_few(pseudo_labels: Sequence[PseudoLabels], images: LabelledImages) -> str | None:
    """A warning, in words, if class maps gave few boxes to learn from; None if they gave enough.

    Args:
        pseudo_labels: of each image.
        images: of which they are.
    """
    whole = PseudoLabels.joined(list(pseudo_labels))
    boxes = int((whole.weights > 0).sum())
    wanted = [k for k in range(len(images.classes)) if k not in images.background]
    showing = int((images.targets[:, wanted] > 0).any(axis=1).sum())
    if boxes >= _FEW_BOXES * showing:
        return None
    return (
        f"{boxes} boxes from {showing} images: check the teacher model first (boxless locate --save draws what it "
        f"finds). {len(whole) - boxes} boxes are left out because passes of different scales disagree on them"
    )


@dataclass(frozen=True, eq=False)
class Round:
    """One training round.

    Attributes:
        boxes: the number of pseudo-boxes that were learned from.
        known: how many of them had a known class.
        doubtful: the number of other boxes, which were ignored.
        history: the metrics of each epoch.
        evidence: the accuracy on held-out labels after the round.
        apart: the largest difference between probabilities of Keras and the model file.
    """

    boxes: int
    known: int
    doubtful: int
    history: tuple[Epoch, ...]
    evidence: Evidence
    apart: float

    @classmethod
    def of(
        cls, pseudo_labels: Sequence[PseudoLabels], history: tuple[Epoch, ...], evidence: Evidence, apart: float
    ) -> Round:
        """A round, with its boxes counted.

        Args:
            pseudo_labels: of each image.
            history: see the attributes.
            evidence: see the attributes.
            apart: see the attributes.

        Returns:
            The round.
        """
        whole = PseudoLabels.joined(list(pseudo_labels))
        believed = whole.weights > 0
        return cls(
            boxes=int(believed.sum()),
            known=int((believed & whole.known).sum()),
            doubtful=int((~believed).sum()),
            history=history,
            evidence=evidence,
            apart=apart,
        )


@dataclass(frozen=True, eq=False)
class TrainedDetector:
    """A trained detector.

    Attributes:
        path: the path of the model file; if there is a `doubt`, of the one left beside the checkpoints.
        card: the card of the model.
        rounds: the training rounds.
        kept: the number of the round that the model is from, counted from 1.
        facts: what was done, by name, in words.
        teacher: the accuracy of the teacher model on held-out labels; None if boxes were given.
    """

    path: Path
    card: Card
    rounds: tuple[Round, ...]
    kept: int
    facts: tuple[tuple[str, str], ...]
    teacher: Evidence | None = None

    @property
    def doubt(self) -> str | None:
        """Why the detector was not written where it was to go, in words; None where it was.

        Held-out labels judge: a detector that classifies worse than its teacher model mostly has worse boxes too.
        """
        evidence = self.rounds[self.kept - 1].evidence
        if not worse_than(evidence, self.teacher):
            return None
        assert self.teacher is not None
        return (
            f"not written: on held-out labels the detector is worse than its teacher model "
            f"(precision {evidence.precision:.1f} % against {self.teacher.precision:.1f} %). Keep that model; the "
            f"detector is left in {self.path}, to compare both (boxless locate --save, or boxless evaluate --ap with "
            "boxes). More images, more epochs or a larger size may help"
        )

    @property
    def warning(self) -> str | None:
        """What is wrong with the detection threshold, in words; None where it tells classes apart."""
        threshold = self.rounds[self.kept - 1].evidence.threshold
        if threshold >= LOW_THRESHOLD:
            return None
        return (
            f"the detection threshold is {threshold:g}: classes that are in an image score hardly higher than others, "
            "so expect false boxes. Check the teacher model, or give more images"
        )

    def as_dict(self) -> dict[str, Any]:
        """The training in numbers.

        Returns:
            Plain data for JSON.
        """
        return {
            "model": str(self.path),
            "facts": dict(self.facts),
            "kept": self.kept,
            "threshold": self.rounds[self.kept - 1].evidence.threshold,
            "teacher_label_precision": None if self.teacher is None else round(self.teacher.precision, 2),
            "written": self.doubt is None,
            "doubt": self.doubt,
            "warning": self.warning,
            "rounds": [
                {
                    "boxes": each.boxes,
                    "known": each.known,
                    "doubtful": each.doubtful,
                    "epochs": len(each.history),
                    "loss": round(each.history[-1].loss, 4),
                    "seconds": round(sum(epoch.seconds for epoch in each.history), 1),
                    "label_precision": round(each.evidence.precision, 2),
                    "label_f1": round(each.evidence.f1, 2),
                }
                for each in self.rounds
            ],
        }


def in_words(
    network: Any,  # noqa: ANN401
    size: int,
    truth: TrueBoxes,
    learned: LabelledImages,
    held_out: LabelledImages,
    rounds: Sequence[Round],
    kept: int,
    teacher: Evidence | None,
) -> list[tuple[str, str]]:
    """What was done, by name."""
    epochs = [epoch for each in rounds for epoch in each.history]
    seconds = float(np.median([epoch.seconds for epoch in epochs]))
    lines = [
        ("learned from", f"{len(learned)} images of {learned.name}, {truth.in_words}"),
        ("held out", f"{len(held_out)} images of {held_out.name}; their labels chose round and detection threshold"),
        ("network", f"{network.name.removesuffix('_detector')} detector; {network.count_params():,} parameters"),
        ("size", f"{size} pixels a side"),
    ]
    if teacher is not None:
        lines.append(
            ("class maps' model", f"held-out labels: precision {teacher.precision:.1f} %, F1 {teacher.f1:.1f} %")
        )
    for number, each in enumerate(rounds, start=1):
        lines.append(
            (
                f"round {number}" + (", kept" if number == kept else ""),
                f"{each.boxes} boxes ({each.known} of known class), {each.doubtful} doubtful; {len(each.history)} "
                f"epochs; held-out labels: precision {each.evidence.precision:.1f} %, F1 {each.evidence.f1:.1f} %",
            )
        )
    return [
        *lines,
        ("trained", f"{len(epochs)} epochs of {seconds:.0f} s (median), at most {peak_memory()} MiB of memory"),
        ("ran on", ran_on()),
        ("Keras against ONNX", f"probabilities to {rounds[kept - 1].apart:.1e} (at most {TOLERANCE:g})"),
        ("threshold", f"scores from {rounds[kept - 1].evidence.threshold:g} on, with the best F1 on held-out labels"),
    ]


def peak_memory() -> int:
    """The most memory that this process had at a time, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return most >> (20 if sys.platform == "darwin" else 10)
