"""Presets: how many looks at a picture, how large, and where the box is cut. Rows of data, no code paths."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

DEFAULT_PRESET = "balanced"
DEFAULT_TOP = 1
DEFAULT_SHARD = 1000
"""Pictures in a file of results of a long run."""

_WIDEST = 3.0
"""A picture longer than this times its breadth is looked at as if it were this long: squeezed, not cut."""


@dataclass(frozen=True)
class Preset:
    """How a picture is looked at, and how a map becomes boxes.

    Attributes:
        sides: pixels, one for each look of the network at the whole picture, rising: the picture is resized to
            about side * side pixels, its aspect ratio kept. The first look names the picture; the last has the
            finest grid and refines the map.
        walk_steps: how often the map is averaged over positions that look alike; at least 1.
        threshold: boxes surround what is at least this fraction of the map's maximum, in (0, 1).
        set_on: what the threshold was set on, in words.
        least_probability: a class that is less probable in a picture counts as absent, in [0, 1].
        least_evidence: a class for which less speaks, in units of logits, counts as absent; not negative.
        present_from: what these two levels were set on, in words.
    """

    sides: tuple[int, ...]
    walk_steps: int
    threshold: float = 0.5
    set_on: str = "a default, not set on boxes"
    least_probability: float = 0.0
    least_evidence: float = 0.0
    present_from: str = "a default: whatever has evidence"

    def __post_init__(self) -> None:
        if not self.sides or min(self.sides) < 1 or list(self.sides) != sorted(self.sides):
            raise ValueError(f"a preset's sides rise, found {self.sides}")
        if self.walk_steps < 1:
            raise ValueError(f"a preset's walk_steps are 1 or more, found {self.walk_steps}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"a preset's threshold is between 0 and 1, found {self.threshold}")
        if not 0 <= self.least_probability <= 1:
            raise ValueError(f"a preset's least_probability is between 0 and 1, found {self.least_probability}")
        if not 0 <= self.least_evidence < inf:
            raise ValueError(f"a preset's least_evidence is 0 or more, found {self.least_evidence}")

    def present(self, probability: float, evidence: float) -> bool:
        """Whether a class of that probability and evidence counts as present: both levels are reached."""
        return evidence > 0 and evidence >= self.least_evidence and probability >= self.least_probability

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preset:
        """The preset of which `data` is the `dataclasses.asdict`, maybe by way of JSON."""
        return cls(**{**data, "sides": tuple(data["sides"])})


PRESETS: dict[str, Preset] = {
    "fast": Preset(sides=(224,), walk_steps=4),
    "balanced": Preset(sides=(224, 448), walk_steps=4),
    "best": Preset(sides=(224, 448, 576), walk_steps=4),
}
"""What a model starts with. A model file carries its own, with thresholds that were set for it."""


def view_size(side: int, height: int, width: int, multiple: int) -> tuple[int, int]:
    """The (height, width) at which a picture of that height and width is looked at.

    About side * side pixels in the picture's aspect ratio; both are multiples of `multiple`, the network's
    stride, so that its cells tile the picture.
    """
    aspect = min(max(height / width, 1 / _WIDEST), _WIDEST)
    rows, columns = side * sqrt(aspect), side / sqrt(aspect)
    return max(1, round(rows / multiple)) * multiple, max(1, round(columns / multiple)) * multiple
