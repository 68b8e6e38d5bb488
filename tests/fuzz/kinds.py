"""The kinds of input that are fuzzed: where valid ones are from, and what is done with a damaged one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import annotation_files, cards, images, requests


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        seeds: writes valid ones into a folder: pairs of what is opened and the file that is damaged.
        attempt: opens one; what it raises of `BoxlessError` is an answer, anything else a fault.
    """

    seeds: Callable[[Path], list[tuple[Path, Path]]]
    attempt: Callable[[Path, Path], None]


KINDS = {
    "images": Kind(images.seeds, images.attempt),
    "annotations": Kind(annotation_files.seeds, annotation_files.attempt),
    "cards": Kind(cards.seeds, cards.attempt),
    "requests": Kind(requests.seeds, requests.attempt),
}
"""By the name that `python -m tests.fuzz` takes. A new kind is a module with `seeds` and `attempt`, and a row here."""
