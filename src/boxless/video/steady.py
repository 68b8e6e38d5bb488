"""A network whose answers are averaged over time, so that boxes do not flicker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from boxless.models.card import Card
from boxless.models.model_file import Network, Output

Floats = NDArray[np.float32]

KEPT = 0.6
"""How much of the average stays with each new frame, in [0, 1): 0 averages nothing; see docs/video.md."""


@dataclass
class _Memory:
    """The averages of a frame's passes of one size: logits (K,), and maps (h, w), those of localization heads too."""

    logits: Floats
    maps: dict[int, Floats] = field(default_factory=dict)


class SteadyNetwork:
    """A network that is shown the frames of one clip in order, and averages what it sees over time.

    Logits and class maps are averaged exponentially, each scale for itself. They are averaged in units of logits,
    before anything is normalised: a frame in which little is seen counts little. The affinity stays that of the frame,
    so that maps still end where things end. A frame begins with a classification pass no larger than the last one,
    since a preset's scales rise; passes of localization heads may be of any size.

    Args:
        network: what runs the passes.
        kept: how much of the average stays with each new frame, in [0, 1).

    Raises:
        ValueError: if `kept` is out of range.

    Example:
        >>> steady = SteadyNetwork(ModelFile("efficientnet-lite0"))
        >>> localizer = Localizer(steady, "fast")  # to be shown the frames of one clip in order
    """

    def __init__(self, network: Network, kept: float = KEPT) -> None:
        if not 0 <= kept < 1:
            raise ValueError(f"kept is {kept} (expected at least 0 and below 1)")
        self._network = network
        self._kept = kept
        self.forget()

    @property
    def card(self) -> Card:
        """The network's."""
        return self._network.card

    def forget(self) -> None:
        """Begins anew: another scene."""
        self._before: dict[tuple[int, int], _Memory] = {}
        self._now: dict[tuple[int, int], _Memory] = {}
        self._named = 0

    def run(self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        """Runs one pass on a frame; see `Network.run`. The most probable classes are those of the average."""
        self._turn(size, classes)
        before = self._before.get(size)
        known = before.maps if before else {}
        # Maps of the classes of the frame before are asked for too: they are likely this frame's, and are averaged.
        asked = list(dict.fromkeys([*classes, *(k for k in known if top and self._names(k))]))
        seen = self._network.run(pixels, size=size, classes=asked, top=top)
        logits = self._mixed(before.logits, seen.logits) if before else seen.logits
        best = [int(k) for k in np.argsort(-logits, kind="stable")[:top]]
        chosen = list(dict.fromkeys([*classes, *best])) if classes else best
        maps = dict(zip(seen.chosen.tolist(), seen.class_maps, strict=True))
        if missing := [k for k in chosen if k not in maps]:
            more = self._network.run(pixels, size=size, classes=missing, top=0)
            maps |= dict(zip(more.chosen.tolist(), more.class_maps, strict=True))
        averaged = {k: self._mixed(known[k], maps[k]) if k in known else maps[k] for k in maps}
        self._now.setdefault(size, _Memory(logits)).maps.update({k: averaged[k] for k in chosen})
        return Output(
            logits=logits,
            chosen=np.array(chosen, np.int64),
            class_maps=np.stack([averaged[k] for k in chosen]),
            affinity=seen.affinity,
            novelty=seen.novelty,
        )

    def _turn(self, size: tuple[int, int], classes: Sequence[int]) -> None:
        """Goes over to the next frame, if this pass begins one."""
        if not all(map(self._names, classes)):
            return
        if size[0] * size[1] <= self._named:
            self._before, self._now = self._now, {}
        self._named = size[0] * size[1]

    def _names(self, k: int) -> bool:
        """Whether a map is of a class, not of a localization head; see `Card.finder_class`."""
        return k < len(self.card.labels)

    def _mixed(self, before: Floats, now: Floats) -> Floats:
        return np.asarray(self._kept * before + (1 - self._kept) * now, np.float32)
