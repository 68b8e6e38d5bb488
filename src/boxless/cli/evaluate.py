"""boxless evaluate: how well a model, or anybody's maps, find what people boxed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.device import DeviceOption, use_device
from boxless.models.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from boxless.evaluation import BoxedSet, Figure, Score
    from boxless.models.model_file import Network


def evaluate(
    dataset: Annotated[
        Path, typer.Argument(metavar="BOXES", help="Annotations (COCO .json, .csv) or a folder that holds them.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help=f"A model's name (see boxless models) or file; {DEFAULT_MODEL}. Several with --ap.",
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="PRESET", help="fast, balanced or best; the model's default.")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="coco, voc, folder+csv, wsol or folders; told from the files."),
    ] = None,
    pictures: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the pictures are.")] = None,
    ap: Annotated[
        bool, typer.Option("--ap", help="Average precision of all boxes instead; several models side by side.")
    ] = False,
    maps: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Measure these maps (NumPy files) instead of a model's.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(metavar="SHARE", min=0.01, max=0.99, help="With --maps: where the one box is cut.")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="Make the maps by cam, gradcam, hirescam, xgradcam, layercam, gradcam++, ablationcam, eigencam.",
        ),
    ] = None,
    walk: Annotated[
        bool, typer.Option("--walk/--no-walk", help="With --method: refine the maps as the model's.")
    ] = True,
    faithful: Annotated[
        int, typer.Option(metavar="N", min=0, help="Measure faithfulness too, on N pictures (slow).")
    ] = 0,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page with figures and pictures.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the report if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else.")] = False,
    device: DeviceOption = None,
) -> None:
    """Measure localization on boxed pictures.

    Oracle figures (threshold and piece picked with the truth in hand) stand apart from what a user gets.
    """
    use_device(device)
    from boxless.cli.average_precision import evaluate_boxes
    from boxless.cli.loudness import note
    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import counted, stages
    from boxless.cli.table import print_evaluation
    from boxless.evaluation import Evaluation, measure_maps, measure_model, read_dataset
    from boxless.evaluation.features import FeatureNetwork
    from boxless.evaluation.report import write_report
    from boxless.models.model_file import ModelFile
    from boxless.system.html_page import PAGE

    models = model or [DEFAULT_MODEL]
    if ap:
        if maps or method or faithful or report or threshold:
            raise typer.BadParameter("--ap stands alone: no --maps, --threshold, --method, --faithful, --report")
        evaluate_boxes(dataset, models, preset, layout, pictures, as_json)
        return
    if len(models) > 1:
        raise typer.BadParameter(f"{len(models)} models: name one, or compare them with --ap", param_hint="--model")
    if report:
        ask_before_overwriting(report / PAGE, force, "--report")
    network: Network
    network = ModelFile(models[0], 1) if method is None else FeatureNetwork(models[0], method, walk=walk, threads=1)
    if method is None and not walk:
        raise typer.BadParameter("--no-walk goes with --method: the model's own maps are always refined")
    boxed = read_dataset(dataset, network.card, layout, pictures)
    scores: Iterator[Score]
    name = preset or network.card.default_preset
    if maps is not None:
        subject = f"maps of {maps}"
        cut = f"{threshold}, as asked for" if threshold else "none given (--threshold), so no deployable figures"
        scores = measure_maps(maps, boxed.pictures, boxed.notes, threshold)
    else:
        stored = network.card.preset(name)
        subject = ", ".join([network.card.name, name, *([method] if method else []), *([] if walk else ["no walk"])])
        cut = stored.cut
        scores = measure_model(network, name, boxed.pictures, boxed.notes)
    more = _faithfulness(network, models[0], name, boxed, faithful) if faithful and maps is None else []
    with stages() as tell:
        evaluation = Evaluation.of(boxed, subject, cut, counted(scores, "pictures", len(boxed.pictures), tell), more)
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
    return faithfulness_figures(network, preset, boxed.pictures, boxed.notes, count, bias)
