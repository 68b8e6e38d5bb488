"""Finds the images that cannot be read, before a training stumbles over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from boxless.datasets.labelled import LabelledImages
from boxless.errors import ImageError
from boxless.imaging.read import read_image
from boxless.system.ordered import ordered_map
from boxless.system.progress import Progress

_SMALL = 32  # pixels; JPEGs are decoded at reduced scale, in an eighth of the time


def unreadable(paths: Sequence[Path], done: Callable[[int], object] = lambda count: None) -> dict[int, str]:
    """Why images cannot be read, by their index among the paths.

    Args:
        paths: of all images.
        done: called after each image with the number done.
    """

    def reason(path: Path) -> str | None:
        try:
            read_image(path, enough=_SMALL)
        except ImageError as error:
            return str(error)
        return None

    found = {}
    for index, why in enumerate(ordered_map(reason, paths)):
        if why is not None:
            found[index] = why
        done(index + 1)
    return found


def readable(
    training: LabelledImages, validation: LabelledImages, progress: Progress
) -> tuple[LabelledImages, LabelledImages]:
    """Both without the images that cannot be read, which are in their notes.

    Args:
        training, validation: see `boxless.datasets.split.read_split`.
        progress: called with the stage, the number tried and the total.

    Raises:
        DatasetError: if too much cannot be read.
    """
    paths = [*training.paths, *validation.paths]
    broken = unreadable(paths, lambda count: progress("reading", count, len(paths)))
    border = len(training)
    return (
        training.without({i: why for i, why in broken.items() if i < border}),
        validation.without({i - border: why for i, why in broken.items() if i >= border}),
    )
