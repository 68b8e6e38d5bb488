"""Fitting, training, attaching and measuring as functions: what the commands of the same names do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boxless.errors import ArgumentError, UnknownPresetError
from boxless.models.zoo import DEFAULT_MODEL, quick_model
from boxless.system.arguments import check_arguments, checked
from boxless.system.extras import require
from boxless.system.files import check_place
from boxless.system.html_page import PAGE
from boxless.system.progress import Progress

if TYPE_CHECKING:
    from boxless.evaluation.evaluation import Evaluation
    from boxless.export.attachment import Attached
    from boxless.learning.report.report import Report


def _silent(stage: str, done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Learned:
    """What `fit` and `train` made.

    Attributes:
        model: path of the model file, for `boxless.Localizer`.
        report: path of the report, a web page; `report.json` beside it has the same data.
        classes: the classes that were learned, by index.
        metrics: percentages on the held-out images, by name, such as "accuracy".
        notes: what was wrong with the data.
    """

    model: Path
    report: Path
    classes: tuple[str, ...]
    metrics: Mapping[str, float]
    notes: tuple[str, ...]


@checked
def fit(
    images: str | Path,
    out: str | Path,
    *,
    backbone: str | Path = DEFAULT_MODEL,
    val: str | Path | float | None = None,
    size: int | None = None,
    localization_size: int | None = None,
    boxes: str | Path | None = None,
    preset: str | None = None,
    report: str | Path | None = None,
    licence: str = "unknown",
    seed: int = 0,
    on_progress: Progress = _silent,
) -> Learned:
    """Learns your own classes from labelled images, without boxes: a linear head on a frozen backbone.

    Args:
        images: a folder with a sub-folder for each class, or a CSV file of path and label.
        out: the model file to write; an existing one is replaced.
        backbone: name or file of the model whose features are used.
        val: held-out images: a folder, a CSV file, a split of the CSV file, or a fraction; a fifth where None.
        size: input size for classification in pixels; 224 or 448, by cross-validation, where None.
        localization_size: input size for localization maps in pixels; chosen from the data where None.
        boxes: annotations of a few images of each class: they choose how it is localized, and set thresholds.
        preset: for the heatmaps of the report; the model's default where None.
        report: folder of the report; beside the model where None.
        licence: of the model, an SPDX identifier.
        seed: of everything random.
        on_progress: called with the stage, how much is done, and of how much.

    Returns:
        Paths of model and report, and metrics on the held-out images.

    Raises:
        MissingExtraError: if the extra "fit" is not installed.
        DatasetError: if the images, their labels or the boxes cannot be used; nothing is learned before all are read.
        ModelFileError, UnknownPresetError: if there is no such backbone or preset.
        ArgumentError: if an argument is of another type, or a size out of range.
        OutputError: if model or report cannot be written to their places.

    Example:
        >>> learned = boxless.fit("photos", "mine.onnx")  # doctest: +SKIP
        >>> learned.metrics["accuracy"]  # doctest: +SKIP
        97.5
        >>> boxless.Localizer(learned.model).locate("new.jpg").labels  # doctest: +SKIP
        ('scratch',)
    """
    require("fit", "boxless.fit")
    from boxless.datasets.split import read_split
    from boxless.learning.head.fit import fit as fit_images
    from boxless.models.model_file import ModelFile

    for name, side, most in (("size", size, 1024), ("localization_size", localization_size, 2048)):
        if side is not None and not 32 <= side <= most:
            raise ArgumentError(f"fit: {name} is {side} (expected 32 to {most} pixels)")
    _check_places(out, report)
    if preset is not None:
        ModelFile(backbone).card.preset(preset)
    training, held_out = read_split(Path(images), None if val is None else str(val), seed)
    made = fit_images(
        training,
        held_out,
        Path(out),
        backbone=backbone,
        side=size,
        localization_size=localization_size,
        boxes=None if boxes is None else Path(boxes),
        licence=licence,
        seed=seed,
        progress=on_progress,
    )
    return _learned(made.report, made.path, preset, report, on_progress)


@checked
def train(
    images: str | Path,
    out: str | Path,
    network: str,
    *,
    val: str | Path | float | None = None,
    head: str = "gap",
    size: int | None = None,
    width: float = 1.0,
    weights: str | Path | None = None,
    rate: float | None = None,
    augment: str | None = None,
    boxes: str | Path | None = None,
    preset: str | None = None,
    report: str | Path | None = None,
    licence: str = "unknown",
    seed: int = 0,
    devices: int | None = None,
    mixed_precision: bool | None = None,
    callbacks: Sequence[Any] = (),
    on_progress: Progress = _silent,
    **plan: Any,  # noqa: ANN401
) -> Learned:
    """Trains a whole network on labelled images, without boxes.

    Stopped or killed, the same call continues from the last complete epoch.

    Args:
        images, out, val, boxes, preset, report, licence, seed, on_progress: as for `fit`.
        network: such as "nin_bn" or "efficientnet_lite0"; see `boxless.networks.catalogue.NETWORKS`.
        head: "gap" (average pooling) or "gmp" (maximum pooling).
        size: input size in pixels; what the network was designed for where None.
        width: factor on the numbers of filters.
        weights: "imagenet" or a Keras model file to start from; random weights where None.
        rate: highest learning rate; by the optimizer, lower with `weights`, where None.
        augment: "none", "shift", "small" or "large"; by the input size where None.
        devices: devices that share every batch (on JAX); all GPUs that the backend can use where None.
        mixed_precision: whether to compute in half precision; where None, as Keras' dtype policy says, and on a GPU.
        callbacks: of Keras, such as `keras.callbacks.EarlyStopping(patience=5)`.
        **plan: other fields of `boxless.learning.network.plan.TrainingPlan`, such as `epochs`, `batch` and `optimizer`.

    Returns:
        Paths of model and report, and metrics on the held-out images.

    Raises:
        MissingExtraError: if the extra "train" is not installed.
        DatasetError: if the images, their labels or the boxes cannot be used.
        UnknownPresetError: if there is no such preset.
        TrainingError: if training cannot go on.
        NetworkError: if there are no such weights.
        ArgumentError: if an argument is of another type.
        OutputError: if model or report cannot be written to their places.

    Example:
        >>> boxless.train("photos", "own.onnx", "efficientnet_lite0", weights="imagenet")  # doctest: +SKIP
        Learned(model=PosixPath('own.onnx'), ...)
    """
    require("train", "boxless.train")
    from boxless.datasets.split import read_split
    from boxless.learning.network.augment import usual_augmentation
    from boxless.learning.network.choice import Choice
    from boxless.learning.network.plan import TrainingPlan, usual_rate
    from boxless.learning.network.train import train as train_on
    from boxless.models.presets import PRESETS

    _check_places(out, report)
    if preset is not None and preset not in PRESETS:
        raise UnknownPresetError(f"no preset '{preset}' (a trained network has {', '.join(PRESETS)})")
    choice = Choice(network, head, size, width, None if weights is None else str(weights))
    settings = TrainingPlan(
        rate=usual_rate(plan.get("optimizer", "adamw"), fine_tune=weights is not None) if rate is None else rate,
        augment=augment or usual_augmentation(choice.side),
        seed=seed,
        **plan,
    )
    training, held_out = read_split(Path(images), None if val is None else str(val), seed)
    made = train_on(
        training,
        held_out,
        Path(out),
        choice,
        settings,
        devices=devices,
        mixed=mixed_precision,
        callbacks=callbacks,
        boxes=None if boxes is None else Path(boxes),
        licence=licence,
        progress=on_progress,
    )
    return _learned(made.report, made.path, preset, report, on_progress)


@checked
def attach(
    model: Any,  # noqa: ANN401
    out: str | Path,
    *,
    boxes: str | Path | None = None,
    on_progress: Progress = _silent,
    **options: Any,  # noqa: ANN401
) -> Attached:
    """Turns a classifier into a localizer: adds class maps to its outputs, and verifies that its logits do not change.

    Args:
        model: path of an ONNX or Keras file, a Keras model, a PyTorch module, or the name of a published classifier:
            `keras:NAME`, `torchvision:NAME`, `timm:NAME` or `hf:ORG/NAME`.
        out: the model file to write.
        boxes: annotations to set box thresholds on.
        on_progress: called with the stage, how much is done, and of how much.
        **options: `labels`, `preprocess`, `input_size` and others of `boxless.export.attach`; for PyTorch
            `example_size` too.

    Returns:
        The path of the boxless model, its card, and what was verified.

    Raises:
        MissingExtraError: if the extra "graph", or the model's framework, is not installed.
        NetworkError: if the classifier cannot be read, downloaded or exported, or has no class maps inside.
        DatasetError: if the boxed images cannot be used.
        ArgumentError: if an argument is of another type.
        OutputError: if the model cannot be written to its place. Nothing is written.

    Example:
        >>> made = boxless.attach("keras:ResNet50", "resnet50.onnx")  # doctest: +SKIP
        >>> boxless.Localizer(made.path)  # doctest: +SKIP
        <Localizer ResNet50, balanced: 1000 classes>
        >>> boxless.attach("mine.onnx", "attached.onnx", labels=["cat", "dog"], preprocess="tf")  # doctest: +SKIP
        Attached(path=PosixPath('attached.onnx'), ...)
    """
    require("graph", "boxless.attach")
    check_place(Path(out))
    if boxes is None:
        return _attach(model, Path(out), options)
    from boxless.evaluation import read_dataset
    from boxless.evaluation.calibrate import calibrate_presets, with_thresholds
    from boxless.export.assemble import keep_original, write_card
    from boxless.models.model_file import ModelFile
    from boxless.system.files import work_folder

    if isinstance(model, (str, Path)):
        keep_original(Path(model), Path(out))
    with work_folder(Path(out)) as folder:
        made = _attach(model, folder / Path(out).name, options)
        network = ModelFile(made.path, threads=1)
        found, set_on = calibrate_presets(network, read_dataset(Path(boxes), network.card), progress=on_progress)
        card = with_thresholds(made.card, found, set_on)
        write_card(made.path, card, Path(out))
    return replace(made, path=Path(out), card=card)


def _attach(model: Any, out: Path, options: dict[str, Any]) -> Attached:  # noqa: ANN401
    from boxless.export.attachment import attach as attach_graph
    from boxless.export.classifier_files import attach_file
    from boxless.export.from_frameworks import from_keras, from_torch

    check_arguments(attach_graph, {name: option for name, option in options.items() if option is not None})
    if isinstance(model, (str, Path)):
        return attach_file(model, out, **options)
    is_torch = any(kind.__module__.partition(".")[0] == "torch" for kind in type(model).__mro__)
    return (from_torch if is_torch else from_keras)(model, out, **options)


@checked
def evaluate(
    boxes: str | Path,
    model: str | Path | None = None,
    preset: str | None = None,
    *,
    images: str | Path | None = None,
    format: str | None = None,
    on_progress: Progress = _silent,
) -> Evaluation:
    """Measures how well a model localizes what people boxed.

    Args:
        boxes: annotations (COCO, VOC, CSV), or a folder that holds them.
        model: name or file of a model; the one that runs best on this processor where None, as for `Localizer`.
        preset: of the model; its default where None.
        images: folder of the images; beside the annotations where None.
        format: of the annotations; detected from the files where None.
        on_progress: called with the stage, how much is done, and of how much.

    Returns:
        All metrics with their intervals; `metrics` has the plain numbers.

    Raises:
        DatasetError: if the annotations cannot be read, or no image can be measured.
        ModelFileError, UnknownPresetError: if there is no such model or preset.
        ArgumentError: if an argument is of another type.

    Example:
        >>> measured = boxless.evaluate("boxes.json", "mine.onnx")  # doctest: +SKIP
        >>> measured.metrics["max_box_acc_v2"]["deployable"]  # doctest: +SKIP
        71.3
    """
    from boxless.evaluation import Evaluation, measure_model, read_dataset
    from boxless.models.model_file import ModelFile

    network = ModelFile(quick_model() if model is None else model, threads=1)
    boxed = read_dataset(Path(boxes), network.card, format, None if images is None else Path(images))
    name = preset or network.card.default_preset
    stored = network.card.preset(name)
    scores = []
    for score in measure_model(network, name, boxed.images, boxed.notes):
        scores.append(score)
        on_progress("images", len(scores), len(boxed.images))
    return Evaluation.of(boxed, f"{network.card.name}, {name}", stored.cut, scores)


def _check_places(out: str | Path, report: str | Path | None) -> None:
    for each in (Path(out), *([] if report is None else [Path(report) / PAGE])):
        check_place(each)


def write_report(
    report: Report, model: Path, preset: str | None, folder: Path | None, on_progress: Progress = _silent
) -> Path:
    """Writes the report of what was learned: a web page, and the same data beside it as JSON.

    Args:
        report: what was learned.
        model: the model file.
        preset: for the heatmaps; the model's default where None.
        folder: for the report; `NAME.report` beside the model file where None.
        on_progress: called with the stage, how much is done, and of how much.

    Returns:
        The page's path.
    """
    from boxless.models.model_file import ModelFile
    from boxless.system.files import write_whole
    from boxless.system.text import figures_json

    network = ModelFile(model)
    folder = folder or model.with_suffix(".report")
    page = report.write(
        network,
        preset or network.card.default_preset,
        folder,
        lambda done: on_progress("report", done, report.heat_maps),
    )
    data = figures_json(report.as_dict(), indent=1)
    write_whole(folder / "report.json", lambda beside: beside.write_text(data, encoding="ascii"))
    return page


def _learned(
    report: Report, model: Path, preset: str | None, folder: str | Path | None, on_progress: Progress
) -> Learned:
    page = write_report(report, model, preset, None if folder is None else Path(folder), on_progress)
    metrics = {name: each.value for name, each in report.figures.items()}
    return Learned(model, page, report.training.classes, metrics, report.notes)
