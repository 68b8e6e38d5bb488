"""The card of a model: what one must know to use it rightly. It travels inside the model file."""

from __future__ import annotations

import difflib
import json
import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from boxless.errors import ModelFileError, UnknownClassError, UnknownPresetError
from boxless.models.presets import DEFAULT_PRESET, Preset, renamed, view_size

FORMAT = 3
"""The version of the model file's format: its inputs, outputs and card. A reader refuses newer ones, and reads older.

Since 2, presets say from which probability and activation on a class counts as present; they may have a threshold for
each class. Since 3, fields have the names of the field: scales, refinement_steps,
min_probability, min_activation, typical_activation; and presets may have localization passes.
"""

METADATA_KEY = "boxless"
"""The key of the ONNX metadata under which the card stands, as JSON."""


@dataclass(frozen=True)
class Card:
    """What a model file says of itself.

    Attributes:
        name: of the model.
        labels: class names, by class index.
        class_ids: other names of the classes, such as WordNet ids, by class index; empty if there are none.
        background: the indices of classes that say "nothing here" and so never have a box.
        activation: makes probabilities of logits: softmax (one class a picture) or sigmoid (any number).
        preprocessing: what the graph does to pixels, in words.
        size_multiple: both sides of what the network sees are multiples of this.
        fixed_size: the only (height, width) that the network can see, pictures squeezed to it; None if it is free.
        maps: "exact" where a class map's mean is the logit, up to a bias; "linearised" where it is the slope at
            this picture of what follows the pooling; "max-pooled" where the network pools the maximum; "none" where
            the model is a detector, which says boxes and has no class maps.
        presets: by name.
        typical_activation: the median activation of right predictions; a heat map of this strength is drawn in full.
        licence: an SPDX identifier.
        source: where the weights come from.
        figures: measured properties, such as accuracies in percent, by name.
        figures_on: what they were measured on, in words.
    """

    name: str
    labels: tuple[str, ...]
    presets: Mapping[str, Preset]
    preprocessing: str
    licence: str
    source: str
    size_multiple: int = 32
    fixed_size: tuple[int, int] | None = None
    maps: Literal["exact", "linearised", "max-pooled", "none"] = "exact"
    class_ids: tuple[str, ...] = ()
    background: tuple[int, ...] = ()
    activation: Literal["softmax", "sigmoid"] = "softmax"
    typical_activation: float = 10.0
    figures: Mapping[str, float] = field(default_factory=dict)
    figures_on: str = ""

    def __repr__(self) -> str:
        """What one wants to know first, in a few lines: a thousand labels and their thresholds are no sight."""
        some = ", ".join([*self.labels[:3], *(["..."] if len(self.labels) > 3 else [])])
        return (
            f"<Card {self.name}\n"
            f"    {len(self.labels)} classes: {some}\n"
            f"    {self.activation}, maps {self.maps}, presets {', '.join(self.presets)}\n"
            f"    licence {self.licence}, source {self.source}>"
        )

    @property
    def detects(self) -> bool:
        """Whether the model is a detector: its boxes come from the network, not from class maps."""
        return self.maps == "none"

    def need_maps(self, who: str, instead: str = "") -> None:
        """Makes sure that there are class maps.

        Args:
            who: needs them, in words.
            instead: what a detector can be used for instead, in words, if there is something.

        Raises:
            ModelFileError: if the model is a detector.
        """
        if self.detects:
            what = "a model of boxless fit, train or attach, or one that comes with boxless"
            raise ModelFileError(
                f"{self.name} is a detector: it has boxes and no class maps, which {who} needs (expected {what}"
                f"{'; ' if instead else ''}{instead})"
            )

    def preset(self, name: str) -> Preset:
        """The preset of that name.

        Raises:
            UnknownPresetError: if the model has none such.
        """
        if name not in self.presets:
            raise UnknownPresetError(f"no preset '{name}' in {self.name} (it has {', '.join(self.presets)})")
        return self.presets[name]

    def look_size(self, side: int, height: int, width: int) -> tuple[int, int]:
        """The (height, width) at which the network sees a picture of that height and width; see `Preset.scales`."""
        return self.fixed_size or view_size(side, height, width, self.size_multiple)

    def class_index(self, wanted: str | int) -> int:
        """The index of a class, from its index, its label (upper and lower case alike) or its id.

        Raises:
            UnknownClassError: if there is none such (with the nearest names), or if the label is not unique.
        """
        if not isinstance(wanted, str):
            wanted = operator.index(wanted)  # NumPy's integers are no int
            if not 0 <= wanted < len(self.labels):
                raise UnknownClassError(f"no class {wanted} (there are 0 to {len(self.labels) - 1})")
            return wanted
        key = _plain(wanted)
        matches = [index for index, label in enumerate(self.labels) if _plain(label) == key]
        matches = matches or [index for index, other in enumerate(self.class_ids) if _plain(other) == key]
        if len(matches) == 1:
            return matches[0]
        if matches:
            choices = " or ".join(map(str, matches))
            raise UnknownClassError(f"'{wanted}' names {len(matches)} classes: give the index, {choices}")
        if key.isdecimal():
            return self.class_index(int(key))
        near = difflib.get_close_matches(key, [_plain(label) for label in self.labels], n=3, cutoff=0.5)
        near += [_plain(label) for label in self.labels if key in _plain(label).split() and _plain(label) not in near]
        hint = f"; nearest: {', '.join(near[:5])}" if near else ""
        raise UnknownClassError(f"no class '{wanted}' among the {len(self.labels)} of {self.name}{hint}")

    def unique_name(self, class_index: int) -> str:
        """A class's label; where several have the same, its id, or its label and index."""
        label = self.labels[class_index]
        if self.labels.count(label) == 1:
            return label
        return self.class_ids[class_index] if self.class_ids else f"{label} {class_index}"

    def to_json(self) -> str:
        """The card as JSON, with the format's version."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """The card that `to_json` wrote.

        Raises:
            ModelFileError: if it is damaged, or of a newer format.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            version = data.pop("format")
            if version > FORMAT:
                raise ModelFileError(
                    f"a boxless model of format {version} (this boxless reads up to {FORMAT}): "
                    "pip install --upgrade boxless"
                )
            data = renamed(data, {"typical_evidence": "typical_activation"})
            data.pop("finders", None)  # older files localized small things with further linear layers
            for name in ("labels", "class_ids", "background"):
                data[name] = tuple(data.get(name, ()))
            if data.get("fixed_size"):
                height, width = data["fixed_size"]
                data["fixed_size"] = (int(height), int(width))
            data["presets"] = {name: Preset.from_dict(preset) for name, preset in data["presets"].items()}
            card = cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelFileError(f"a boxless model with a damaged card ({error})") from None
        if not card.presets:
            raise ModelFileError("a boxless model without presets")
        for name, preset in card.presets.items():
            if len(preset.thresholds) not in (0, len(card.labels)):
                raise ModelFileError(
                    f"a boxless model with a damaged card (preset {name} has {len(preset.thresholds)} thresholds for "
                    f"{len(card.labels)} classes)"
                )
            for each in preset.localization:
                if not set(each.classes) <= set(range(len(card.labels))):
                    raise ModelFileError(
                        f"a boxless model with a damaged card (preset {name} localizes classes {each.classes} of "
                        f"{len(card.labels)})"
                    )
        return card

    @property
    def default_preset(self) -> str:
        """What is used where no preset is named."""
        return DEFAULT_PRESET if DEFAULT_PRESET in self.presets else next(iter(self.presets))


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").casefold().split())
