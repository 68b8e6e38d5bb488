"""Picture in, what and where out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.detections import predictions_of
from boxless.errors import PictureError
from boxless.imaging.read import MAX_PIXELS, Picture, Source, as_bytes, picture_name, read_picture, resize_pixels
from boxless.maps.boxes import Box, boxes_in_map
from boxless.maps.class_maps import probabilities
from boxless.maps.refine import resize_maps
from boxless.models.model_file import Detector, ModelFile, Network
from boxless.models.presets import DEFAULT_TOP
from boxless.models.zoo import quick_model
from boxless.multi_scale import Eye
from boxless.results import Localization, Prediction
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

_BOX_GRID = 256
"""Boxes are read off a map whose longer side has at most this many cells: finer is not more exact, but slower."""


class Localizer:
    """Finds what is in pictures, and where.

    Args:
        model: the name of a model that comes with boxless, a model file's path, or an opened `Network`; the model that
            this processor runs best where None, see `boxless.models.zoo.quick_model`.
        preset: "fast", "balanced" or "best", or another one that the model has; its default where None.
        threads: how many one picture may use; 0 means one a core for `locate`, and one for each of `locate_many`.
        device: that runs the model: cpu, cuda, openvino, coreml or directml; $BOXLESS_DEVICE, else cpu,
            where None. See `boxless.models.devices`.
        max_pixels: larger pictures are refused before they are decoded.

    Raises:
        ModelFileError: if there is no such model, it is no boxless model, or the device is not there.
        UnknownPresetError: if the model has no such preset.

    Example:
        >>> localizer = Localizer()
        >>> found = localizer.locate("cat.jpg")
        >>> found.predictions[0].label, found.predictions[0].box
    """

    def __init__(
        self,
        model: str | Path | Network | None = None,
        preset: str | None = None,
        *,
        threads: int = 0,
        device: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        model = quick_model(device) if model is None else model
        self._network = ModelFile(model, threads, device) if isinstance(model, (str, Path)) else model
        self.card = self._network.card
        self.preset_name = preset or self.card.default_preset
        self.preset = self.card.preset(self.preset_name)
        self.max_pixels = max_pixels

    def __repr__(self) -> str:
        return f"<Localizer {self.card.name}, {self.preset_name}: {len(self.card.labels)} classes>"

    def locate(
        self,
        source: Source,
        *,
        top: int = DEFAULT_TOP,
        classes: Sequence[str | int] | None = None,
        min_probability: float = 0.0,
        include_absent: bool = False,
    ) -> Localization:
        """Finds what is in a picture, and where.

        Args:
            source: whatever `read_picture` takes: a path, bytes, an opened file, a PIL image, an array.
            top: how many of the most probable classes are wanted; at least 1. A detector adds all that are present.
            classes: look for these instead, by label, index or id; the predictions keep their order.
            min_probability: predictions below are left out, in [0, 1].
            include_absent: make boxes of what counts as absent too, wherever there is any activation.

        Raises:
            PictureError: if the picture cannot be read.
            UnknownClassError: if the model has no such class.
        """
        wanted = self._wanted(top, classes)
        try:
            return self._locate(self._network, source, wanted, top, min_probability, include_absent)
        except PictureError as error:
            raise PictureError(f"{picture_name(source)}: {error}") from None

    def survey(self, source: Source) -> tuple[Floats, Floats]:
        """Probabilities (K,) and activations (K,) of every class of a picture, as `Prediction` has them.

        For what needs all classes and no place, such as the levels from which on a class counts as present.

        Raises:
            PictureError: if the picture cannot be read.
        """
        picture = self._read(as_bytes(source))
        looks = Eye(self._network, self.preset).name(picture, range(len(self.card.labels)), 0)
        return probabilities(looks.logits, self.card.activation), looks.activation

    def locate_many(
        self,
        sources: Iterable[Source],
        *,
        top: int = DEFAULT_TOP,
        classes: Sequence[str | int] | None = None,
        min_probability: float = 0.0,
        include_absent: bool = False,
        workers: int | None = None,
    ) -> Iterator[Localization]:
        """Finds what is in many pictures: lazily, in their order, a few in memory at a time.

        A picture that cannot be read gives a result with an `error`, and the rest goes on.

        Args:
            sources: as for `locate`; an iterator is drawn from only as fast as results are taken.
            top, classes, min_probability, include_absent: as for `locate`.
            workers: pictures under way at a time; one a core where None.

        Raises:
            UnknownClassError: at once, if the model has no such class.
        """
        wanted = self._wanted(top, classes)
        network = self._network.on_one_core if isinstance(self._network, ModelFile) else self._network

        def one(source: Source) -> Localization:
            try:
                return self._locate(network, source, wanted, top, min_probability, include_absent)
            except PictureError as error:
                return self._result(picture_name(source), source, None, (), str(error))

        return ordered_map(one, sources, workers or os.cpu_count() or 1)

    def _wanted(self, top: int, classes: Sequence[str | int] | None) -> list[int] | None:
        if top < 1:
            raise ValueError(f"top is {top} (expected at least 1)")
        if isinstance(classes, str):
            raise TypeError(f"classes is the text '{classes}' (expected a list: classes=['{classes}'])")
        if classes is not None and not len(classes):
            raise ValueError("classes is empty (expected at least one to look for; None for the most probable)")
        return None if classes is None else [self.card.class_index(each) for each in classes]

    def _locate(
        self,
        network: Network,
        source: Source,
        wanted: list[int] | None,
        top: int,
        min_probability: float,
        include_absent: bool,
    ) -> Localization:
        name, source = picture_name(source), as_bytes(source)
        picture = self._read(source)
        top = 0 if wanted is not None else min(top, len(self.card.labels))
        predictions = (
            self._detected(network, picture, wanted, top, include_absent)
            if self.card.detects
            else self._mapped(network, picture, wanted, top, include_absent)
        )
        return self._result(
            name, source, picture, tuple(each for each in predictions if each.probability >= min_probability)
        )

    def _detected(
        self, network: Network, picture: Picture, wanted: list[int] | None, top: int, include_absent: bool
    ) -> tuple[Prediction, ...]:
        if not isinstance(network, Detector):
            raise TypeError(f"{type(network).__name__}, whose card says that it detects, has no `detect`")
        whole = (picture.height, picture.width)
        size = self.card.look_size(self.preset.scales[0], *whole)
        detected = network.detect(resize_pixels(picture.pixels, *size), size=size)
        # Boxes are in pixels of what it was given.
        zoom = np.array([whole[1] / size[1], whole[0] / size[0]] * 2, np.float32)
        detected = replace(detected, boxes=detected.boxes * zoom)
        return predictions_of(
            detected, self.card, self.preset, whole, wanted=wanted, top=top, include_absent=include_absent
        )

    def _mapped(
        self, network: Network, picture: Picture, wanted: list[int] | None, top: int, include_absent: bool
    ) -> tuple[Prediction, ...]:
        eye = Eye(network, self.preset)
        looks = eye.name(picture, wanted or (), top)
        chances = probabilities(looks.logits, self.card.activation)
        found = zip(looks.chosen, looks.activation.tolist(), eye.find(picture, looks), strict=True)
        return tuple(
            self._prediction(picture, index, float(chances[index]), activation, class_map, include_absent)
            for index, activation, class_map in found
        )

    def _read(self, source: Source) -> Picture:
        return read_picture(source, enough=self.preset.largest, max_pixels=self.max_pixels)

    def _prediction(
        self,
        picture: Picture,
        index: int,
        probability: float,
        activation: float,
        class_map: Floats,
        include_absent: bool,
    ) -> Prediction:
        class_map.flags.writeable = False
        present = self.preset.is_detected(probability, activation)
        boxed = (present or include_absent) and index not in self.card.background
        return Prediction(
            label=self.card.labels[index],
            class_index=index,
            probability=probability,
            activation=activation,
            detected=present,
            boxes=self._boxes(picture, index, probability, class_map) if boxed else (),
            class_map=class_map,
            height=picture.height,
            width=picture.width,
            threshold=self.preset.threshold_of(index),
        )

    def _boxes(self, picture: Picture, index: int, probability: float, class_map: Floats) -> tuple[Box, ...]:
        scale = min(1.0, _BOX_GRID / max(picture.height, picture.width))
        grid = (max(1, round(picture.height * scale)), max(1, round(picture.width * scale)))
        fine = resize_maps(class_map[None], *grid)[0]
        return boxes_in_map(fine, self.preset.threshold_of(index), picture.height, picture.width, probability)

    def _result(
        self,
        name: str,
        source: Source,
        picture: Picture | None,
        predictions: tuple[Prediction, ...],
        error: str | None = None,
    ) -> Localization:
        return Localization(
            image=name,
            height=picture.height if picture else None,
            width=picture.width if picture else None,
            model=self.card.name,
            preset=self.preset_name,
            predictions=predictions,
            source=source,
            typical_activation=self.card.typical_activation,
            maps=self.card.maps,
            error=error,
        )
