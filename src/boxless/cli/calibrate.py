"""boxless calibrate: a model's thresholds set on your own boxed images."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from boxless.cli.options import AnnotationFormat, Annotations, AsJson, Force, ImagesDir, Model, OutFile
from boxless.cli.verbosity import say
from boxless.models.zoo import quick_model
from boxless.system.text import figures_json

if TYPE_CHECKING:
    from boxless.evaluation.calibrate import Calibration


def calibrate(
    dataset: Annotations,
    out: OutFile,
    model: Model = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(metavar="PRESET", help="Preset to calibrate; repeatable [default: all of the model]."),
    ] = None,
    layout: AnnotationFormat = None,
    images: ImagesDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Set a model's box thresholds on boxed images, and write a new model file.

    There is one threshold for all classes, or one for each where that helps. A hundred images are enough, ten of a
    class for its own threshold; the intervals show how certain the new thresholds are.
    """

    from boxless.cli.overwrite import ask_before_overwriting
    from boxless.cli.progress import stages
    from boxless.system.extras import require

    require("graph", "boxless calibrate")
    ask_before_overwriting(out, force)
    from boxless.cli.training_report import by_class
    from boxless.evaluation import read_dataset
    from boxless.evaluation.calibrate import calibrate_presets, with_thresholds
    from boxless.export.assemble import write_card
    from boxless.models.model_file import ModelFile

    network = ModelFile(model or quick_model(), threads=1)
    network.card.need_maps("setting thresholds")
    boxed = read_dataset(dataset, network.card, layout, images)
    with stages() as progress:
        found, set_on = calibrate_presets(network, boxed, preset, progress)
    write_card(network.path, with_thresholds(network.card, found, set_on), out)
    if as_json:
        say(figures_json({"out": str(out), "presets": [asdict(each) for each in found]}))
        return
    for each in found:
        if each.own:
            say(f"{each.preset}: each class has its own threshold")
        else:
            say(_common(each))
        for words in by_class(each, network.card):
            say(f"  {words}")
    for line in boxed.notes:
        say(f"note: {line}")
    say(f"written: {out}")


def _common(found: Calibration) -> str:
    change = "kept" if found.new == found.old else f"-> {found.new:g}"
    return (
        f"{found.preset}: threshold {found.old:g} {change} "
        f"(these images choose {found.likely.value:g}, 95 % of draws {found.likely.low:.2f} to "
        f"{found.likely.high:.2f}); "
        f"one box right {found.before.value:.1f} % -> {found.after.value:.1f} % on these images, "
        f"{found.gain.value:+.1f} ({found.gain.low:+.1f} to {found.gain.high:+.1f}) on images that did not choose it"
    )
