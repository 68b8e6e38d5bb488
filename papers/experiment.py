"""What an experiment is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Say = Callable[[str], object]
"""Is told in words how an experiment gets on."""


@dataclass(frozen=True)
class Measured:
    """What an experiment found.

    Attributes:
        data: plain data for JSON; tables, plots and words are made of nothing else.
        pictures: other pictures that it drew, as PNG, by the ending of their name.
    """

    data: dict[str, Any]
    images: Mapping[str, bytes] = field(default_factory=dict)


class Measure(Protocol):
    """Does the work of an experiment."""

    def __call__(self, scale: str, data: Path | None, say: Say) -> Measured:
        """Measures.

        Args:
            scale: the name of a row of settings.
            data: where the pictures are; where None, they are looked for.
            say: is told how it gets on.
        """


@dataclass(frozen=True)
class Experiment:
    """A claim of a paper, and how it is measured again.

    Attributes:
        name: on the command line.
        title: of its page.
        claim: of the paper, with its reference, as Markdown.
        method: what is done here, as Markdown, without numbers: those are in the settings.
        scales: the rows of settings, dataclasses, by name: check, quick, medium, full.
        measure: does the work.
        words: makes Markdown of the stored data of a run: tables, and what they say of the claim.
        plot: makes SVG of it.
    """

    name: str
    title: str
    claim: str
    method: str
    scales: Mapping[str, Any]
    measure: Measure
    words: Callable[[dict[str, Any]], str]
    plot: Callable[[dict[str, Any]], str]
