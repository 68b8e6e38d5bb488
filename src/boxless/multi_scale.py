"""Multi-scale inference: the passes of a preset over one image, and the class maps that result.

Which passes localize a class of own data is decided in `boxless.learning.head.localization`; here they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.margin import with_margin, without_margin
from boxless.imaging.read import ImageData, resize_pixels
from boxless.maps.class_maps import probabilities
from boxless.maps.refine import anomaly_weights, resize_maps, sharpened, walk
from boxless.models.card import Card
from boxless.models.model_file import Network, Output
from boxless.models.presets import LocalizationPass, Preset

Floats = NDArray[np.float32]

_LIKELY = 150
"""Maps of so many of the most probable classes cost nearly nothing; those of all 1,000 cost a sixth of a pass. Seldom
are more classes probable enough to be detected, and the pass then runs again."""


@dataclass(frozen=True, eq=False)
class Passes:
    """What the classification passes give for an image.

    Attributes:
        logits: (K,), of the pass at the smallest scale.
        chosen: (k,), the indices of the classes that have a map.
        activation: (k,), the maximum of each class map, in logits; of a class with a localization pass, in the first
            pass alone, whatever else is asked for.
        class_maps: (k, h, w), the mean over scales, on the grid of the largest scale; in logits.
        affinity: of the largest scale; see `Output`.
        outputs: of each pass, by scale.
    """

    logits: Floats
    chosen: list[int]
    activation: Floats
    class_maps: Floats
    affinity: Floats | None
    outputs: Mapping[int, Output]

    def take(self, positions: Sequence[int]) -> Passes:
        """The same for some of the chosen classes, by their positions in `chosen`, in that order."""
        some = list(positions)
        return replace(
            self,
            chosen=[self.chosen[i] for i in some],
            activation=self.activation[some],
            class_maps=self.class_maps[some],
        )


@dataclass(frozen=True)
class MultiScaleRunner:
    """Runs a network over an image at the scales of a preset.

    Attributes:
        network: the model.
        preset: one of its presets.
    """

    network: Network
    preset: Preset

    @property
    def card(self) -> Card:
        """Of the model."""
        return self.network.card

    def classify(self, image: ImageData, classes: Sequence[int]) -> Passes:
        """The classification passes, with the maps of some classes.

        Only the first pass runs where every one of these classes has a localization pass.

        Args:
            image: the image.
            classes: class indices.

        Returns:
            Logits of all classes; activations and class maps of the chosen ones.
        """
        return self._passes(image, self._pass(image, self.preset.scales[0], classes, 0), len(classes))

    def candidates(self, image: ImageData, top: int) -> Passes:
        """The same, with the maps of all classes that may be detected: those that are probable enough.

        Args:
            image: the image.
            top: of the most probable classes at least so many, or all.

        Returns:
            As `classify`; classes by falling probability.
        """
        every = len(self.card.labels)
        first = self._pass(image, self.preset.scales[0], (), min(max(top, _LIKELY), every))
        of_all = probabilities(first.logits, self.card.activation).astype(np.float64)
        count = max(top, int((of_all >= self.preset.min_probability).sum()))
        if count > len(first.chosen) < every:
            first = self._pass(image, self.preset.scales[0], (), every)
        return self._passes(image, first, count)

    def _passes(self, image: ImageData, first: Output, count: int) -> Passes:
        """The other passes, with the maps of the first `count` classes that the first pass has chosen."""
        chosen: list[int] = first.chosen[:count].tolist()
        localized = np.array([self._needs_one_pass(k) for k in chosen], bool)
        others = () if localized.all() else self.preset.scales[1:]
        outputs = {self.preset.scales[0]: first, **{scale: self._pass(image, scale, chosen, 0) for scale in others}}
        last = list(outputs.values())[-1]
        grid = last.class_maps.shape[1:]
        scaled = [resize_maps(output.class_maps[:count], *grid) for output in outputs.values()]
        maps = np.asarray(np.mean(scaled, axis=0), np.float32)
        activation = np.where(localized, first.class_maps[:count].max(axis=(1, 2)), maps.max(axis=(1, 2)))
        return Passes(first.logits, chosen, activation, maps, last.affinity, outputs)

    def _needs_one_pass(self, k: int) -> bool:
        """Whether the first pass is enough to classify: another one localizes the class, or it has no place."""
        by_another = self.preset.localization_of(k) is not None
        return by_another or (bool(self.preset.localization) and k in self.card.background)

    def localize(self, image: ImageData, passes: Passes) -> list[Floats]:
        """The refined class maps.

        Args:
            image: the image.
            passes: what `classify` gives for it.

        Returns:
            Of each chosen class a map (u, v), not negative, in logits; each on a grid of its own.
        """
        maps: dict[int, Floats] = {}
        by_size: dict[tuple[int, int], list[tuple[LocalizationPass, list[int]]]] = {}
        for each in self.preset.localization:
            if wanted := [k for k in passes.chosen if k in each.classes]:
                by_size.setdefault((each.scale, each.margin), []).append((each, wanted))
        for (scale, margin), group in by_size.items():
            # The same pass again would give the same.
            known = None if margin else passes.outputs.get(scale)
            output = known or self._pass(image, scale, [k for _, some in group for k in some], 0, margin)
            for each, wanted in group:
                maps |= zip(wanted, _localized(output, wanted, each), strict=True)
        others = [i for i, k in enumerate(passes.chosen) if k not in maps]
        refined = _refined(passes.class_maps[others], passes.affinity, self.preset.refinement_steps) if others else ()
        maps |= zip((passes.chosen[i] for i in others), refined, strict=True)
        return [maps[k] for k in passes.chosen]

    def _pass(self, image: ImageData, side: int, classes: Sequence[int], top: int, margin: int = 0) -> Output:
        height, width = self.card.input_size(side, image.height, image.width)
        pixels = with_margin(resize_pixels(image.pixels, height, width), margin)
        size = (height + 2 * margin, width + 2 * margin)
        output = self.network.run(pixels, size=size, classes=classes, top=top)
        if not margin:
            return output
        own = output.localization_maps
        return replace(
            output,
            class_maps=without_margin(output.class_maps, margin, size),
            localization_maps=None if own is None else without_margin(own, margin, size),
            affinity=None,
        )


def _localized(output: Output, classes: Sequence[int], how: LocalizationPass) -> Floats:
    """The maps (k, u, v) of some classes by a localization pass."""
    found = output.chosen.tolist()
    at = [found.index(k) for k in classes]
    if how.source == "head" and output.localization_maps is not None:
        return output.localization_maps[at]
    own = output.localization_class_maps
    if own is None:  # older files call them localization_maps; cells of a localization head have a finer grid
        older = output.localization_maps
        own = older if older is not None and older.shape == output.class_maps.shape else output.class_maps
    maps = own[at]
    if how.source == "anomaly" and output.anomaly is not None:
        maps = maps * resize_maps(anomaly_weights(output.anomaly)[None], *maps.shape[1:])
    return _refined(maps, output.affinity, how.refinement_steps, how.affinity_exponent)


def _refined(maps: Floats, affinity: Floats | None, steps: int, exponent: float = 1.0) -> Floats:
    positive = np.maximum(maps, 0.0)
    return positive if affinity is None else walk(positive, sharpened(affinity, exponent), steps)
