"""Finds the pictures that cannot be read, before a training stumbles over them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from boxless.errors import PictureError
from boxless.image import read_picture
from boxless.ordered import ordered_map

_SMALL = 32  # pixels; JPEGs are decoded at reduced scale, in an eighth of the time


def unreadable(paths: Sequence[Path], done: Callable[[int], object] = lambda count: None) -> dict[int, str]:
    """Why pictures cannot be read, by their index among the paths.

    Args:
        paths: of all pictures.
        done: told after each picture how many are done.
    """

    def reason(path: Path) -> str | None:
        try:
            read_picture(path, enough=_SMALL)
        except PictureError as error:
            return str(error)
        return None

    found = {}
    for index, why in enumerate(ordered_map(reason, paths, os.cpu_count() or 1)):
        if why is not None:
            found[index] = why
        done(index + 1)
    return found
