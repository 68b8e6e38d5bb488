"""Pictures to learn classes from and pictures with boxes to measure on, for average against maximum pooling."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.errors import DatasetError
from boxless.imaging.read import images_in
from boxless.models.card import Card

_NAME = "tiny10"
_LAYOUT = "a folder with train/CLASS/*.jpg and val/annotations.json in COCO's format"


@dataclass(frozen=True, eq=False)
class BoxedClasses:
    """A data set whose training half has classes only, and whose validation half has boxes.

    Attributes:
        name: of its folder.
        classes: K names, sorted.
        train: the pictures to learn from.
        labels: int64, the index of the class of each.
        val: the pictures to measure on, one class each.
    """

    name: str
    classes: tuple[str, ...]
    train: tuple[Path, ...]
    labels: NDArray[np.int64]
    val: tuple[BoxedImage, ...]


def load_boxed(data: Path | None, train: int, val: int) -> BoxedClasses:
    """The data set.

    Args:
        data: the folder, or one that holds it as tiny10; where None, $BOXLESS_DATA.
        train: how many pictures of each class to learn from, at most.
        val: how many of each class to measure on, at most.

    Raises:
        DatasetError: if there is none.
    """
    named = data or (Path(os.environ["BOXLESS_DATA"]) if "BOXLESS_DATA" in os.environ else None)
    if named is None:
        raise DatasetError(f"no boxed pictures: name {_LAYOUT} with --data, or its parent with $BOXLESS_DATA")
    folder = named / _NAME if (named / _NAME).is_dir() else named
    annotations = folder / "val" / "annotations.json"
    if not annotations.is_file() or not (folder / "train").is_dir():
        raise DatasetError(f"{folder}: not boxed pictures of the layout that is known (expected {_LAYOUT})")
    classes = tuple(sorted(each.name for each in (folder / "train").iterdir() if each.is_dir()))
    paths: list[Path] = []
    labels: list[int] = []
    for k, name in enumerate(classes):
        found = images_in(folder / "train" / name)[:train]
        paths += found
        labels += [k] * len(found)
    card = Card(name=_NAME, labels=classes, presets={}, preprocessing="", licence="", source="")
    boxed = read_dataset(annotations, card)
    of_class: dict[int, list[BoxedImage]] = {}
    for image in boxed.images:
        if len(image.boxes):
            of_class.setdefault(image.class_index, []).append(image)
    chosen = tuple(image for k in sorted(of_class) for image in of_class[k][:val])
    return BoxedClasses(folder.name, classes, tuple(paths), np.array(labels, np.int64), chosen)
