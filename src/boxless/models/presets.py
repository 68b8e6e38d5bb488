"""Presets: at which scales an image is processed, and the thresholds of boxes and of detection. Rows of data.

A model's card stores its own presets. A new row reaches what `boxless attach` and `boxless train` make; the model that
comes with boxless is made by `make zoo`, and `boxless fit` takes the presets of its backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, Literal, get_args

DEFAULT_PRESET = "balanced"
DEFAULT_SHARD = 1000
"""Images in a file of results of a long run."""

_RENAMED = {
    "sides": "scales",
    "walk_steps": "refinement_steps",
    "least_probability": "min_probability",
    "least_evidence": "min_activation",
    "present_from": "detection_set_on",
}
"""Fields as files of format 2 and older call them."""

_DROPPED = ("finders", "sharpness", "searches")
"""Fields of older files that say nothing any more: such a model localizes with its classification passes."""


def renamed(data: dict[str, Any], names: Mapping[str, str] = _RENAMED) -> dict[str, Any]:
    """The fields of an older file by their present names."""
    return {names.get(name, name): value for name, value in data.items()}


def of_today(data: dict[str, Any]) -> dict[str, Any]:
    """The card of an older file as one of today: present names, and nothing that fell out of use.

    What is not as it should be stays as it is, for the check that follows.
    """
    data = renamed(data, {"typical_evidence": "typical_activation"})
    data.pop("finders", None)  # older files localized small things with further linear layers
    if isinstance(data.get("presets"), dict):
        data["presets"] = {name: _preset_of_today(preset) for name, preset in data["presets"].items()}
    return data


def _preset_of_today(data: Any) -> Any:  # noqa: ANN401
    if not isinstance(data, dict):
        return data
    return {name: value for name, value in renamed(data).items() if name not in _DROPPED}


_WIDEST = 3.0
"""An image with a larger aspect ratio is squeezed to this one, not cropped."""


MapSource = Literal["head", "anomaly", "class_maps"]
"""What a localization pass makes maps of."""


@dataclass(frozen=True)
class LocalizationPass:
    """A further pass, whose maps take the place of the refined class maps of some classes.

    Attributes:
        scale: pixels, as of a preset's `scales`.
        classes: that it localizes, by index.
        source: "head" for the probabilities of the localization head (see `boxless.export.localization_head`);
            "class_maps" for class maps, refined: those of the class map head where the model has one;
            "anomaly" for the same, each cell weighted by its anomaly score (see `boxless.maps.refine.anomaly_weights`)
            before the refinement.
        refinement_steps: as of a preset; not of "head".
        affinity_exponent: the affinity is raised to it before the refinement, its rows summing to one again; at least
            1. Small objects keep apart from what is only somewhat like them. Not of "head".
        margin: pixels by which the image is continued on every side, mirrored, so that cells at its border see what
            others see rather than zero padding; what the map says of the margin is left away. Of "head" alone.
    """

    scale: int
    classes: tuple[int, ...]
    source: MapSource
    refinement_steps: int = 8
    affinity_exponent: float = 2.0
    margin: int = 0

    def __post_init__(self) -> None:
        if self.source not in get_args(MapSource):
            raise ValueError(
                f"a localization pass has the source {' or '.join(get_args(MapSource))}, found {self.source}"
            )
        if self.scale < 1 or self.refinement_steps < 1:
            raise ValueError(
                "a localization pass has a scale and refinement_steps of 1 or more, found "
                f"{self.scale} and {self.refinement_steps}"
            )
        if self.margin < 0:
            raise ValueError(f"a localization pass's margin is 0 or more, found {self.margin}")
        if not 1 <= self.affinity_exponent < inf:
            raise ValueError(f"a localization pass's affinity_exponent is 1 or more, found {self.affinity_exponent}")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LocalizationPass:
        """Restores a pass from plain data.

        Args:
            data: what `dataclasses.asdict` gave, maybe by way of JSON.

        Returns:
            The pass.
        """
        return cls(**{**data, "classes": tuple(data["classes"])})


@dataclass(frozen=True)
class Preset:
    """How an image is processed, and how a map becomes boxes.

    Attributes:
        scales: input sides in pixels, rising; the network runs once for each. The image is resized to about side * side
            pixels, its aspect ratio kept. The first pass classifies; the maps of all passes are averaged, and the last
            one, with the finest grid, refines them. A class with a localization pass uses that instead.
        refinement_steps: steps of the random walk that refines maps; at least 1.
        threshold: boxes surround what is at least this fraction of the map's maximum, in (0, 1).
        thresholds: the same for each class, by index; empty where all classes have `threshold`.
        set_on: what the threshold was set on, in words.
        min_probability: a less probable class counts as not detected, in [0, 1].
        min_activation: a class with less activation, in logits, counts as not detected; not negative.
        detection_set_on: what these two detection thresholds were set on, in words.
        localization: the passes whose maps some classes have instead of those of `scales`; each class is in one at
            most.
    """

    scales: tuple[int, ...]
    refinement_steps: int
    threshold: float = 0.5
    set_on: str = "a default, not set on boxes"
    min_probability: float = 0.0
    min_activation: float = 0.0
    detection_set_on: str = "a default: whatever has activation"
    thresholds: tuple[float, ...] = ()
    localization: tuple[LocalizationPass, ...] = ()

    def __post_init__(self) -> None:
        if not self.scales or min(self.scales) < 1 or list(self.scales) != sorted(self.scales):
            raise ValueError(f"a preset's scales rise, found {self.scales}")
        if self.refinement_steps < 1:
            raise ValueError(f"a preset's refinement_steps are 1 or more, found {self.refinement_steps}")
        for each in (self.threshold, *self.thresholds):
            if not 0 < each < 1:
                raise ValueError(f"a preset's thresholds are between 0 and 1, found {each}")
        localized = [k for each in self.localization for k in each.classes]
        if len(set(localized)) < len(localized):
            raise ValueError("a preset's localization passes are for different classes, found one in two of them")
        if not 0 <= self.min_probability <= 1:
            raise ValueError(f"a preset's min_probability is between 0 and 1, found {self.min_probability}")
        if not 0 <= self.min_activation < inf:
            raise ValueError(f"a preset's min_activation is 0 or more, found {self.min_activation}")

    def is_detected(self, probability: float, activation: float) -> bool:
        """Whether a class counts as detected.

        Args:
            probability: of the class, in [0, 1].
            activation: the maximum of its class map, in logits.

        Returns:
            True if the activation is positive and both reach the detection thresholds `min_probability` and
            `min_activation`.
        """
        return activation > 0 and activation >= self.min_activation and probability >= self.min_probability

    def threshold_of(self, class_index: int) -> float:
        """Where the boxes of a class are cut, in (0, 1).

        Args:
            class_index: of the class.

        Returns:
            A fraction of the map's maximum, in (0, 1).
        """
        return self.thresholds[class_index] if self.thresholds else self.threshold

    def localization_of(self, class_index: int) -> LocalizationPass | None:
        """The pass that localizes a class.

        Args:
            class_index: of the class.

        Returns:
            The pass; None if those of `scales` localize it.
        """
        return next((each for each in self.localization if class_index in each.classes), None)

    @property
    def largest(self) -> int:
        """The scale of the largest pass, in pixels."""
        return max([*self.scales, *(each.scale for each in self.localization)])

    @property
    def cut(self) -> str:
        """The threshold, or the range of those of the classes, and what set them, in words."""
        low, high = min(self.thresholds or (self.threshold,)), max(self.thresholds or (self.threshold,))
        span = f"{low:g} to {high:g}, by class" if low < high else f"{low:g}"
        return f"{span} (set on: {self.set_on})"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preset:
        """Restores a preset from plain data.

        Args:
            data: what `dataclasses.asdict` gave, maybe by way of JSON.

        Returns:
            The preset.
        """
        lists = {name: tuple(data.get(name, ())) for name in ("scales", "thresholds")}
        localization = tuple(LocalizationPass.from_dict(each) for each in data.get("localization", ()))
        return cls(**{**data, **lists, "localization": localization})


PRESETS: dict[str, Preset] = {
    "fast": Preset(scales=(224,), refinement_steps=4),
    "balanced": Preset(scales=(224, 448), refinement_steps=4),
    "best": Preset(scales=(224, 448, 576), refinement_steps=4),
}
"""What a model starts with. A model file carries its own, with thresholds that were set for it."""


def view_size(side: int, height: int, width: int, multiple: int) -> tuple[int, int]:
    """The (height, width) of the input for an image of that height and width.

    About side * side pixels in the image's aspect ratio; both are multiples of `multiple`, the network's
    stride, so that its cells tile the image.
    """
    aspect = min(max(height / width, 1 / _WIDEST), _WIDEST)
    rows, columns = side * sqrt(aspect), side / sqrt(aspect)
    return max(1, round(rows / multiple)) * multiple, max(1, round(columns / multiple)) * multiple
