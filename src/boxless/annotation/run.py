"""Annotates many images: found, kept, written in a format; whole or not at all, and from where it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from boxless._version import __version__
from boxless.annotation.classes import Classes
from boxless.annotation.inputs import Input
from boxless.annotation.output import Output, place_picture
from boxless.annotation.records import Records
from boxless.datasets.dataset import About, AnnotatedImage, Annotation
from boxless.datasets.formats import WRITTEN
from boxless.datasets.masks import RunLengths
from boxless.errors import OutputError, PictureError
from boxless.localizer import Localizer
from boxless.maps.run_lengths import counts_of
from boxless.results import Prediction
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map


@dataclass(frozen=True)
class AnnotationOptions:
    """What is written, and of what.

    Attributes:
        format: one of `WRITTEN`.
        pictures: "link" or "copy" to have the images beside the annotations; "none" to leave them where they are.
        min_probability: of a class, in [0, 1]; boxes of less probable ones are left out.
        min_activation: for a class, in units of logits; likewise.
        masks: whether the pixels of each box are written too.
    """

    format: str
    pictures: Literal["link", "copy", "none"] = "link"
    min_probability: float = 0.0
    min_activation: float = 0.0
    masks: bool = False


@dataclass(frozen=True)
class AnnotationSummary:
    """What was written.

    Attributes:
        main: the file or folder that other programs are to be given.
        pictures, boxes, empty: how many images, boxes, and images without any box.
        failures: images that cannot be read, and why; nothing is written of them.
        resumed: how many images an earlier run, which was stopped, had done.
    """

    main: Path
    pictures: int
    boxes: int
    empty: int
    failures: tuple[tuple[str, str], ...]
    resumed: int


def annotate(
    inputs: Sequence[Input],
    out: Path,
    localizer: Localizer,
    options: AnnotationOptions,
    *,
    force: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> AnnotationSummary:
    """Annotates images.

    What is found is kept beside `out`, in `.NAME.part`, as it comes; memory does not grow with the number of images.
    A run that was stopped goes on there. The folder is called `out` when it is complete.

    Args:
        inputs: at least one.
        out: the folder to be made.
        localizer: with one thread an image; as many images as there are cores are worked on side by side.
        options: what is written, and of what.
        force: replace a folder that `annotate` wrote, and begin anew what was stopped.
        progress: told how many images are done.

    Raises:
        ModelFileError: if masks are wanted of a detector.
        OutputError: if the format has no masks and they are wanted; if `out` is there, or is not `annotate`'s; if an
            unfinished run had other settings; if not one image can be read.
        UnknownClassError: if images have labels that the model lacks, before anything is written.

    Returns:
        What was written.

    Example:
        >>> annotate(read_inputs(Path("photos")), Path("out"), Localizer(), AnnotationOptions("coco"))  # doctest: +SKIP
    """
    format_ = WRITTEN[options.format]
    if options.masks and not format_.masks:
        able = ", ".join(name for name, each in WRITTEN.items() if each.masks)
        raise OutputError(f"{options.format} has no place for masks (these have: {able})")
    if options.masks:
        localizer.card.need_maps("--masks")
    classes = Classes.of(localizer.card, inputs)
    settings = _settings(inputs, localizer, options)

    def one(given: Input) -> AnnotatedImage | str:
        try:
            return _annotated(given, localizer, classes, options)
        except PictureError as error:
            return str(error)

    with Output(out, force) as part, Records(part, settings) as records:
        resumed = records.done
        waiting = ordered_map(one, inputs[resumed:], usable_cores())
        for number, found in enumerate(waiting, start=resumed):
            if isinstance(found, str):
                records.add_failure(str(inputs[number].path), found)
            else:
                records.add(found)
            progress("pictures", number + 1, len(inputs))
        program = f"boxless {__version__}"
        about = About(
            localizer.card.name, localizer.preset_name, program, classes.names, out, options.pictures != "none"
        )
        counts = [len(each.annotations) for each in records]
        if not counts:
            _, error = records.failures[0]
            records.remove()  # so that the next run looks again
            raise OutputError(f"not one of {len(inputs)} pictures can be read, such as {error}")
        format_.write(part, about, records)
        if options.pictures != "none":
            for each in records:
                folder = part / format_.images.format(split=each.split)
                place_picture(each.path, folder / each.name, options.pictures)
        failures = tuple(records.failures)
        records.remove()
        return AnnotationSummary(out / format_.main, len(counts), sum(counts), counts.count(0), failures, resumed)


def _settings(inputs: Sequence[Input], localizer: Localizer, options: AnnotationOptions) -> dict[str, Any]:
    """What records depend on; of the images a digest, for there may be many."""
    listed = json.dumps([[str(each.path), each.name, each.flat, each.labels, each.split] for each in inputs]).encode()
    card = hashlib.sha256(localizer.card.to_json().encode()).hexdigest()
    return {
        "version": __version__,
        "model": f"{localizer.card.name} {card[:16]}",
        "preset": localizer.preset_name,
        "pictures": hashlib.sha256(listed).hexdigest()[:16],
        **{name: value for name, value in asdict(options).items() if name != "pictures"},
        "placed": options.pictures != "none",
    }


def _annotated(given: Input, localizer: Localizer, classes: Classes, options: AnnotationOptions) -> AnnotatedImage:
    file, stem = (given.name, given.stem) if options.pictures == "none" else (given.flat, Path(given.flat).stem)
    try:
        file.encode()
    except UnicodeEncodeError:
        raise PictureError(f"{given.path}: its name is not UTF-8: rename it, or have it linked") from None
    found = classes.look(localizer, given)
    annotations = tuple(
        each
        for prediction in found.predictions
        if prediction.boxes
        and prediction.probability >= options.min_probability
        and prediction.activation >= options.min_activation
        for each in _annotations(prediction, classes.name(prediction.class_index), options.masks)
    )
    if found.height is None or found.width is None:
        raise PictureError(f"{given.path}: {found.error}")
    size = (found.height, found.width)
    return AnnotatedImage(file, given.path.absolute(), annotations, size, given.split, stem)


def _annotations(prediction: Prediction, name: str, masks: bool) -> list[Annotation]:
    pixels: list[RunLengths | None] = [None] * len(prediction.boxes)
    if masks:
        pixels = [RunLengths(tuple(counts_of(mask)), (mask.shape[0], mask.shape[1])) for mask in prediction.masks()]
    return [
        Annotation(
            name, box.xyxy, mask, score=box.score, probability=prediction.probability, activation=prediction.activation
        )
        for box, mask in zip(prediction.boxes, pixels, strict=True)
    ]
