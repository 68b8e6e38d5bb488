"""The card of a model: what one must know to use it rightly. It travels inside the model file."""

from __future__ import annotations

import difflib
import json
import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any, Literal

from boxless.errors import ModelFileError, UnknownClassError, UnknownPresetError, first_line
from boxless.models import fields
from boxless.models.class_names import matches, plain
from boxless.models.presets import DEFAULT_PRESET, Preset, of_today, view_size

FORMAT = 3
"""The version of the model file's format: its inputs, outputs and card. A reader refuses newer ones, and reads older.

Since 2, presets say from which probability and activation on a class counts as present; they may have a threshold for
each class. Since 3, fields have the names of the field: scales, refinement_steps,
min_probability, min_activation, typical_activation; and presets may have localization passes.
"""

METADATA_KEY = "boxless"
"""The key of the ONNX metadata under which the card stands, as JSON."""

Activation = Literal["softmax", "sigmoid", "none"]

_MAX_TEXT = 2**24
"""Characters of a card's JSON: room for 100,000 labels and their thresholds."""


@dataclass(frozen=True)
class Card:
    """What a model file says of itself.

    Attributes:
        name: of the model.
        labels: class names, by class index.
        class_ids: other names of the classes, such as WordNet ids, by class index; empty if there are none.
        background: the indices of classes that say "nothing here" and so never have a box.
        activation: makes probabilities of logits: softmax (one class an image), sigmoid (any number of them), or none
            (the network's outputs are probabilities as they come, clipped to [0, 1]).
        preprocessing: what the graph does to pixels, in words.
        size_multiple: both sides of what the network sees are multiples of this.
        fixed_size: the only (height, width) that the network can see, images squeezed to it; None if it is free.
        maps: "exact" where a class map's mean is the logit, up to a bias; "linearised" where it is the slope at
            this image of what follows the pooling; "max-pooled" where the network pools the maximum; "none" where
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
    activation: Activation = "softmax"
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
        """One of the model's presets.

        Args:
            name: of the preset.

        Returns:
            The preset of that name.

        Raises:
            UnknownPresetError: if the model has none such.
        """
        if name not in self.presets:
            raise UnknownPresetError(f"no preset '{name}' in {self.name} (it has {', '.join(self.presets)})")
        return self.presets[name]

    def input_size(self, side: int, height: int, width: int) -> tuple[int, int]:
        """The input size of the network for an image of some size; see `Preset.scales`.

        Args:
            side: the scale of the pass, in pixels.
            height, width: of the image, in pixels.

        Returns:
            (height, width) in pixels, multiples of `size_multiple`; `fixed_size` if the model has one.
        """
        return self.fixed_size or view_size(side, height, width, self.size_multiple)

    def class_index(self, wanted: str | int) -> int:
        """The index of a class that a user names.

        Labels in data are looked up by `label_index`: a folder called 0 is no index.

        Args:
            wanted: the class's index, label (exact, else in another case) or id.

        Returns:
            Its index.

        Raises:
            UnknownClassError: if there is none such (with the nearest names), or if the label is not unique.
        """
        if not isinstance(wanted, str):
            wanted = operator.index(wanted)  # NumPy's integers are no int
            if not 0 <= wanted < len(self.labels):
                raise UnknownClassError(f"no class {wanted} (there are 0 to {len(self.labels) - 1})")
            return wanted
        found = matches(wanted, self.labels) or matches(wanted, self.class_ids)
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(map(str, found))
            raise UnknownClassError(f"'{wanted}' names {len(found)} classes: give the index, {choices}")
        key = plain(wanted)
        if key.isdecimal() and len(key) <= len(str(fields.MAX_CLASSES)):
            return self.class_index(int(key))
        near = difflib.get_close_matches(key, [plain(label) for label in self.labels], n=3, cutoff=0.5)
        near += [plain(label) for label in self.labels if key in plain(label).split() and plain(label) not in near]
        hint = f"; nearest: {', '.join(near[:5])}" if near else ""
        raise UnknownClassError(f"no class '{wanted}' among the {len(self.labels)} of {self.name}{hint}")

    def label_index(self, label: str) -> int:
        """The index of a class, from a label in a data set: exact first, then by Unicode form, by case, by spacing.

        Args:
            label: a class's label, id, or unique name. Digits are a name like any other, and no index.

        Returns:
            Its index.

        Raises:
            UnknownClassError: if there is none such, or several.

        Example:
            >>> card.label_index("Golden_Retriever")  # doctest: +SKIP
            207
        """
        for names in (self.labels, self.class_ids):
            if len(found := matches(label, names)) == 1:
                return found[0]
        for index in range(len(self.labels)):
            if self.unique_name(index) == label:
                return index
        raise UnknownClassError(f"no class '{label}' among the {len(self.labels)} of {self.name}")

    def unique_name(self, class_index: int) -> str:
        """A name that no other class of the model has.

        Args:
            class_index: of the class.

        Returns:
            Its label; where several classes have the same, its id, or its label and index.
        """
        label = self.labels[class_index]
        if self.labels.count(label) == 1:
            return label
        if self.class_ids:
            own = self.class_ids[class_index]
            if self.class_ids.count(own) == 1 and own not in self.labels:
                return own
        name = f"{label} {class_index}"
        while name in self.labels:
            name = f"{name} {class_index}"
        return name

    def to_json(self) -> str:
        """The card as JSON, with the format's version.

        Returns:
            Text that `from_json` reads.

        Raises:
            ModelFileError: if a field holds what no card may, such as a label with control characters.
        """
        data = json.loads(json.dumps(asdict(self)))
        # A figure that could not be measured is none.
        data["figures"] = {name: value for name, value in data["figures"].items() if isfinite(value)}
        self._check(data)
        return json.dumps({"format": FORMAT, **data}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """The card that `to_json` wrote.

        Args:
            text: JSON, from a stranger.

        Returns:
            A card whose every field is of its type and within its bounds.

        Raises:
            ModelFileError: if it is damaged, or of a newer format.

        Example:
            >>> from boxless import ModelFile
            >>> Card.from_json(ModelFile("efficientnet-lite0").card.to_json()).name
            'efficientnet-lite0'
        """
        if len(text) > _MAX_TEXT:
            raise ModelFileError(f"a boxless model with a card of {len(text):,} characters (at most {_MAX_TEXT:,})")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"a boxless model with a damaged card ({first_line(error)})") from None
        version = data.pop("format", None) if isinstance(data, dict) else None
        if not isinstance(version, int) or version < 1:
            raise ModelFileError("a boxless model with a damaged card (it does not say its format)")
        if version > FORMAT:
            raise ModelFileError(
                f"a boxless model of format {version} (this boxless reads up to {FORMAT}): "
                "pip install --upgrade boxless"
            )
        data = of_today(data)
        cls._check(data)
        try:
            return cls(
                **{**{name: _frozen(value) for name, value in data.items()}, "presets": _presets(data["presets"])}
            )
        except ValueError as error:
            raise ModelFileError(f"a boxless model with a damaged card ({error})") from None

    @staticmethod
    def _check(data: dict[str, Any]) -> None:
        """Every field by itself, then what they say of each other."""
        fields.check(data, fields.CARD)
        classes = len(data["labels"])
        counts = {"class_ids": data.get("class_ids", ())}
        counts |= {f"preset {name}": preset.get("thresholds", ()) for name, preset in data["presets"].items()}
        for where, values in counts.items():
            if len(values) not in (0, classes):
                what = "ids" if where == "class_ids" else "thresholds"
                raise ModelFileError(
                    f"a boxless model with a damaged card ({where} has {len(values)} {what} for {classes} classes)"
                )
        if any(index >= classes for index in data.get("background", ())):
            raise ModelFileError(f"a boxless model with a damaged card (background beyond the {classes} classes)")
        for name, preset in data["presets"].items():
            for each in preset.get("localization", ()):
                if max(each["classes"], default=0) >= classes:
                    raise ModelFileError(
                        f"a boxless model with a damaged card (preset {name} localizes classes "
                        f"{tuple(each['classes'])} of {classes})"
                    )

    @property
    def default_preset(self) -> str:
        """What is used where no preset is named."""
        return DEFAULT_PRESET if DEFAULT_PRESET in self.presets else next(iter(self.presets))


def _presets(data: dict[str, Any]) -> dict[str, Preset]:
    return {name: Preset.from_dict(preset) for name, preset in data.items()}


def _frozen(value: Any) -> Any:  # noqa: ANN401
    return tuple(value) if isinstance(value, list) else value
