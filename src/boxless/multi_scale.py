"""The network's looks at one picture, and the class maps that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Picture, resize_pixels
from boxless.maps.refine import resize_maps, sharpened, unusual, walk
from boxless.models.card import Card
from boxless.models.model_file import Network, Output
from boxless.models.presets import Preset, Search

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Looks:
    """What the looks that name say of a picture.

    Attributes:
        logits: (K,), of the first look.
        chosen: (k,), the indices of the classes that have a map.
        activation: (k,), the maximum of each class map; of a class that is searched for, in the first look alone,
            whatever else is looked for.
        class_maps: (k, h, w), the mean over looks, on the last look's grid; in units of logits.
        affinity: of the last look; see `Output`.
    """

    logits: Floats
    chosen: list[int]
    activation: Floats
    class_maps: Floats
    affinity: Floats | None


@dataclass(frozen=True)
class Eye:
    """A network that looks at pictures as a preset says.

    Attributes:
        network: the model.
        preset: of it.
    """

    network: Network
    preset: Preset

    @property
    def card(self) -> Card:
        """Of the model."""
        return self.network.card

    def name(self, picture: Picture, classes: Sequence[int], top: int) -> Looks:
        """The looks that name, for some classes and the `top` most probable ones.

        Only the first of them, where every one of these classes is searched for.
        """
        first = self._look(picture, self.preset.scales[0], classes, top)
        chosen: list[int] = first.chosen.tolist()
        searched = np.array([self.preset.search_for(k) is not None for k in chosen], bool)
        others = () if searched.all() else self.preset.scales[1:]
        outputs = [first, *(self._look(picture, side, chosen, 0) for side in others)]
        grid = outputs[-1].class_maps.shape[1:]
        maps = np.asarray(np.mean([resize_maps(output.class_maps, *grid) for output in outputs], axis=0), np.float32)
        activation = np.where(searched, first.class_maps.max(axis=(1, 2)), maps.max(axis=(1, 2)))
        return Looks(first.logits, chosen, activation, maps, outputs[-1].affinity)

    def find(self, picture: Picture, looks: Looks) -> list[Floats]:
        """The refined map of each chosen class, not negative; each (u, v) on a grid of its own.

        Args:
            picture: the one that was looked at.
            looks: what `name` says of it.
        """
        maps: dict[int, Floats] = {}
        for search in self.preset.searches:
            wanted = [k for k in looks.chosen if k in search.classes]
            if wanted:
                maps |= zip(wanted, self._searched(picture, search, wanted), strict=True)
        named = [i for i, k in enumerate(looks.chosen) if k not in maps]
        refined = _walked(looks.class_maps[named], looks.affinity, self.preset.refinement_steps) if named else ()
        maps |= zip((looks.chosen[i] for i in named), refined, strict=True)
        return [maps[k] for k in looks.chosen]

    def _searched(self, picture: Picture, search: Search, classes: Sequence[int]) -> Floats:
        """Refined maps (k, u, v) of classes by a look of their own."""
        asked = [self.card.finder_class(k, search.finder) for k in classes]
        output = self._look(picture, search.side, asked, 0)
        maps = output.class_maps
        if search.novelty and output.novelty is not None:
            maps = maps * resize_maps(unusual(output.novelty)[None], *maps.shape[1:])
        return _walked(maps, output.affinity, search.refinement_steps, search.sharpness)

    def _look(self, picture: Picture, side: int, classes: Sequence[int], top: int) -> Output:
        size = self.card.look_size(side, picture.height, picture.width)
        return self.network.run(resize_pixels(picture.pixels, *size), size=size, classes=classes, top=top)


def _walked(maps: Floats, affinity: Floats | None, steps: int, sharpness: float = 1.0) -> Floats:
    positive = np.maximum(maps, 0.0)
    return positive if affinity is None else walk(positive, sharpened(affinity, sharpness), steps)
