"""boxless evaluate: how well a model, or anybody's maps, localize what people boxed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.options import AnnotationFormat, Annotations, AsJson, Device, Force, ImagesDir, ModelPreset, Nms
from boxless.models.zoo import quick_model

if TYPE_CHECKING:
    from boxless.evaluation import BoxedSet, Figure, Score
    from boxless.models.model_file import Network


def evaluate(
    dataset: Annotations,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Name (see boxless models) or file of a model; repeatable with --ap "
            "[default: the one that runs best on this processor].",
        ),
    ] = None,
    preset: ModelPreset = None,
    layout: AnnotationFormat = None,
    images: ImagesDir = None,
    ap: Annotated[
        bool, typer.Option("--ap", help="Measure average precision of all boxes instead; compares several models.")
    ] = False,
    nms: Nms = 1.0,
    maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Measure these maps (NumPy files) instead of a model's.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="SHARE", min=0.01, max=0.99, help="Threshold of the box, with --maps.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="CAM method: cam, gradcam, hirescam, xgradcam, layercam, gradcam++, ablationcam or eigencam "
            "[default: the model's maps].",
        ),
    ] = None,
    walk: Annotated[
        bool, typer.Option("--refine/--no-refine", help="Refine the maps of --method by random walk.")
    ] = True,
    faithful: Annotated[
        int, typer.Option(metavar="N", min=0, help="Measure faithfulness too, on N images (slow).")
    ] = 0,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for a report with figures and images [default: none].")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
    device: Device = None,
) -> None:
    """Measure localization on boxed images.

    Reports deployable and oracle metrics separately: an oracle picks threshold and box with the truth at hand.
    """
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import counted, stages
    from boxless.cli.table import evaluate_boxes, print_evaluation
    from boxless.cli.verbosity import note
    from boxless.evaluation import Evaluation, measure_maps, measure_model, read_dataset
    from boxless.evaluation.features import FeatureNetwork
    from boxless.evaluation.report import write_report
    from boxless.models.model_file import ModelFile
    from boxless.system.html_page import PAGE

    models = model or [quick_model()]
    if ap:
        if maps or method or faithful or report or threshold:
            raise typer.BadParameter("--ap stands alone: no --maps, --threshold, --method, --faithful, --report")
        evaluate_boxes(dataset, models, preset, layout, images, nms, as_json)
        return
    if nms < 1:
        raise typer.BadParameter("is for --ap", param_hint="--nms")
    if len(models) > 1:
        raise typer.BadParameter(f"{len(models)} models: name one, or compare them with --ap", param_hint="--model")
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    network: Network
    network = ModelFile(models[0], 1) if method is None else FeatureNetwork(models[0], method, walk=walk, threads=1)
    if method is None and not walk:
        raise typer.BadParameter("--no-refine goes with --method: the model's own maps are always refined")
    boxed = read_dataset(dataset, network.card, layout, images)
    scores: Iterator[Score]
    name = preset or network.card.default_preset
    if maps is not None:
        subject = f"maps of {maps}"
        cut = f"{threshold}, as asked for" if threshold else "none given (--threshold), so no deployable figures"
        scores = measure_maps(maps, boxed.images, boxed.notes, threshold)
    else:
        stored = network.card.preset(name)
        subject = ", ".join([network.card.name, name, *([method] if method else []), *([] if walk else ["no walk"])])
        cut = stored.cut
        scores = measure_model(network, name, boxed.images, boxed.notes)
    more = _faithfulness(network, models[0], name, boxed, faithful) if faithful and maps is None else []
    with stages() as progress:
        evaluation = Evaluation.of(boxed, subject, cut, counted(scores, "images", len(boxed.images), progress), more)
    page = write_report(evaluation, network.card, report) if report else None
    print_evaluation(evaluation, as_json)
    if page:
        note(f"report: {page}")


def _faithfulness(network: Network, model: str, preset: str, boxed: BoxedSet, count: int) -> list[Figure]:
    """The lines of the table; completeness only where the bias can be read from the file."""
    from boxless.errors import MissingExtraError, ModelFileError
    from boxless.evaluation.faithfulness import faithfulness_figures
    from boxless.evaluation.features import FeatureNetwork

    try:
        bias = FeatureNetwork(model).bias if not isinstance(network, FeatureNetwork) else None
    except (MissingExtraError, ModelFileError):
        bias = None
    return faithfulness_figures(network, preset, boxed.images, boxed.notes, count, bias)
