"""The models of a service, opened once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from boxless.errors import ModelFileError
from boxless.localizer import Localizer
from boxless.models.model_file import ModelFile
from boxless.serve.description import describe
from boxless.serve.problems import Problem


class Served:
    """One model with a localizer for each of its presets.

    Args:
        model: a model's name or its file's path.
        preset: used where none is named; the model's default where None.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        ModelFileError: if there is no such model, or it is no boxless model.
        UnknownPresetError: if the model has no such preset.
    """

    def __init__(self, model: str, preset: str | None, max_pixels: int) -> None:
        # One thread an image: the workers together use all cores, as in `locate_many`.
        self.network = ModelFile(model, threads=1)
        self.card = self.network.card
        self.default = Localizer(self.network, preset, max_pixels=max_pixels)
        self._localizers = {name: Localizer(self.network, name, max_pixels=max_pixels) for name in self.card.presets}
        self._described = describe(self.network, self.default.preset_name)

    def localizer(self, preset: str | None) -> Localizer:
        """The localizer of a preset.

        Args:
            preset: its name; the default's where None.

        Returns:
            An opened localizer.

        Raises:
            UnknownPresetError: if the model has no such preset.
        """
        if preset is None:
            return self.default
        self.card.preset(preset)
        return self._localizers[preset]

    def described(self) -> dict[str, Any]:
        """Describes the model.

        Returns:
            Plain data for JSON.
        """
        return self._described


class Models:
    """The models of a service, by name.

    Args:
        models: names or paths; the first is used where a request names none.
        preset: used where a request names none; each model's default where None.
        max_pixels: larger images are refused before they are decoded.

    Raises:
        ModelFileError: if there is no such model, it is no boxless model, or two have the same name.
        UnknownPresetError: if a model has no such preset.
    """

    def __init__(self, models: Sequence[str], preset: str | None, max_pixels: int) -> None:
        self._served: dict[str, Served] = {}
        for model in models:
            served = Served(model, preset, max_pixels)
            if served.card.name in self._served:
                raise ModelFileError(f"{model}: a second model called '{served.card.name}' (each needs another name)")
            self._served[served.card.name] = served

    def __getitem__(self, name: str | None) -> Served:
        """The model of a name; the first where None.

        Raises:
            Problem: 404 if there is none such.
        """
        if name is None:
            return next(iter(self._served.values()))
        if name not in self._served:
            known = ", ".join(self._served)
            raise Problem(404, "unknown-model", f"no model '{name[:100]}' here (there is {known})")
        return self._served[name]

    def described(self) -> list[dict[str, Any]]:
        """Describes all models.

        Returns:
            Plain data for JSON, one for each model.
        """
        return [served.described() for served in self._served.values()]
