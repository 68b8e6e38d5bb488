"""Annotates many pictures: found, kept, written in a format; whole or not at all, and from where it was stopped."""

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
from boxless.datasets.formats import FORMATS, About, Annotated, Thing
from boxless.errors import OutputError, PictureError
from boxless.localizer import Localizer
from boxless.maps.run_lengths import counts_of
from boxless.results import Prediction
from boxless.system.cores import usable_cores
from boxless.system.ordered import ordered_map


@dataclass(frozen=True)
class Wishes:
    """What is wanted.

    Attributes:
        format: one of `FORMATS`.
        pictures: "link" or "copy" to have them beside the annotations; "none" to leave them where they are.
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
class Done:
    """What was written.

    Attributes:
        main: the file or folder that other programs are to be given.
        pictures, boxes, empty: how many pictures, boxes, and pictures without any box.
        failures: pictures that cannot be read, and why; nothing is written of them.
        resumed: how many pictures an earlier run, which was stopped, had done.
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
    wishes: Wishes,
    *,
    force: bool = False,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Done:
    """Annotates pictures.

    What is found is kept beside `out`, in `.NAME.part`, as it comes; memory does not grow with the number of pictures.
    A run that was stopped goes on there. The folder is called `out` when it is complete.

    Args:
        inputs: at least one.
        out: the folder to be made.
        localizer: with one thread a picture; as many pictures as there are cores are looked at side by side.
        wishes: what is wanted.
        force: replace a folder that `annotate` wrote, and begin anew what was stopped.
        progress: told how many pictures are done.

    Raises:
        ModelFileError: if masks are wanted of a detector.
        OutputError: if the format has no masks and they are wanted; if `out` is there, or is not `annotate`'s; if an
            unfinished run had other settings; if not one picture can be read.
        UnknownClassError: if pictures have labels that the model lacks, before anything is written.
    """
    format_ = FORMATS[wishes.format]
    if wishes.masks and not format_.masks:
        able = ", ".join(name for name, each in FORMATS.items() if each.masks)
        raise OutputError(f"{wishes.format} has no place for masks (these have: {able})")
    if wishes.masks:
        localizer.card.need_maps("--masks")
    classes = Classes.of(localizer.card, inputs)
    settings = _settings(inputs, localizer, wishes)

    def one(given: Input) -> Annotated | str:
        try:
            return _annotated(given, localizer, classes, wishes)
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
            localizer.card.name, localizer.preset_name, program, classes.names, out, wishes.pictures != "none"
        )
        counts = [len(each.things) for each in records]
        if not counts:
            _, error = records.failures[0]
            records.remove()  # so that the next run looks again
            raise OutputError(f"not one of {len(inputs)} pictures can be read, such as {error}")
        format_.write(part, about, records)
        if wishes.pictures != "none":
            for each in records:
                folder = part / format_.pictures.format(split=each.split)
                place_picture(Path(each.source), folder / each.file, wishes.pictures)
        failures = tuple(records.failures)
        records.remove()
        return Done(out / format_.main, len(counts), sum(counts), counts.count(0), failures, resumed)


def _settings(inputs: Sequence[Input], localizer: Localizer, wishes: Wishes) -> dict[str, Any]:
    """What records depend on; of the pictures a digest, for there may be many."""
    listed = json.dumps([[str(each.path), each.name, each.flat, each.labels, each.split] for each in inputs]).encode()
    card = hashlib.sha256(localizer.card.to_json().encode()).hexdigest()
    return {
        "version": __version__,
        "model": f"{localizer.card.name} {card[:16]}",
        "preset": localizer.preset_name,
        "pictures": hashlib.sha256(listed).hexdigest()[:16],
        **{name: value for name, value in asdict(wishes).items() if name != "pictures"},
        "placed": wishes.pictures != "none",
    }


def _annotated(given: Input, localizer: Localizer, classes: Classes, wishes: Wishes) -> Annotated:
    file, stem = (given.name, given.stem) if wishes.pictures == "none" else (given.flat, Path(given.flat).stem)
    try:
        file.encode()
    except UnicodeEncodeError:
        raise PictureError(f"{given.path}: its name is not UTF-8: rename it, or have it linked") from None
    found = classes.look(localizer, given)
    things = tuple(
        thing
        for prediction in found.predictions
        if prediction.boxes
        and prediction.probability >= wishes.min_probability
        and prediction.activation >= wishes.min_activation
        for thing in _things(prediction, classes.name(prediction.class_index), wishes.masks)
    )
    if found.height is None or found.width is None:
        raise PictureError(f"{given.path}: {found.error}")
    return Annotated(file, stem, str(given.path.absolute()), found.height, found.width, given.split, things)


def _things(prediction: Prediction, name: str, masks: bool) -> list[Thing]:
    pixels = [tuple(counts_of(mask)) for mask in prediction.masks()] if masks else [None] * len(prediction.boxes)
    return [
        Thing(name, box.xyxy, box.score, prediction.probability, prediction.activation, mask)
        for box, mask in zip(prediction.boxes, pixels, strict=True)
    ]
