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
        thresholds: the same for each class, by index; empty where all classes have `threshold`.
        set_on: what the threshold was set on, in words.
        least_probability: a class that is less probable in a picture counts as absent, in [0, 1].
        least_evidence: a class for which less speaks, in units of logits, counts as absent; not negative.
        present_from: what these two levels were set on, in words.
        finders: for each look after the first, which of the model's finders makes its class maps; the first look then
            only names. Empty where all looks name and find with one and the same linear layer.
        sharpness: to which power the affinity is raised before the walk, its rows summing to one again; at least 1.
            Small things keep apart from what is only somewhat like them.
    """

    sides: tuple[int, ...]
    walk_steps: int
    threshold: float = 0.5
    set_on: str = "a default, not set on boxes"
    least_probability: float = 0.0
    least_evidence: float = 0.0
    present_from: str = "a default: whatever has evidence"
    thresholds: tuple[float, ...] = ()
    finders: tuple[int, ...] = ()
    sharpness: float = 1.0

    def __post_init__(self) -> None:
        if not self.sides or min(self.sides) < 1 or list(self.sides) != sorted(self.sides):
            raise ValueError(f"a preset's sides rise, found {self.sides}")
        if self.walk_steps < 1:
            raise ValueError(f"a preset's walk_steps are 1 or more, found {self.walk_steps}")
        for each in (self.threshold, *self.thresholds):
            if not 0 < each < 1:
                raise ValueError(f"a preset's thresholds are between 0 and 1, found {each}")
        if self.finders and (len(self.finders) != len(self.sides) - 1 or min(self.finders) < 0):
            raise ValueError(f"a preset's finders are one for each look after the first, found {self.finders}")
        if not 1 <= self.sharpness < inf:
            raise ValueError(f"a preset's sharpness is 1 or more, found {self.sharpness}")
        if not 0 <= self.least_probability <= 1:
            raise ValueError(f"a preset's least_probability is between 0 and 1, found {self.least_probability}")
        if not 0 <= self.least_evidence < inf:
            raise ValueError(f"a preset's least_evidence is 0 or more, found {self.least_evidence}")

    def present(self, probability: float, evidence: float) -> bool:
        """Whether a class of that probability and evidence counts as present: both levels are reached."""
        return evidence > 0 and evidence >= self.least_evidence and probability >= self.least_probability

    def threshold_of(self, class_index: int) -> float:
        """Where the boxes of a class are cut, in (0, 1)."""
        return self.thresholds[class_index] if self.thresholds else self.threshold

    @property
    def cut(self) -> str:
        """The threshold, or the range of those of the classes, and what set them, in words."""
        low, high = min(self.thresholds or (self.threshold,)), max(self.thresholds or (self.threshold,))
        span = f"{low:g} to {high:g}, by class" if low < high else f"{low:g}"
        return f"{span} (set on: {self.set_on})"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preset:
        """The preset of which `data` is the `dataclasses.asdict`, maybe by way of JSON."""
        lists = {name: tuple(data.get(name, ())) for name in ("sides", "thresholds", "finders")}
        return cls(**{**data, **lists})


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
