"""The classes of annotations: which are searched for in an image, and what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from boxless.annotation.inputs import Input
from boxless.datasets.labelled import BACKGROUND_NAMES
from boxless.errors import UnknownClassError
from boxless.models.card import Card

_LISTED = 10


@dataclass(frozen=True)
class Classes:
    """The classes of a run.

    Attributes:
        card: of the model.
        numbers: the index of each label that images are known to have; None for those that say "nothing here".
        names: that the annotations number: all of the model's, so that a number means the same in every run.
    """

    card: Card
    numbers: dict[str, int | None]
    names: tuple[str, ...]

    @classmethod
    def of(cls, card: Card, inputs: Sequence[Input]) -> Classes:
        """The classes of these images.

        Raises:
            UnknownClassError: if images have labels that the model lacks, with all of them.
        """
        counts = Counter(label for each in inputs for label in each.labels or ())
        numbers: dict[str, int | None] = {}
        errors: dict[str, str] = {}
        for label in counts:
            try:
                index = card.label_index(label)
                numbers[label] = None if index in card.background else index
            except UnknownClassError as error:
                if label.casefold() in BACKGROUND_NAMES:
                    numbers[label] = None
                else:
                    errors[label] = str(error)
        if errors:
            lacking = ", ".join(f"{label} ({counts[label]} images)" for label in list(errors)[:_LISTED])
            more = f" and {len(errors) - _LISTED} more" if len(errors) > _LISTED else ""
            raise UnknownClassError(
                f"{len(errors)} labels that the model lacks: {lacking}{more}; {next(iter(errors.values()))}. Name a "
                "model that knows them, leave those images out, or let the model say: --labels-from model"
            )
        return cls(card, numbers, tuple(card.unique_name(index) for index in range(len(card.labels))))

    def name(self, index: int) -> str:
        """What annotations call a class."""
        return self.card.unique_name(index)

    def wanted(self, given: Input) -> tuple[int, ...] | None:
        """The classes to locate in an image, empty if it shows none; None if the model decides."""
        if given.labels is None:
            return None
        indices = {self.numbers[label] for label in given.labels}
        return tuple(sorted(index for index in indices if index is not None))
