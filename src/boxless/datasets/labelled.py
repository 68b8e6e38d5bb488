"""Pictures with their classes, to learn from or to measure on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.errors import DatasetError

MOST_UNREADABLE = 0.05
"""With a larger share of pictures that cannot be read, something is wrong with the data, and nothing is learned."""

BACKGROUND_NAMES = frozenset({"background", "nothing"})
"""Classes of these names say that there is nothing in a picture: they never get a box."""

_LISTED = 5


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures whose classes are known.

    Attributes:
        name: of the data set.
        classes: K names, sorted.
        paths: n of them.
        targets: float32 (n, K), 1 where the picture shows the class and else 0.
        several: whether a picture may show several classes; else each row of `targets` has one 1.
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
        """(K,), how many pictures show each class."""
        return np.asarray(self.targets.sum(axis=0), np.int64)

    @property
    def digest(self) -> str:
        """Which pictures these are and what they show, in eight letters: of paths and targets."""
        names = b"\n".join(map(os.fsencode, self.paths))
        return hashlib.sha256(names + np.ascontiguousarray(self.targets).tobytes()).hexdigest()[:8]

    def only(self, chosen: NDArray[np.int64]) -> LabelledPictures:
        """Some of the pictures, by index, in the order given."""
        return replace(self, paths=tuple(self.paths[i] for i in chosen), targets=self.targets[chosen])

    def without(self, unreadable: Mapping[int, str]) -> LabelledPictures:
        """The pictures that can be read; the others are listed in the notes.

        Args:
            unreadable: why, by index.

        Raises:
            DatasetError: if they are more than 5 %, or if a class has no picture left.
        """
        if not unreadable:
            return self
        listed = [f"{self.paths[i]}: {reason}" for i, reason in list(unreadable.items())[:_LISTED]]
        more = f" and {len(unreadable) - _LISTED} more" if len(unreadable) > _LISTED else ""
        text = f"{len(unreadable)} of {len(self)} pictures cannot be read ({'; '.join(listed)}{more})"
        if len(unreadable) > MOST_UNREADABLE * len(self):
            raise DatasetError(f"{self.name}: {text}; over {MOST_UNREADABLE:.0%} is too many: mend or remove them")
        left = self.only(np.array([i for i in range(len(self)) if i not in unreadable], np.int64))
        emptied = [self.classes[k] for k in np.flatnonzero((left.counts == 0) & (self.counts > 0))]
        if emptied:
            raise DatasetError(f"{self.name}: no readable picture is left of {', '.join(emptied)}: {text}")
        return replace(left, notes=(*self.notes, f"skipped: {text}"))
