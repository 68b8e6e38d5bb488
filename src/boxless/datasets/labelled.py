"""Images with their classes, to learn from or to measure on: of a data set in any format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.csv import Columns
from boxless.datasets.dataset import Dataset
from boxless.datasets.formats import read_any
from boxless.errors import DatasetError
from boxless.models.class_names import composed
from boxless.models.fields import MAX_LABEL

MOST_UNREADABLE = 0.05
"""With a larger share of images that cannot be read, something is wrong with the data, and nothing is learned."""

BACKGROUND_NAMES = frozenset({"background", "nothing"})
"""Classes of these names say that there is nothing in an image: they never get a box."""

_BACKGROUND = "background"  # the class of images without an object

_SHORT = 40  # characters of a name in a message
_LISTED = 5


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images whose classes are known.

    Attributes:
        name: of the data set.
        classes: K names, sorted.
        paths: n of them.
        targets: float32 (n, K), 1 where the image shows the class and else 0.
        several: whether an image may show several classes; else each row of `targets` has one 1.
        notes: what was left out and why, in words.
    """

    name: str
    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    targets: NDArray[np.float32]
    several: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def background(self) -> tuple[int, ...]:
        """The indices of the classes that say "nothing here"."""
        return tuple(i for i, name in enumerate(self.classes) if name.casefold() in BACKGROUND_NAMES)

    @property
    def counts(self) -> NDArray[np.int64]:
        """(K,), how many images show each class."""
        return np.asarray(self.targets.sum(axis=0), np.int64)

    @property
    def digest(self) -> str:
        """Which images these are and what they show, in eight letters: of paths and targets."""
        names = b"\n".join(map(os.fsencode, self.paths))
        return hashlib.sha256(names + np.ascontiguousarray(self.targets).tobytes()).hexdigest()[:8]

    def only(self, chosen: NDArray[np.int64]) -> LabelledImages:
        """Some of the images.

        Args:
            chosen: (m,), their indices.

        Returns:
            These images, in this order.
        """
        return replace(self, paths=tuple(self.paths[i] for i in chosen), targets=self.targets[chosen])

    def without(self, unreadable: Mapping[int, str]) -> LabelledImages:
        """The images that can be read; the others are listed in the notes.

        Args:
            unreadable: why, by index.

        Returns:
            The images that are left.

        Raises:
            DatasetError: if they are more than 5 %, or if a class has no image left.
        """
        if not unreadable:
            return self
        listed = [f"{self.paths[i]}: {reason}" for i, reason in list(unreadable.items())[:_LISTED]]
        more = f" and {len(unreadable) - _LISTED} more" if len(unreadable) > _LISTED else ""
        text = f"{len(unreadable)} of {len(self)} images cannot be read ({'; '.join(listed)}{more})"
        if len(unreadable) > MOST_UNREADABLE * len(self):
            raise DatasetError(f"{self.name}: {text}; over {MOST_UNREADABLE:.0%} is too many: mend or remove them")
        left = self.only(np.array([i for i in range(len(self)) if i not in unreadable], np.int64))
        emptied = [self.classes[k] for k in np.flatnonzero((left.counts == 0) & (self.counts > 0))]
        if emptied:
            raise DatasetError(f"{self.name}: no readable image is left of {', '.join(emptied)}: {text}")
        return replace(left, notes=(*self.notes, f"skipped: {text}"))


def read_labelled(source: Path, columns: Columns | None = None) -> dict[str, LabelledImages]:
    """Reads images with their classes, by split.

    Args:
        source: a folder with a sub-folder of images for each class; a CSV with a header: a column `path` (relative to
            the CSV), a column `label` (several labels with | between, or a line for each), and maybe a column `split`;
            or annotations in any format of `boxless.datasets.formats.FORMATS`, whose boxes are not used.
        columns: how a CSV is to be read, where its heading does not say it.

    Returns:
        The images by the name of their split; all under "" where none is named. All have the same classes.

    Raises:
        DatasetError: if there is no such file, its layout is another, or there are fewer than two classes.

    Example:
        >>> read_labelled(Path("animals"))[""].classes  # doctest: +SKIP
        ('cat', 'dog')
    """
    if not source.exists():
        raise DatasetError(
            f"{source}: no such folder or file (expected a folder a class, a CSV of path and label, or annotations)"
        )
    dataset = read_any(source, columns=columns, prefer_folders=True)
    if dataset.format == "folders":
        _check_folders(source, dataset)
    elif dataset.format == "csv":
        _check_table(source, dataset)
    elif columns is not None and columns != Columns():
        raise DatasetError(f"{source}: no CSV (--separator, --path-column and --label-column are of CSV files)")
    return labelled(dataset)


def labelled(dataset: Dataset) -> dict[str, LabelledImages]:
    """The images of a data set with their classes, by split.

    Args:
        dataset: as its files have it. An image without any object gets the class "background".

    Returns:
        As `read_labelled` does. Names that differ in Unicode form only are one class.

    Raises:
        DatasetError: if there are fewer than two classes, or one has a name that no model takes.

    Example:
        >>> from pathlib import Path
        >>> from boxless.datasets.dataset import AnnotatedImage, Annotation, Dataset
        >>> images = [AnnotatedImage(name, Path(name), (Annotation(name),)) for name in ("a", "b")]
        >>> labelled(Dataset("letters", tuple(images)))[""].targets.tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    found = [(each, tuple(composed(label) for label in each.labels) or (_BACKGROUND,)) for each in dataset.images]
    classes = tuple(sorted({label for _, labels in found for label in labels}))
    if len(classes) < 2:
        one = f"one class, {classes[0]}" if classes else "no class"
        raise DatasetError(f"{dataset.name}: {one} (expected two or more: add images without it as a class background)")
    if longest := [label for label in classes if len(label) > MAX_LABEL]:
        raise DatasetError(
            f"{dataset.name}: a class name of {len(longest[0]):,} characters, {longest[0][:_SHORT]!r}... (expected at "
            f"most {MAX_LABEL:,})"
        )
    index = {name: i for i, name in enumerate(classes)}
    several = any(len(labels) > 1 for _, labels in found)
    notes = tuple(dataset.notes)
    parts: dict[str, LabelledImages] = {}
    for split in dict.fromkeys(each.split for each in dataset.images):
        mine = [(each, labels) for each, labels in found if each.split == split]
        targets = np.zeros((len(mine), len(classes)), np.float32)
        for row, (_, labels) in zip(targets, mine, strict=True):
            row[[index[label] for label in labels]] = 1.0
        paths = tuple(each.path for each, _ in mine)
        parts[split] = LabelledImages(dataset.name, classes, paths, targets, several, notes)
        notes = ()  # once is enough
    return parts


def _check_folders(root: Path, dataset: Dataset) -> None:
    """Makes sure that folders are those of classes."""
    tops = dict.fromkeys(Path(each.name).parts[0] for each in dataset.images)
    for each in dataset.images:
        parts = Path(each.name).parts
        if len(parts) == 1:
            raise DatasetError(
                f"{root}: {len(dataset.images)} images and no folders (expected a folder a class, such as "
                f"{root.name}/cat/1.jpg)"
            )
        if len(parts) > 2 + bool(each.split):
            names = " or ".join(str(root / name) for name in list(tops)[:3])
            raise DatasetError(
                f"{root}: folders of folders of images, such as {each.name} (expected a folder a class, "
                f"{root.name}/class/image.jpg). Name the folder that holds the classes, maybe {names}, and "
                "the one to validate on with --val"
            )
    shown = {label for each in dataset.images for label in each.labels}
    if empty := [name for name in dataset.classes if name not in shown]:
        raise DatasetError(f"{root}: no images in {_some(empty)} (every folder is a class: fill it or remove it)")


def _check_table(file: Path, dataset: Dataset) -> None:
    """Makes sure that a CSV has a label for each image."""
    if not dataset.labelled:
        raise DatasetError(
            f"{file}: no column of labels (expected the columns path and label, maybe split; or say which: "
            "--label-column)"
        )
    if lacking := dataset.notes.found.get("unreadable line"):
        raise DatasetError(
            f"{file}: {len(lacking)} lines lack a path or a label ({_some(lacking)}); an image of nothing gets the "
            "label background"
        )
    if not dataset.images:
        raise DatasetError(f"{file}: no lines below the first")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
