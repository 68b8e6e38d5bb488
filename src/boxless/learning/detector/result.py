"""What the training of a detector brought."""

from __future__ import annotations

import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxless.datasets.labelled import LabelledPictures
from boxless.learning.detector.evidence import Evidence
from boxless.learning.detector.settings import Settings
from boxless.learning.detector.taught import Taught
from boxless.learning.network.export import TOLERANCE
from boxless.learning.network.history import Epoch
from boxless.learning.network.train import ran_on
from boxless.models.card import Card


@dataclass(frozen=True, eq=False)
class Round:
    """One round of teaching.

    Attributes:
        boxes: that were taught.
        known: of these, those whose class was known.
        doubtful: boxes beside these of which nothing was learned.
        history: what each epoch brought.
        evidence: what held-out labels say of the detector after it.
        apart: the largest difference of a probability between Keras and the model file.
    """

    boxes: int
    known: int
    doubtful: int
    history: tuple[Epoch, ...]
    evidence: Evidence
    apart: float

    @classmethod
    def of(cls, taught: Sequence[Taught], history: tuple[Epoch, ...], evidence: Evidence, apart: float) -> Round:
        """A round, its boxes counted."""
        whole = Taught.joined(list(taught))
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
    """What `train_detector` made.

    Attributes:
        path: of the model file.
        card: of the model.
        rounds: that were taught.
        kept: which of them the model is of, from 1.
        facts: what was done, by name, in words.
        teacher: what held-out labels say of the model whose class maps taught; None where boxes did.
    """

    path: Path
    card: Card
    rounds: tuple[Round, ...]
    kept: int
    facts: tuple[tuple[str, str], ...]
    teacher: Evidence | None = None

    @property
    def doubt(self) -> str | None:
        """Why the detector may be worse than what taught it, in words; None where labels say nothing of the kind."""
        evidence = self.rounds[self.kept - 1].evidence
        if self.teacher is None or evidence.precision >= self.teacher.precision:
            return None
        return (
            f"the detector names held-out pictures worse than the model whose class maps taught it (precision "
            f"{evidence.precision:.1f} % against {self.teacher.precision:.1f} %): its boxes may be worse too. Look at "
            "both (boxless locate --save), or compare them where boxes are drawn (boxless evaluate --ap). More "
            "pictures, more epochs or a larger size may help"
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "model": str(self.path),
            "facts": dict(self.facts),
            "kept": self.kept,
            "level": self.rounds[self.kept - 1].evidence.level,
            "teacher_label_precision": None if self.teacher is None else round(self.teacher.precision, 2),
            "doubt": self.doubt,
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
    settings: Settings,
    learned: LabelledPictures,
    held_out: LabelledPictures,
    rounds: Sequence[Round],
    kept: int,
    teacher: Evidence | None,
) -> list[tuple[str, str]]:
    """What was done, by name."""
    epochs = [epoch for each in rounds for epoch in each.history]
    seconds = float(np.median([epoch.seconds for epoch in epochs]))
    lines = [
        ("learned from", f"{len(learned)} pictures of {learned.name}, their labels alone"),
        ("held out", f"{len(held_out)} pictures of {held_out.name}; their labels chose round and level"),
        ("network", f"{settings.backbone} detector; {network.count_params():,} parameters"),
        ("size", f"{settings.size} pixels a side"),
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
        ("box level", f"scores from {rounds[kept - 1].evidence.level:g} on, where held-out labels are named best"),
    ]


def peak_memory() -> int:
    """The most memory that this process had at a time, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return most >> (20 if sys.platform == "darwin" else 10)
