"""The network's looks at one picture, and the class maps that come of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Picture, resize_pixels
from boxless.maps.refine import anomaly_weights, resize_maps, sharpened, walk
from boxless.models.card import Card
from boxless.models.model_file import Network, Output
from boxless.models.presets import LocalizationPass, Preset

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Looks:
    """What the looks that name say of a picture.

    Attributes:
        logits: (K,), of the first look.
        chosen: (k,), the indices of the classes that have a map.
        activation: (k,), the maximum of each class map; of a class with a localization pass, in the first look alone,
            whatever else is looked for.
        class_maps: (k, h, w), the mean over looks, on the last look's grid; in units of logits.
        affinity: of the last look; see `Output`.
        passes: what each look said of the chosen classes, by scale.
    """

    logits: Floats
    chosen: list[int]
    activation: Floats
    class_maps: Floats
    affinity: Floats | None
    passes: Mapping[int, Output]


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

        Only the first of them, where every one of these classes has a localization pass.
        """
        first = self._look(picture, self.preset.scales[0], classes, top)
        chosen: list[int] = first.chosen.tolist()
        localized = np.array([self._needs_one_pass(k) for k in chosen], bool)
        others = () if localized.all() else self.preset.scales[1:]
        passes = {self.preset.scales[0]: first, **{scale: self._look(picture, scale, chosen, 0) for scale in others}}
        outputs = list(passes.values())
        grid = outputs[-1].class_maps.shape[1:]
        maps = np.asarray(np.mean([resize_maps(output.class_maps, *grid) for output in outputs], axis=0), np.float32)
        activation = np.where(localized, first.class_maps.max(axis=(1, 2)), maps.max(axis=(1, 2)))
        return Looks(first.logits, chosen, activation, maps, outputs[-1].affinity, passes)

    def _needs_one_pass(self, k: int) -> bool:
        """Whether the first pass is enough to classify: another one localizes the class, or it has no place."""
        by_another = self.preset.localization_of(k) is not None
        return by_another or (bool(self.preset.localization) and k in self.card.background)

    def find(self, picture: Picture, looks: Looks) -> list[Floats]:
        """The refined map of each chosen class, not negative; each (u, v) on a grid of its own.

        Args:
            picture: the one that was looked at.
            looks: what `name` says of it.
        """
        maps: dict[int, Floats] = {}
        for each in self.preset.localization:
            wanted = [k for k in looks.chosen if k in each.classes]
            if not wanted:
                continue
            if each.scale in looks.passes:  # the same pass again would say the same
                at = [looks.chosen.index(k) for k in wanted]
                maps |= zip(wanted, _localized(looks.passes[each.scale], at, each), strict=True)
            else:
                output = self._look(picture, each.scale, wanted, 0)
                maps |= zip(wanted, _localized(output, list(range(len(wanted))), each), strict=True)
        named = [i for i, k in enumerate(looks.chosen) if k not in maps]
        refined = _walked(looks.class_maps[named], looks.affinity, self.preset.refinement_steps) if named else ()
        maps |= zip((looks.chosen[i] for i in named), refined, strict=True)
        return [maps[k] for k in looks.chosen]

    def _look(self, picture: Picture, side: int, classes: Sequence[int], top: int) -> Output:
        size = self.card.look_size(side, picture.height, picture.width)
        return self.network.run(resize_pixels(picture.pixels, *size), size=size, classes=classes, top=top)


def _localized(output: Output, at: list[int], how: LocalizationPass) -> Floats:
    """The maps (k, u, v) of a localization pass, of the classes that stand at some positions of its output."""
    if how.source == "head" and output.localization_maps is not None:
        return output.localization_maps[at]
    maps = output.class_maps[at]
    if output.anomaly is not None:
        maps = maps * resize_maps(anomaly_weights(output.anomaly)[None], *maps.shape[1:])
    return _walked(maps, output.affinity, how.refinement_steps, how.affinity_exponent)


def _walked(maps: Floats, affinity: Floats | None, steps: int, exponent: float = 1.0) -> Floats:
    positive = np.maximum(maps, 0.0)
    return positive if affinity is None else walk(positive, sharpened(affinity, exponent), steps)
