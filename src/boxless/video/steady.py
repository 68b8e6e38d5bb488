"""A network whose answers are averaged over time, so that boxes do not flicker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The averages of a frame's passes of one size: logits (K,), and the maps of each class, see `_by_class`."""

    logits: Floats
    maps: dict[int, dict[str, Floats]] = field(default_factory=dict)


class SteadyNetwork:
    """A network that is shown the frames of one clip in order, and averages what it sees over time.

    Logits and class maps are averaged exponentially, each scale for itself. They are averaged in units of logits,
    before anything is normalised: a frame in which little is seen counts little. The affinity stays that of the frame,
    so that maps still end where things end. The pass that classifies begins a frame: it asks for the most probable
    classes, or has the size with which the frame before began.

    Args:
        network: what runs the passes.
        kept: how much of the average stays with each new frame, in [0, 1).

    Raises:
        ValueError: if `kept` is out of range.

    Example:
        >>> from boxless import Localizer, ModelFile
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
        """Restarts the average, for a new scene."""
        self._before: dict[tuple[int, int], _Memory] = {}
        self._now: dict[tuple[int, int], _Memory] = {}
        self._first: tuple[int, int] | None = None

    def run(self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int], top: int) -> Output:
        """Runs one pass on a frame. The most probable classes are those of the average.

        Args:
            pixels, size, classes, top: as for `ModelFile.run`.

        Returns:
            Logits and class maps, averaged over time.
        """
        if top or self._first in (None, size):
            self._first = size
            self._before, self._now = self._now, {}
        before = self._before.get(size)
        # Maps of the classes of the frame before are asked for too: they are likely this frame's, and are averaged.
        asked = list(dict.fromkeys([*classes, *(before.maps if before and top else ())]))
        # The best classes of the average are nearly always among twice as many of the frame.
        seen = self._network.run(pixels, size=size, classes=asked, top=min(2 * top, len(self.card.labels)))
        logits = self._mixed(before.logits, seen.logits) if before else seen.logits
        best = [int(k) for k in np.argsort(-logits, kind="stable")[:top]]
        chosen = list(dict.fromkeys([*classes, *best])) if classes else best
        maps = _by_class(seen)
        if missing := [k for k in chosen if k not in maps]:
            maps |= _by_class(self._network.run(pixels, size=size, classes=missing, top=0))
        maps = {k: self._averaged(before.maps.get(k, {}) if before else {}, each) for k, each in maps.items()}
        self._now.setdefault(size, _Memory(logits)).maps.update({k: maps[k] for k in chosen})
        kinds = {kind: np.stack([maps[k][kind] for k in chosen]) for kind in maps[chosen[0]]}
        return Output(
            logits=logits,
            chosen=np.array(chosen, np.int64),
            affinity=seen.affinity,
            anomaly=seen.anomaly,
            **kinds,
        )

    def _averaged(self, before: Mapping[str, Floats], now: Mapping[str, Floats]) -> dict[str, Floats]:
        return {kind: self._mixed(before[kind], each) if kind in before else each for kind, each in now.items()}

    def _mixed(self, before: Floats, now: Floats) -> Floats:
        return np.asarray(self._kept * before + (1 - self._kept) * now, np.float32)


def _by_class(output: Output) -> dict[int, dict[str, Floats]]:
    """The maps of each class that has any, by what kind they are of: fields of `Output`."""
    kinds = {kind: getattr(output, kind) for kind in ("class_maps", "localization_maps", "localization_class_maps")}
    return {
        k: {kind: maps[i] for kind, maps in kinds.items() if maps is not None}
        for i, k in enumerate(output.chosen.tolist())
    }
