"""Annotates many images: batch inference into a store beside the output, then written in a format; whole or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from boxless._version import __version__
from boxless.annotation.inputs import Classes, Input
from boxless.annotation.output import output, place_image
from boxless.batch.formats import Row
from boxless.batch.item import Broken, Item, local_item
from boxless.batch.job import Job, Settings
from boxless.batch.run import Failure, OnProgress, here, run
from boxless.batch.shards import Done
from boxless.datasets.dataset import About, AnnotatedImage, Annotation
from boxless.datasets.formats import WRITTEN
from boxless.datasets.masks import RunLengths
from boxless.errors import OutputError, ResultsError
from boxless.maps.run_lengths import unpacked
from boxless.models.zoo import quick_model

_STORE = ".found"
"""The folder in the unfinished output with the results of batch inference."""

_SHARD = 50
"""Images a shard: what a killed run loses at most."""


@dataclass(frozen=True)
class AnnotationOptions:
    """What is wanted.

    Attributes:
        format: one of `WRITTEN`.
        model: a model's name, or its file's path.
        preset: its name; the model's default where None.
        images: "link" or "copy" to have them beside the annotations; "none" to leave them where they are.
        min_probability: of a class, in [0, 1]; boxes of less probable ones are left out.
        min_activation: for a class, in units of logits; likewise.
        masks: whether the pixels of each box are written too.
    """

    format: str
    model: str = field(default_factory=quick_model)
    preset: str | None = None
    images: Literal["link", "copy", "none"] = "link"
    min_probability: float = 0.0
    min_activation: float = 0.0
    masks: bool = False


@dataclass(frozen=True)
class AnnotationSummary:
    """What was written.

    Attributes:
        main: the file or folder that other programs are to be given.
        images, boxes, empty: how many images, boxes, and images without any box.
        failures: images that cannot be read, and why; nothing is written of them.
        resumed: how many images an earlier run, which was stopped, had done.
    """

    main: Path
    images: int
    boxes: int
    empty: int
    failures: tuple[Failure, ...]
    resumed: int


def annotate(
    inputs: Sequence[Input],
    out: Path,
    options: AnnotationOptions,
    *,
    force: bool = False,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> AnnotationSummary:
    """Annotates images.

    What is found is kept beside `out`, in `.NAME.part`, by batch inference; memory does not grow with the number of
    images, and a run that was stopped is resumed. The folder is called `out` when it is complete.

    Args:
        inputs: at least one.
        out: the folder to be made.
        options: what is wanted.
        force: replace a folder that `annotate` wrote, and start over an interrupted run.
        on_progress: called with a stage, how many images are done, and of how many.

    Returns:
        What was written.

    Raises:
        ModelFileError, UnknownPresetError: if there is no such thing, or masks are wanted of a detector.
        OutputError: if the format has no masks and they are wanted; if `out` is there, or is not `annotate`'s; if an
            unfinished run had other settings; if another run is at work there; if not one image can be read.
        UnknownClassError: if images have labels that the model lacks, before anything is written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from boxless.annotation import AnnotationOptions, annotate, read_inputs
        >>> out = Path(tempfile.mkdtemp(), "found")
        >>> annotate(read_inputs(Path("examples/pictures")), out, AnnotationOptions("csv", preset="fast")).images
        3
    """
    format_ = WRITTEN[options.format]
    if options.masks and not format_.masks:
        able = ", ".join(name for name, each in WRITTEN.items() if each.masks)
        raise OutputError(f"{options.format} has no place for masks (these have: {able})")
    settings = Settings(options.model, options.preset, masks=options.masks)
    card = settings.card
    if options.masks:
        card.need_maps("--masks")
    preset = options.preset or card.default_preset
    card.preset(preset)
    classes = Classes.of(card, inputs)
    with output(out, force) as part:
        items = tuple(_item(given, classes, options) for given in inputs)
        job = Job(items, str(part / _STORE), settings, format="jsonl", shard=_SHARD)
        resumed = _run(job, len(inputs), on_progress)
        found = _Found(job, inputs, classes, options)
        counts = [len(each.annotations) for each in found]
        failures = found.failures
        if not counts:
            shutil.rmtree(part)
            raise OutputError(f"not one of {len(inputs)} images can be read, such as {failures[0][1]}")
        about = About(card.name, preset, f"boxless {__version__}", classes.names, out, options.images != "none")
        format_.write(part, about, found)
        if options.images != "none":
            for each in found:
                folder = part / format_.images.format(split=each.split)
                place_image(each.path, folder / each.name, options.images)
        shutil.rmtree(part / _STORE)
    return AnnotationSummary(out / format_.main, len(counts), sum(counts), counts.count(0), tuple(failures), resumed)


def _run(job: Job, total: int, on_progress: Callable[[str, int, int], None]) -> int:
    """Locates what is not located yet; how many images were, before."""
    located = 0

    def engine(job: Job, finished: int | None, done: Done, count: OnProgress) -> None:
        def counted(images: int, failures: Sequence[Failure]) -> None:
            nonlocal located
            located += images
            count(images, failures)
            on_progress("images", done.images + located, total)

        here(job, finished, done, counted)

    try:
        return run(job, engine).before
    except ResultsError as error:  # annotate resumes unless --force is given
        raise OutputError(str(error).replace("--no-resume --force", "--force")) from None


def _item(given: Input, classes: Classes, options: AnnotationOptions) -> Item:
    item = local_item(str(given.path))
    try:
        _names(given, options)[0].encode()
    except UnicodeEncodeError:
        return Item(item.name, Broken("its name is not UTF-8: rename it, or have it linked"))
    return replace(item, classes=classes.wanted(given) or None)


def _names(given: Input, options: AnnotationOptions) -> tuple[str, str]:
    """What annotations call an image, and a file of it alone."""
    return (given.name, given.stem) if options.images == "none" else (given.flat, Path(given.flat).stem)


class _Found:
    """What was found, an image at a time, as often as a writer needs it."""

    def __init__(self, job: Job, inputs: Sequence[Input], classes: Classes, options: AnnotationOptions) -> None:
        self._shards = job.shards
        self._inputs = inputs
        self._classes = classes
        self._options = options

    def __iter__(self) -> Iterator[AnnotatedImage]:
        for given, row in self._rows():
            if row["error"] is None:
                found = () if self._classes.wanted(given) == () else tuple(self._annotations(row))
                name, stem = _names(given, self._options)
                size = (row["height"], row["width"])
                yield AnnotatedImage(name, given.path.absolute(), found, size, given.split, stem)

    @property
    def failures(self) -> list[Failure]:
        """The images that cannot be read, and why."""
        return [(str(each.path), f"{each.path}: {row['error']}") for each, row in self._rows() if row["error"]]

    def _rows(self) -> Iterator[tuple[Input, Row]]:
        rows = (self._shards.read(number, self._shards.kind.rows) for number in self._shards.numbers())
        return zip(self._inputs, chain.from_iterable(rows), strict=True)

    def _annotations(self, row: Row) -> Iterator[Annotation]:
        for each in row["predictions"]:
            probability, activation = each["probability"], each["activation"]
            if probability < self._options.min_probability or activation < self._options.min_activation:
                continue
            name = self._classes.names[each["class_index"]]
            for box in each["boxes"]:
                mask = None
                if self._options.masks:
                    mask = RunLengths(tuple(unpacked(box["mask"])), (row["height"], row["width"]))
                x0, y0, x1, y1 = box["box"]
                yield Annotation(
                    name, (x0, y0, x1, y1), mask, score=box["score"], probability=probability, activation=activation
                )
