"""What decides the rows of a long run, beside its pictures."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from boxless._version import __version__
from boxless.errors import ModelFileError, ResultsError
from boxless.localizer import Localizer
from boxless.models.card import Card
from boxless.models.model_file import ModelFile, find_model
from boxless.models.presets import DEFAULT_TOP
from boxless.models.zoo import quick_model

MAP_KINDS = ("float16", "uint8")


@dataclass(frozen=True)
class Settings:
    """How pictures are looked at, and what is written of them.

    Attributes:
        model: a model's name, or its file's path; `boxless.models.zoo.quick_model` where none is given.
        preset: its name; the model's default where None.
        top, classes, min_probability, include_absent: as for `Localizer.locate`.
        maps: whether class maps are kept in the rows, and in which numbers: "float16", "uint8", or None for none.

    Raises:
        ResultsError: for numbers that maps are not kept in.
    """

    model: str = field(default_factory=quick_model)
    preset: str | None = None
    top: int = DEFAULT_TOP
    classes: tuple[str | int, ...] | None = None
    min_probability: float = 0.0
    include_absent: bool = False
    maps: str | None = None

    def __post_init__(self) -> None:
        if self.maps is not None and self.maps not in MAP_KINDS:
            raise ResultsError(f"no kind of maps '{self.maps}' (expected {' or '.join(MAP_KINDS)})")

    def localizer(self, threads: int = 0) -> Localizer:
        """The localizer of these settings.

        Raises:
            ModelFileError, UnknownPresetError: if there is no such thing.
        """
        return Localizer(self.model, self.preset, threads=threads)

    @property
    def card(self) -> Card:
        """What the model says of itself.

        Raises:
            ModelFileError: if there is no such model.
        """
        return ModelFile(self.model, threads=1).card

    def recorded(self, card: Card) -> dict[str, Any]:
        """What another run must have in common to give the same rows, by name.

        The model by what is in its file, wherever that is.

        Args:
            card: the model's.

        Raises:
            UnknownPresetError, UnknownClassError: if the model has no such thing.
            ModelFileError: if maps are to be kept of a detector.
        """
        if self.maps:
            card.need_maps("keeping maps")
        preset = self.preset or card.default_preset
        card.preset(preset)
        return {
            **asdict(self),
            "model": f"{card.name}, SHA-256 {_digest(find_model(self.model))}",
            "preset": preset,
            "classes": None if self.classes is None else [card.class_index(each) for each in self.classes],
            "boxless": __version__,
        }


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read ({error.strerror or error})") from None
