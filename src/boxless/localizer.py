"""An image in; what is in it, and where, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from boxless.detector_predictions import predictions_of
from boxless.errors import ImageError
from boxless.imaging.read import MAX_PIXELS, ImageData, Source, as_bytes, image_name, read_image, resize_pixels
from boxless.locate_options import LocateKeywords, LocateOptions
from boxless.maps.boxes import Box, boxes_in_map, suppress_overlaps
from boxless.maps.class_maps import probabilities
from boxless.maps.refine import resize_maps
from boxless.models.model_file import Detector, ModelFile, Network
from boxless.models.zoo import quick_model
from boxless.multi_scale import MultiScaleRunner
from boxless.results import Localization, Prediction
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]

_BOX_GRID = 256
"""Boxes are read off maps with at most this many cells on the longer side: finer ones are slower, not more exact."""


class Localizer:
    """Finds what is in images, and where.

    Args:
        model: the name of a model that comes with boxless, a model file's path, or an opened `Network`; the model that
            runs best on this processor if None, see `boxless.models.zoo.quick_model`.
        preset: "fast", "balanced" or "best", or another preset of the model; the model's default if None.
        threads: threads per image; 0 means one per core for `locate`, and one per image for `locate_many`.
        device: the device that runs the model: cpu, cuda, openvino, coreml or directml; if None, $BOXLESS_DEVICE or
            else cpu. See `boxless.models.devices`.
        max_pixels: larger images are refused before they are decoded.

    Attributes:
        card: the facts about the model: classes, presets, licence.
        preset: how images are processed.
        preset_name: the name of the preset.

    Raises:
        ModelFileError: if there is no such model, the file is not a boxless model, or the device is not available.
        UnknownPresetError: if the model has no such preset.

    Example:
        >>> localizer = Localizer()
        >>> found = localizer.locate("examples/pictures/coffee.jpg")
        >>> found.labels
        ('espresso',)
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
        self, source: Source, options: LocateOptions | None = None, **keywords: Unpack[LocateKeywords]
    ) -> Localization:
        """Finds what is in an image, and where.

        Args:
            source: a path, bytes, an opened file, a PIL image or an array; see `read_image`.
            options: what to return; the defaults if None.
            **keywords: fields of `LocateOptions`, one by one: `top`, `classes`, `min_probability`, `include_absent`,
                `nms`.

        Returns:
            Boxes, classes and class maps.

        Raises:
            ImageError: if the image cannot be read.
            UnknownClassError: if the model has no such class.
            ValueError: if an option is out of range, or `classes` is empty.
            TypeError: if `classes` is a text instead of a list of texts.

        Example:
            >>> found = Localizer().locate("examples/pictures/chelsea.jpg", top=3)
            >>> [prediction.label for prediction in found.predictions]
            ['Egyptian cat', 'tiger cat', 'tabby']
        """
        wanted = LocateOptions.of(options, **keywords)
        classes = self._indices(wanted)
        try:
            return self._locate(self._network, source, wanted, classes)
        except ImageError as error:
            raise ImageError(f"{image_name(source)}: {error}") from None

    def survey(self, source: Source) -> tuple[Floats, Floats]:
        """Probability and activation of every class, without locating any: enough to set detection thresholds.

        Args:
            source: as for `locate`.

        Returns:
            Probabilities (K,) in [0, 1] and activations (K,) in logits, as `Prediction` has them.

        Raises:
            ImageError: if the image cannot be read.

        Example:
            >>> localizer = Localizer()
            >>> probabilities, activations = localizer.survey("examples/pictures/coffee.jpg")
            >>> localizer.card.labels[probabilities.argmax()]
            'espresso'
        """
        image = self._read(as_bytes(source))
        runner = MultiScaleRunner(self._network, self.preset)
        passes = runner.classify(image, range(len(self.card.labels)))
        return probabilities(passes.logits, self.card.activation), passes.activation

    def locate_many(
        self,
        sources: Iterable[Source],
        options: LocateOptions | None = None,
        *,
        workers: int | None = None,
        **keywords: Unpack[LocateKeywords],
    ) -> Iterator[Localization]:
        """Finds what is in many images: lazily, in their order, a few in memory at a time.

        An image that cannot be read gives a result with an `error`, and the rest goes on.

        Args:
            sources: as for `locate`; an iterator is drawn from only as fast as results are taken.
            options: as for `locate`.
            workers: images processed at a time; one per core if None.
            **keywords: as for `locate`.

        Returns:
            The results, one an image.

        Raises:
            UnknownClassError: at once, if the model has no such class.
            ValueError, TypeError: at once, as for `locate`.

        Example:
            >>> found = Localizer().locate_many(["examples/pictures/coffee.jpg", "missing.jpg"])
            >>> [(each.labels, each.error) for each in found]
            [(('espresso',), None), ((), 'no such file')]
        """
        wanted = LocateOptions.of(options, **keywords)
        classes = self._indices(wanted)
        network = self._network.on_one_core if isinstance(self._network, ModelFile) else self._network

        def one(source: Source) -> Localization:
            try:
                return self._locate(network, source, wanted, classes)
            except ImageError as error:
                return self._result(image_name(source), source, None, (), str(error))

        return ordered_map(one, sources, workers)

    def _indices(self, options: LocateOptions) -> list[int] | None:
        return None if options.classes is None else [self.card.class_index(each) for each in options.classes]

    def _locate(
        self, network: Network, source: Source, options: LocateOptions, classes: list[int] | None
    ) -> Localization:
        name, source = image_name(source), as_bytes(source)
        image = self._read(source)
        located = self._from_boxes if self.card.detects else self._from_maps
        predictions = located(network, image, options, classes)
        if classes is None and self._single_label:
            boxes = suppress_overlaps([each.boxes for each in predictions], options.nms)
            predictions = [replace(each, boxes=kept) for each, kept in zip(predictions, boxes, strict=True)]
        return self._result(name, source, image, tuple(predictions))

    @property
    def _single_label(self) -> bool:
        return self.card.activation == "softmax" and not self.card.detects

    def _from_boxes(
        self, network: Network, image: ImageData, options: LocateOptions, classes: list[int] | None
    ) -> list[Prediction]:
        """The predictions of a detector."""
        if not isinstance(network, Detector):
            raise TypeError(f"{type(network).__name__}, whose card says that it detects, has no `detect`")
        whole = (image.height, image.width)
        size = self.card.input_size(self.preset.scales[0], *whole)
        detected = network.detect(resize_pixels(image.pixels, *size), size=size)
        # From pixels of the network's input to pixels of the image.
        zoom = np.array([whole[1] / size[1], whole[0] / size[0]] * 2, np.float32)
        detected = replace(detected, boxes=detected.boxes * zoom)
        predictions = predictions_of(detected, self.card, self.preset, whole, options.include_absent)
        if classes is not None:
            return [predictions[k] for k in classes if predictions[k].probability >= options.min_probability]
        ranked = self._ranked(
            [each.probability for each in predictions], [each.detected for each in predictions], options
        )
        return [predictions[k] for k in ranked]

    def _from_maps(
        self, network: Network, image: ImageData, options: LocateOptions, classes: list[int] | None
    ) -> list[Prediction]:
        """The predictions of a model with class maps; only those that are returned are refined and boxed."""
        runner = MultiScaleRunner(network, self.preset)
        passes = runner.candidates(image, options.top or 1) if classes is None else runner.classify(image, classes)
        of_all = probabilities(passes.logits, self.card.activation)
        chosen = [float(of_all[index]) for index in passes.chosen]
        detected = list(map(self.preset.is_detected, chosen, passes.activation.tolist()))
        positions = (
            self._ranked(chosen, detected, options)
            if classes is None
            else [i for i, probability in enumerate(chosen) if probability >= options.min_probability]
        )
        if not positions:
            return []
        class_maps = runner.localize(image, passes.take(positions))
        return [
            self._prediction(
                image,
                passes.chosen[i],
                chosen[i],
                float(passes.activation[i]),
                class_map,
                boxed=detected[i] or options.include_absent,
            )
            for i, class_map in zip(positions, class_maps, strict=True)
        ]

    def _ranked(self, probabilities: Sequence[float], detected: Sequence[bool], options: LocateOptions) -> list[int]:
        """The positions of the classes to return: detected ones first, each group by falling probability."""
        probable = [i for i, probability in enumerate(probabilities) if probability >= options.min_probability]
        ranked = sorted(probable, key=lambda i: (not detected[i], -probabilities[i]))
        usual = 1 if self._single_label else max(1, sum(detected[i] for i in probable))
        return ranked[: options.top or usual]

    def _read(self, source: Source) -> ImageData:
        return read_image(source, enough=self.preset.largest, max_pixels=self.max_pixels)

    def _prediction(
        self, image: ImageData, index: int, probability: float, activation: float, class_map: Floats, boxed: bool
    ) -> Prediction:
        class_map.flags.writeable = False
        return Prediction(
            label=self.card.labels[index],
            class_index=index,
            probability=probability,
            activation=activation,
            detected=self.preset.is_detected(probability, activation),
            boxes=self._boxes(image, index, probability, class_map)
            if boxed and index not in self.card.background
            else (),
            class_map=class_map,
            height=image.height,
            width=image.width,
            threshold=self.preset.threshold_of(index),
        )

    def _boxes(self, image: ImageData, index: int, probability: float, class_map: Floats) -> tuple[Box, ...]:
        scale = min(1.0, _BOX_GRID / max(image.height, image.width))
        grid = (max(1, round(image.height * scale)), max(1, round(image.width * scale)))
        fine = resize_maps(class_map[None], *grid)[0]
        return boxes_in_map(fine, self.preset.threshold_of(index), image.height, image.width, probability)

    def _result(
        self,
        name: str,
        source: Source,
        image: ImageData | None,
        predictions: tuple[Prediction, ...],
        error: str | None = None,
    ) -> Localization:
        return Localization(
            image=name,
            height=image.height if image else None,
            width=image.width if image else None,
            model=self.card.name,
            preset=self.preset_name,
            predictions=predictions,
            source=source,
            typical_activation=self.card.typical_activation,
            maps=self.card.maps,
            error=error,
        )
