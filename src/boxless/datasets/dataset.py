"""A data set as its files have it: images, what is in them, and where; no model and no format is known here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from boxless.datasets.masks import Mask
from boxless.datasets.notes import Notes

Edges = tuple[float, float, float, float]

SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test",
    "testing": "test",
}  # fmt: skip
"""What splits are called, by how people call them, in lower case."""


@dataclass(frozen=True)
class Annotation:
    """One object in an image; or its class only, where nobody says where it is.

    Attributes:
        label: its class's name; "" where only an id or an index is known.
        box: xyxy in pixels of the image's `size`, half-open.
        mask: which pixels are its.
        ignored: why it is neither right nor wrong to find it; None where it counts.
        class_id: the class's id, such as of WordNet; "" if there is none.
        class_index: the class's index, where a field of that name says it. A label is never an index.
        score: of the box, in [0, 1], where a model found it.
        probability: of the class in the image, in [0, 1]; likewise.
        activation: for the class in the image, in logits; likewise.

    Example:
        >>> Annotation("cat", (10.0, 5.0, 30.0, 35.0)).label
        'cat'
    """

    label: str
    box: Edges | None = None
    mask: Mask | None = field(default=None, compare=False)
    ignored: Literal["crowd", "difficult"] | None = None
    class_id: str = ""
    class_index: int | None = None
    score: float = 1.0
    probability: float = 1.0
    activation: float = 0.0

    @property
    def name(self) -> str:
        """The class's name, else its id, else its index."""
        return self.label or self.class_id or str(self.class_index)


@dataclass(frozen=True)
class AnnotatedImage:
    """One image and its annotations.

    Attributes:
        name: what the data set calls it: its path below the folder of images.
        path: where it is, or should be.
        annotations: none where nothing is in it.
        size: the (height, width) that boxes refer to, in pixels; the image's own where None. (1, 1) is that of boxes
            in shares of the image, (100, 100) that of percents.
        split: "train", "val", "test", another name, or "" where there is none.
        stem: what a file of this image alone is called, without its suffix, where one is written.
    """

    name: str
    path: Path
    annotations: tuple[Annotation, ...] = ()
    size: tuple[int, int] | None = None
    split: str = ""
    stem: str = ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes in it, each once."""
        return tuple(dict.fromkeys(each.name for each in self.annotations))

    @property
    def height(self) -> int:
        """In pixels; 0 where it is not known."""
        return self.size[0] if self.size else 0

    @property
    def width(self) -> int:
        """In pixels; 0 where it is not known."""
        return self.size[1] if self.size else 0

    @property
    def boxed(self) -> list[tuple[Annotation, Edges]]:
        """The annotations that have a box, each with it."""
        return [(each, each.box) for each in self.annotations if each.box is not None]


def classes_in(images: Iterable[AnnotatedImage]) -> tuple[str, ...]:
    """The names of the classes that images show, in the order in which they come."""
    return tuple(dict.fromkeys(label for each in images for label in each.labels))


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, read.

    Attributes:
        name: its folder's or file's.
        images: in the order of the files, each once.
        classes: names, in the data set's own order; also those that no image shows.
        notes: what was wrong with it.
        labelled: whether it says what is in its images; a list of paths does not.
        format: one of `boxless.datasets.formats.FORMATS`.
    """

    name: str
    images: tuple[AnnotatedImage, ...]
    classes: tuple[str, ...] = ()
    notes: Notes = field(default_factory=Notes)
    labelled: bool = True
    format: str = ""

    @property
    def splits(self) -> dict[str, int]:
        """How many images each split has, "" being those without one."""
        counts: dict[str, int] = {}
        for each in self.images:
            counts[each.split] = counts.get(each.split, 0) + 1
        return counts


@dataclass(frozen=True)
class About:
    """What the annotations of all images that are written have in common.

    Attributes:
        model, preset: that found them.
        program: that wrote them, with its version.
        classes: names, in the order in which formats number them: the model's.
        out: the folder in which they will stand; they are written in another one first.
        placed: whether the images stand there too, in the format's folder for them.
    """

    model: str
    preset: str
    program: str
    classes: tuple[str, ...]
    out: Path
    placed: bool

    @property
    def source(self) -> str:
        """Program, model and preset in one line."""
        return f"{self.program}, {self.model}, {self.preset}"


class Read(Protocol):
    """Reads a data set of one format."""

    def __call__(self, path: Path, images: Path | None = None) -> Dataset:
        """Reads it.

        Args:
            path: the file or folder that the format's `find` gave.
            images: the folder that image names are relative to; searched for near the annotations where None.

        Returns:
            What stands there. A record that is not understood is one of its notes.

        Raises:
            DatasetError: if it is of another format altogether, or none of its images is found.
        """


class Write(Protocol):
    """Writes annotations of one format into a folder, from images that are gone through as often as needed."""

    def __call__(self, folder: Path, about: About, images: Iterable[AnnotatedImage]) -> None:
        """Writes them, an image in memory at a time; each has a size, a split, and boxes in its own pixels."""
