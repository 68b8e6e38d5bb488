"""Multi-scale inference: the passes of a preset over one image, and the class maps that result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Picture, resize_pixels
from boxless.maps.refine import resize_maps, sharpened, unusual, walk
from boxless.models.card import Card
from boxless.models.model_file import Network, Output
from boxless.models.presets import Preset, Search

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Passes:
    """What the classification passes give for an image.

    Attributes:
        logits: (K,), of the pass at the smallest scale.
        chosen: (k,), the indices of the classes that have a map.
        activation: (k,), the maximum of each class map, in logits; of a class that is searched for, in the first pass
            alone, whatever else is asked for.
        class_maps: (k, h, w), the mean over scales, on the grid of the largest scale; in logits.
        affinity: of the largest scale; see `Output`.
    """

    logits: Floats
    chosen: list[int]
    activation: Floats
    class_maps: Floats
    affinity: Floats | None

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

    def classify(self, picture: Picture, classes: Sequence[int], top: int) -> Passes:
        """The classification passes, with the maps of some classes and of the `top` most probable ones.

        Only the first pass runs where every one of these classes is searched for.

        Args:
            picture: the image.
            classes: class indices.
            top: how many of the most probable classes, at least 0.

        Returns:
            Logits of all classes; activations and class maps of the chosen ones.
        """
        first = self._pass(picture, self.preset.scales[0], classes, top)
        chosen: list[int] = first.chosen.tolist()
        searched = np.array([self.preset.search_for(k) is not None for k in chosen], bool)
        others = () if searched.all() else self.preset.scales[1:]
        outputs = [first, *(self._pass(picture, side, chosen, 0) for side in others)]
        grid = outputs[-1].class_maps.shape[1:]
        maps = np.asarray(np.mean([resize_maps(output.class_maps, *grid) for output in outputs], axis=0), np.float32)
        activation = np.where(searched, first.class_maps.max(axis=(1, 2)), maps.max(axis=(1, 2)))
        return Passes(first.logits, chosen, activation, maps, outputs[-1].affinity)

    def localize(self, picture: Picture, passes: Passes) -> list[Floats]:
        """The refined class maps.

        Args:
            picture: the image.
            passes: what `classify` gives for it.

        Returns:
            Of each chosen class a map (u, v), not negative, in logits; each on a grid of its own.
        """
        maps: dict[int, Floats] = {}
        for search in self.preset.searches:
            wanted = [k for k in passes.chosen if k in search.classes]
            if wanted:
                maps |= zip(wanted, self._searched(picture, search, wanted), strict=True)
        named = [i for i, k in enumerate(passes.chosen) if k not in maps]
        refined = _walked(passes.class_maps[named], passes.affinity, self.preset.refinement_steps) if named else ()
        maps |= zip((passes.chosen[i] for i in named), refined, strict=True)
        return [maps[k] for k in passes.chosen]

    def _searched(self, picture: Picture, search: Search, classes: Sequence[int]) -> Floats:
        """Refined maps (k, u, v) of classes by a look of their own."""
        asked = [self.card.finder_class(k, search.finder) for k in classes]
        output = self._pass(picture, search.side, asked, 0)
        maps = output.class_maps
        if search.novelty and output.novelty is not None:
            maps = maps * resize_maps(unusual(output.novelty)[None], *maps.shape[1:])
        return _walked(maps, output.affinity, search.refinement_steps, search.sharpness)

    def _pass(self, picture: Picture, side: int, classes: Sequence[int], top: int) -> Output:
        size = self.card.input_size(side, picture.height, picture.width)
        return self.network.run(resize_pixels(picture.pixels, *size), size=size, classes=classes, top=top)


def _walked(maps: Floats, affinity: Floats | None, steps: int, sharpness: float = 1.0) -> Floats:
    positive = np.maximum(maps, 0.0)
    return positive if affinity is None else walk(positive, sharpened(affinity, sharpness), steps)
