"""Reads a folder with a sub-folder of pictures for each class: no boxes, but classes."""

from __future__ import annotations

from pathlib import Path

from boxless.datasets.dataset import BoxedSet, Entry, gather
from boxless.datasets.notes import Notes
from boxless.errors import DatasetError, PictureError
from boxless.imaging.read import pictures_in
from boxless.models.card import Card


def read_folders(root: Path, card: Card, images: Path | None = None) -> BoxedSet:
    """Pictures whose class is the name of their folder; for classification and faithfulness, which need no boxes.

    Args:
        root: the folder of the classes' folders.
        card: of the model whose classes count.
        images: taken in the place of `root`, if given.

    Raises:
        DatasetError: if there are no pictures.
    """
    root = images or root
    try:
        paths = pictures_in(root)
    except PictureError as error:
        raise DatasetError(f"{root}: {error}") from None
    notes = Notes()
    entries = [Entry(str(path.relative_to(root)), path, (path.parent.name,)) for path in paths]
    return gather(root.name, entries, card, notes)
