"""What is written as annotations: what was found in each picture, plain and frozen, whatever the format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

Edges = tuple[float, float, float, float]


@dataclass(frozen=True)
class Thing:
    """One box.

    Attributes:
        label: its class's name.
        box: xyxy in pixels of the picture as displayed, half-open.
        score: of the box, in [0, 1].
        probability: of the class in the picture, in [0, 1].
        activation: for the class in the picture, in units of logits.
        mask: run lengths of the pixels that are its, see `boxless.maps.run_lengths`; None where there is no mask.
    """

    label: str
    box: Edges
    score: float
    probability: float
    activation: float
    mask: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Annotated:
    """What was found in one picture.

    Attributes:
        file: what the annotations call it: below the folder of pictures that is written, or of those that were read.
        stem: what a file of this picture alone is called, without its suffix: below the folder that is written, and as
            no other picture's.
        source: its path.
        height, width: as displayed, in pixels.
        split: "train", "val" or "test".
        things: none where nothing was found.
    """

    file: str
    stem: str
    source: str
    height: int
    width: int
    split: str
    things: tuple[Thing, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Annotated:
        """Of what `as_dict` gave, maybe by way of JSON."""
        things = (
            Thing(**{**each, "box": tuple(each["box"]), "mask": None if each["mask"] is None else tuple(each["mask"])})
            for each in data["things"]
        )
        return cls(**{**data, "things": tuple(things)})


@dataclass(frozen=True)
class About:
    """What the annotations of all pictures have in common.

    Attributes:
        model, preset: that found them.
        program: that wrote them, with its version.
        classes: names, in the order in which formats number them.
        out: the folder in which they will stand; they are written in another one first.
        placed: whether the pictures stand there too, in the format's folder for them.
    """

    model: str
    preset: str
    program: str
    classes: tuple[str, ...]
    out: Path
    placed: bool

    @property
    def by_whom(self) -> str:
        """Program, model and preset in one line."""
        return f"{self.program}, {self.model}, {self.preset}"


class Write(Protocol):
    """Writes annotations of a format into a folder, from pictures that are gone through as often as needed."""

    def __call__(self, folder: Path, about: About, pictures: Iterable[Annotated]) -> None:
        """Writes them, a picture in memory at a time."""


def rounded(value: float) -> float:
    """Coordinates in hundredths of pixels: finer is no information."""
    return round(value, 2)
