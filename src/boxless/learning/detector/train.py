"""Trains a detector on labelled images: on boxes of class maps first, then on its own boxes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from boxless.datasets.boxed import check_boxes, read_dataset
from boxless.datasets.labelled import LabelledImages
from boxless.errors import DatasetError, TrainingError
from boxless.export.assemble import write_card
from boxless.imaging.read import read_image
from boxless.learning.detector.evidence import Evidence, evidence_of
from boxless.learning.detector.export import export_detector
from boxless.learning.detector.input_size import DEFAULT_SIZE, input_size_for
from boxless.learning.detector.loss import DetectorTrainer
from boxless.learning.detector.options import DetectorOptions
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.result import Round, TrainedDetector, in_words, too_few, worse_than
from boxless.learning.detector.scenes import Scenes, variation_for
from boxless.learning.detector.teacher import (
    by_class_maps,
    by_detector,
    class_map_probabilities,
    detect,
    labels_of,
    load_pseudo_labels,
    save_pseudo_labels,
)
from boxless.learning.detector.true_boxes import TrueBoxes, true_boxes_of
from boxless.learning.network.checkpoint import Checkpoints
from boxless.learning.network.device import jit_compile, repeatable
from boxless.learning.network.epochs import enough_disk, run_epochs
from boxless.learning.network.examples import Store
from boxless.learning.network.history import Epoch
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.rates import optimizer_of
from boxless.learning.network.watch import Watch
from boxless.learning.readable import readable
from boxless.maps.class_maps import probabilities
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.models.presets import DEFAULT_PRESET, Preset, view_size
from boxless.networks.detector_backbones import STRIDES
from boxless.networks.framework import keras
from boxless.system.ordered import ordered_map
from boxless.system.progress import Progress

_LISTED = 5

_MARGIN = 1.25
"""Images are kept larger than the input size by this factor, so that enlarged parts are not blurred."""


def train_detector(
    training: LabelledImages,
    validation: LabelledImages,
    out: Path,
    settings: DetectorOptions,
    teacher: Path | Sequence[PseudoLabels],
    *,
    boxes: Path | None = None,
    licence: str = "unknown",
    watch: Watch | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> TrainedDetector:
    """Trains a detector on labelled images, and writes a model file if it is no worse than its teacher model.

    Both are compared on the held-out labels. If the detector is worse, nothing is written to `out`; it stays beside
    the checkpoints.

    The folder `NAME.training` beside the model holds the pseudo-boxes and checkpoints of each round: an interrupted
    training continues from the last complete epoch when it is called again. Checkpoints are removed at the end; the
    boxes stay.

    Args:
        training: the training images; see `boxless.datasets.split.read_split`.
        validation: held-out images; their labels choose the last round and the detection threshold.
        out: the model file.
        settings: the kind of detector, and how it is trained.
        teacher: a boxless model with class maps of the same classes; or the boxes of each training image, all of
            which must then be readable.
        boxes: annotations of a few training images; their boxes replace pseudo-boxes, and are shown more often.
        licence: of the model, an SPDX identifier.
        watch: is called as epochs begin and end.
        progress: called with the stage, the number done and the total, between the rounds.

    Returns:
        The trained detector; its `doubt` says why nothing was written, if so.

    Raises:
        DatasetError: if too many images cannot be read, no held-out image shows a class, or no boxed image is a
            training image.
        UnknownClassError: if the teacher lacks a label.
        TrainingError: if the training cannot continue, or no class map of any image has a component.
        DiskSpaceError: if checkpoints would not fit on the disk.

    Example:
        >>> from boxless.datasets.split import read_split
        >>> training, validation = read_split(Path("photos"))  # doctest: +SKIP
        >>> options = DetectorOptions(rounds=2)
        >>> train_detector(training, validation, Path("found.onnx"), options, Path("mine.onnx")).kept  # doctest: +SKIP
        2
    """
    if boxes is not None:
        check_boxes(boxes, training.classes)
    learned, held_out = readable(training, validation, progress)
    _check_shown(held_out)
    folder = out.with_suffix(".training")
    truth = TrueBoxes()
    if boxes is not None:
        truth = true_boxes_of(read_dataset(boxes, _card(out, learned, settings, DEFAULT_SIZE, truth, licence)), learned)
        if watch and (note := str(truth)):
            watch.warns(note)
    facts = _facts(learned, settings, teacher, truth)
    # The stamp keeps files of other trainings from being used or replaced; more rounds continue the same training.
    stamp = hashlib.sha256(json.dumps([facts, asdict(replace(settings, rounds=1))]).encode()).hexdigest()[:8]

    labels_of_round = _LabelsOfRounds(folder, stamp, teacher, learned, truth, progress)
    first = labels_of_round(1)
    if watch and isinstance(teacher, Path) and (warning := too_few(first, learned)):
        watch.warns(warning)
    shapes = list(ordered_map(_shape, learned.paths))
    own_side = float(np.median([np.sqrt(height * width) for height, width in shapes]))
    size = settings.size or input_size_for(first, own_side)
    facts["size"] = size
    repeatable(settings.seed)
    network = settings.network(len(learned.classes))
    store, aspects = Store(learned.paths, round(_MARGIN * size)), [_aspect(each, size) for each in shapes]
    repeats = truth.repeats(len(learned))
    rounds: list[Round] = []
    for number in range(1, settings.rounds + 1):
        pseudo_labels = first if number == 1 else labels_of_round(number, first)
        plan = _plan(settings, number, len(learned), size)
        variation = variation_for(pseudo_labels)
        scenes = Scenes(store, aspects, pseudo_labels, size, plan.batch, variation, plan.seed, repeats)
        run = {**facts, **asdict(plan), "boxes": _digest(pseudo_labels)}
        history = _train_round(network, scenes, plan, Checkpoints(folder / f"round-{number}", run), watch)
        made = _file(folder, number)
        apart = export_detector(network, made, _card(out, learned, settings, size, truth, licence), held_out.paths)
        evidence = _held_out_accuracy(ModelFile(made, threads=1), held_out, progress)
        rounds.append(Round.of(pseudo_labels, history, evidence, apart))
        if number > 1 and evidence.precision <= rounds[-2].evidence.precision:
            break
    kept = max(range(len(rounds)), key=lambda i: rounds[i].evidence.precision) + 1
    evidence, made = rounds[kept - 1].evidence, _file(folder, kept)
    before = _teacher_accuracy(teacher, held_out, progress)
    card = _with_threshold(ModelFile(made).card, evidence, held_out)
    path = made if worse_than(evidence, before) else out
    write_card(made, card, path)
    for number in range(1, len(rounds) + 1):
        Checkpoints(folder / f"round-{number}", {}).remove()
    words = in_words(network, size, truth, learned, held_out, rounds, kept, before)
    return TrainedDetector(path, card, tuple(rounds), kept, tuple(words), before)


@dataclass(frozen=True, eq=False)
class _LabelsOfRounds:
    """The pseudo-labels of each round: of class maps first, then of the round before; kept beside the checkpoints."""

    folder: Path
    stamp: str
    teacher: Path | Sequence[PseudoLabels]
    learned: LabelledImages
    truth: TrueBoxes
    progress: Progress

    def __call__(self, number: int, first: Sequence[PseudoLabels] = ()) -> list[PseudoLabels]:
        kept = self.folder / f"boxes-{number}-{self.stamp}.npz"
        if kept.exists():
            return load_pseudo_labels(kept)
        if number == 1:
            found = _first(self.teacher, self.learned, self.progress)
        else:
            done = partial(_report, self.progress, f"boxes of round {number}", len(self.learned))
            found = by_detector(_file(self.folder, number - 1), self.learned, first, done)
        found = self.truth.added_to(found, [labels_of(self.learned, i) for i in range(len(self.learned))])
        save_pseudo_labels(kept, found)
        return found


def _check_shown(held_out: LabelledImages) -> None:
    wanted = [k for k in range(len(held_out.classes)) if k not in held_out.background]
    if not held_out.counts[wanted].any():
        some = ", ".join(held_out.classes[k] for k in wanted[:_LISTED])
        raise DatasetError(
            f"{held_out.name}: no held-out image shows {some}{' or another class' if len(wanted) > _LISTED else ''}, "
            "so the detector cannot be measured (choose other images: --val)"
        )


def _report(progress: Progress, stage: str, total: int, done: int) -> None:
    progress(stage, done, total)


def _first(teacher: Path | Sequence[PseudoLabels], learned: LabelledImages, progress: Progress) -> list[PseudoLabels]:
    if isinstance(teacher, Path):
        return by_class_maps(teacher, learned, partial(_report, progress, "boxes of class maps", len(learned)))
    if len(teacher) != len(learned):
        raise TrainingError(f"boxes of {len(teacher)} images for {len(learned)} that can be read (expected as many)")
    return list(teacher)


def _plan(settings: DetectorOptions, number: int, images: int, size: int) -> TrainingPlan:
    """The plan of a round: the first trains from scratch, later ones are shorter, at half the learning rate."""
    later = number > 1
    return TrainingPlan(
        epochs=settings.epochs_of(number, images, size),
        batch=settings.batch,
        rate=settings.rate / 2 if later else settings.rate,
        keep="last",
        # Each round has its own scenes.
        seed=settings.seed + number - 1,
        clip=10.0,
    )


def _train_round(
    network: Any,  # noqa: ANN401
    scenes: Scenes,
    plan: TrainingPlan,
    checkpoints: Checkpoints,
    watch: Watch | None,
) -> tuple[Epoch, ...]:
    """Trains one round, in place; its epochs."""
    model = DetectorTrainer(network.input, network.output)
    model.compile(optimizer_of(plan, scenes.steps), jit_compile=jit_compile())
    model.optimizer.build(model.trainable_variables)
    enough_disk(model, checkpoints.folder)
    return run_epochs(
        model, plan, scenes.steps, scenes.epoch, judged=None, checkpoints=checkpoints, watch=watch or Watch()
    )


def _held_out_accuracy(network: ModelFile, held_out: LabelledImages, progress: Progress) -> Evidence:
    rows = []
    for logits in ordered_map(lambda path: detect(network, path)[0].logits, held_out.paths):
        rows.append(probabilities(logits, "sigmoid"))
        progress("held out", len(rows), len(held_out))
    return evidence_of(np.stack(rows), held_out.targets, held_out.background)


def _teacher_accuracy(
    teacher: Path | Sequence[PseudoLabels], held_out: LabelledImages, progress: Progress
) -> Evidence | None:
    """The same for the teacher model; None if the boxes were given."""
    if not isinstance(teacher, Path):
        return None
    scores = class_map_probabilities(
        teacher, held_out, partial(_report, progress, "the teacher, held out", len(held_out))
    )
    return evidence_of(scores, held_out.targets, held_out.background)


def _card(
    out: Path, learned: LabelledImages, settings: DetectorOptions, size: int, truth: TrueBoxes, licence: str
) -> Card:
    return Card(
        name=out.stem,
        labels=learned.classes,
        background=learned.background,
        presets={DEFAULT_PRESET: Preset(scales=(size,), refinement_steps=1)},
        preprocessing="in the network",
        licence=licence,
        source=f"{settings.backbone} detector trained on {len(learned)} images of {learned.name}, {truth.in_words}",
        activation="sigmoid",
        maps="none",
    )


def _with_threshold(card: Card, evidence: Evidence, held_out: LabelledImages) -> Card:
    """The card with the detection threshold and the accuracy measured on held-out labels."""
    words = f"the labels of {len(held_out)} images of {held_out.name}: best classification F1"
    preset = card.presets[DEFAULT_PRESET]
    preset = replace(
        preset, threshold=evidence.threshold, set_on=words, min_probability=evidence.threshold, detection_set_on=words
    )
    return replace(
        card,
        presets={DEFAULT_PRESET: preset},
        figures={"label_precision": round(evidence.precision, 1), "label_f1": round(evidence.f1, 1)},
        figures_on=f"{len(held_out)} held-out images of {held_out.name}",
    )


def _file(folder: Path, number: int) -> Path:
    return folder / f"round-{number}.onnx"


def _shape(path: Path) -> tuple[int, int]:
    image = read_image(path, enough=1)
    return image.height, image.width


def _aspect(shape: tuple[int, int], size: int) -> float:
    """Height over width of an image as the network's input; very wide and very tall ones are squeezed."""
    rows, columns = view_size(size, *shape, STRIDES[-1])
    return rows / columns


def _facts(
    learned: LabelledImages, settings: DetectorOptions, teacher: Path | Sequence[PseudoLabels], truth: TrueBoxes
) -> dict[str, Any]:
    """What must be the same for a training to continue."""
    by = hashlib.sha256(teacher.read_bytes()).hexdigest()[:8] if isinstance(teacher, Path) else _digest(teacher)
    return {
        "images": f"{len(learned)} ({learned.digest})",
        "teacher": by,
        "detector": f"{settings.backbone}, width {settings.width:g}",
        "true boxes": f"{sorted(truth.of)} {_digest([truth.of[i] for i in sorted(truth.of)])}" if truth.of else "none",
        "backend": keras.backend.backend(),
    }


def _digest(pseudo_labels: Sequence[PseudoLabels]) -> str:
    whole = PseudoLabels.joined(list(pseudo_labels))
    parts = (whole.boxes.tobytes(), whole.candidates.tobytes(), whole.weights.tobytes())
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]
