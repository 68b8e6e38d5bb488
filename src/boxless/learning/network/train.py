"""Trains a network on labelled images, and writes it as a model file."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from boxless.datasets.boxed import check_boxes, read_dataset
from boxless.datasets.labelled import LabelledImages
from boxless.evaluation.calibrate import Calibration
from boxless.learning.finish import finish, threshold_facts
from boxless.learning.network.checkpoint import Checkpoints
from boxless.learning.network.choice import Choice
from boxless.learning.network.device import devices as sharing_devices
from boxless.learning.network.device import gpus, mixed_precision, repeatable
from boxless.learning.network.examples import Examples
from boxless.learning.network.export import TOLERANCE, Parity, export_network
from boxless.learning.network.history import Epoch, best_of
from boxless.learning.network.loop import check_callbacks, train_network
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.score import chance_loss, nothing_learned
from boxless.learning.network.watch import Watch
from boxless.learning.readable import readable
from boxless.learning.report.report import Report
from boxless.models.card import Card
from boxless.models.model_file import ModelFile
from boxless.networks.framework import keras
from boxless.system.cores import usable_cores
from boxless.system.files import write_whole
from boxless.system.progress import Progress


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model.

    Attributes:
        path: the path of the model file.
        card: its card.
        network: the path of the Keras model that it was exported from.
        history: the metrics of each epoch.
        parity: how much the outputs of model file and Keras model differ.
        report: the training report.
        thresholds: the calibration of each preset, if there were boxes.
    """

    path: Path
    card: Card
    network: Path
    history: tuple[Epoch, ...]
    parity: Parity
    report: Report
    thresholds: tuple[Calibration, ...]


def train(
    training: LabelledImages,
    validation: LabelledImages,
    out: Path,
    choice: Choice,
    plan: TrainingPlan,
    *,
    devices: int | None = None,
    mixed: bool | None = None,
    boxes: Path | None = None,
    licence: str = "unknown",
    watch: Watch | None = None,
    callbacks: Sequence[Any] = (),
    progress: Progress = lambda stage, done, total: None,
) -> Trained:
    """Trains a network on images, and writes a model file that classifies and localizes what they show.

    While it trains, the folder `NAME.training` beside the model holds checkpoints: an interrupted training resumes
    after the last complete epoch when it is called again. At the end they are removed, and `network.keras`,
    `history.csv` and TensorBoard's `logs` stay.

    Args:
        training: see `boxless.datasets.split.read_split`.
        validation: images to choose the best epoch on, and to measure on, of the same classes.
        out: the model file.
        choice: which network.
        plan: how it is trained.
        devices: devices of this machine that share every batch; if None, all GPUs that the backend can use.
        mixed: whether to compute in half precision; if None, as Keras' dtype policy says, and on a GPU.
        boxes: annotations (COCO, CSV, a folder) that thresholds are set on; a default threshold if None.
        licence: of the model, an SPDX identifier.
        watch: called as epochs begin and end.
        callbacks: of Keras; see `train_network`.
        progress: called with the stage, the number done and the total, before and after the epochs.

    Returns:
        The path of the model, its card, and how well it does on the held-out images.

    Raises:
        DatasetError: if too much cannot be read, or the boxes fit no class.
        DiskSpaceError: if checkpoints or model would not fit on the disk.
        TrainingError: if the training cannot continue, or the outputs of model file and Keras differ.
        NetworkError: if the initial weights are not available.

    Example:
        >>> from boxless.datasets.split import read_split
        >>> from boxless.learning.network.choice import Choice
        >>> training, validation = read_split(Path("photos"))  # doctest: +SKIP
        >>> train(training, validation, Path("own.onnx"), Choice("nin_bn"), TrainingPlan()).path  # doctest: +SKIP
        PosixPath('own.onnx')
    """
    check_callbacks(callbacks)
    if boxes is not None:
        check_boxes(boxes, training.classes)
    learned, held_out = readable(training, validation, progress)
    folder = out.with_suffix(".training")
    classes = len(learned.classes)
    repeatable(plan.seed)
    with sharing_devices(devices) as sharing:
        with mixed_precision(mixed) as half:
            network = choice.built(classes)
        about = _in_words(choice) + (", in mixed precision" if half else "")
        history = train_network(
            network,
            _examples(learned),
            _examples(held_out),
            plan,
            choice.side,
            folder=folder,
            about=about,
            watch=watch,
            callbacks=callbacks,
        )
    chance = chance_loss(learned.targets, learned.several, plan.label_smoothing)
    if (warning := nothing_learned(history, chance)) and watch:
        watch.warns(warning)
    if half or sharing > 1:
        trained = network
        with mixed_precision(False):
            network = choice.bare(classes)
        network.set_weights(trained.get_weights())
    saved = folder / "network.keras"
    # Without the optimizer, which nothing needs any more.
    bare = keras.Model(network.input, network.output, name=network.name)
    write_whole(saved, bare.save)

    made: list[tuple[Parity, Any, Report]] = []

    def write(beside: Path) -> None:
        fields = {
            "name": out.stem,
            "labels": learned.classes,
            "background": learned.background,
            "activation": "sigmoid" if learned.several else "softmax",
            "licence": licence,
            "source": f"{choice.name} trained on {len(learned)} images of {learned.name}"
            + (f", from {choice.start}" if choice.start else ""),
        }
        parity = export_network(network, beside, fields, choice.side, choice.entry.multiple, held_out.paths)
        card = ModelFile(beside).card
        done = finish(beside, card, held_out, read_dataset(boxes, card) if boxes else None, progress)
        facts = _facts(network, about, choice.side, plan, history, parity, learned, held_out, done.card)
        facts.append(("ran on", ran_on(sharing)))
        measured = replace(done.measured, notes=(*([warning] if warning else []), *done.measured.notes))
        report = Report.of(
            f"{out.stem}: {classes} classes", facts, learned, measured, None, done.thresholds, done.occlusion
        )
        made.append((parity, done, report))

    write_whole(out, write)
    parity, done, report = made[0]
    Checkpoints(folder, {}).remove()
    return Trained(out, done.card, saved, history, parity, report, done.thresholds)


def _examples(images: LabelledImages) -> Examples:
    return Examples(images.paths, images.targets, images.several)


def _facts(
    network: Any,  # noqa: ANN401
    about: str,
    side: int,
    plan: TrainingPlan,
    history: Sequence[Epoch],
    parity: Parity,
    learned: LabelledImages,
    held_out: LabelledImages,
    card: Card,
) -> list[tuple[str, str]]:
    kept = (plan.keep == "best" and best_of(history)) or history[-1]
    maps = f", class maps to {parity.maps:.1e} of the largest" if parity.maps is not None else ""
    return [
        ("learned from", f"{len(learned)} images of {learned.name}"),
        ("held out", f"{len(held_out)} images of {held_out.name}; they chose the epoch too"),
        ("network", f"{about}; {network.count_params():,} parameters"),
        ("size", f"{side} pixels a side"),
        ("trained", f"{len(history)} epochs, {sum(each.seconds for each in history):.0f} s; epoch {kept.epoch} kept"),
        (
            "plan",
            f"{plan.optimizer}, rate {plan.rate:g} ({plan.schedule}, warm-up {plan.warmup:g}), batch "
            f"{plan.batch}, weight decay {plan.weight_decay:g}, augmentation {plan.augment}, seed {plan.seed}",
        ),
        ("Keras against ONNX", f"probabilities to {parity.probabilities:.1e}{maps} (at most {TOLERANCE:g})"),
        *threshold_facts(card),
    ]


def _in_words(choice: Choice) -> str:
    width = f", width {choice.width:g}" if choice.width != 1 else ""
    return f"{choice.name}{width}, head {choice.head}, from {choice.start or 'random weights'}"


def ran_on(devices: int = 1) -> str:
    """Processor and framework, in words, of a training whose batches so many devices shared."""
    backend = keras.backend.backend()
    version = getattr(import_module(backend), "__version__", "")
    there = gpus()
    cores = f"CPU, {usable_cores()} cores" + (f" as {devices} devices" if devices > 1 else "")
    where = "a GPU" if there == 1 else f"{devices} of {there} GPUs" if there else cores
    return f"{where} ({platform.machine()}), {backend} {version}"
