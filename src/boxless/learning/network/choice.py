"""Which network is trained, and what it starts with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxless.errors import NetworkError, TrainingError
from boxless.networks.catalogue import HEADS, NETWORKS, Entry, build, entry

LOCALIZING_HEADS = ("gap", "gmp")
"""Behind these heads there are class maps, so a model file can be made."""


@dataclass(frozen=True)
class Choice:
    """A network.

    Attributes:
        name: of `boxless.networks.NETWORKS`.
        head: of LOCALIZING_HEADS.
        size: side of the images that it sees; what it was made for where None.
        width: factor on its numbers of filters.
        start: "imagenet", a Keras model (.keras) or the file of published weights to fine-tune; None starts anew.
    """

    name: str
    head: str = "gap"
    size: int | None = None
    width: float = 1.0
    start: str | None = None

    def __post_init__(self) -> None:
        row = self.entry
        if self.head in HEADS and self.head not in LOCALIZING_HEADS:
            raise TrainingError(
                f"head {self.head} sees every cell with weights of its own, so it has no class maps, and no model file "
                "can be made of it: take --head gap (in Python, boxless.learning.network.loop trains any head)"
            )
        if self.head not in HEADS:
            raise NetworkError(f"no head '{self.head}' (expected {' or '.join(LOCALIZING_HEADS)})")
        if self.side % row.multiple or self.side < 2 * row.multiple:
            near = max(2, round(self.side / row.multiple)) * row.multiple
            raise TrainingError(
                f"size {self.side} (expected a multiple of {self.name}'s {row.multiple}, such as {near})"
            )
        if not 0 < self.width <= 4:
            raise TrainingError(f"width {self.width:g} (expected a factor such as 0.5, up to 4)")
        if self.width != 1 and not row.narrows:
            raise TrainingError(f"{self.name} has no width (leave --width out, or take {_named('narrows')})")
        if self.start and Path(self.start).suffix != ".keras" and not row.pretrained:
            what = "ImageNet weights" if self.start == "imagenet" else f"published weights to read {self.start} as"
            raise TrainingError(
                f"{self.name} has no {what} (there are some of {_named('pretrained')}); a Keras model (.keras) of an "
                "earlier training is taken for any"
            )

    @property
    def entry(self) -> Entry:
        """What is known of the network."""
        return entry(self.name)

    @property
    def side(self) -> int:
        """Of the images that it sees, in pixels."""
        return self.size or self.entry.size

    def built(self, classes: int) -> Any:  # noqa: ANN401
        """The network, with what it starts with."""
        if self.start is None:
            return self.bare(classes)
        if Path(self.start).suffix != ".keras":
            return self.bare(classes, weights=self.start)
        from boxless.networks.transfer import load_same_layers

        network = self.bare(classes)
        load_same_layers(network, Path(self.start))
        return network

    def bare(self, classes: int, **settings: Any) -> Any:  # noqa: ANN401
        """The same network with nothing in it."""
        width = {"width": self.width} if self.entry.narrows else {}
        return build(self.name, classes, self.head, self.side, **width, **settings)


def _named(quality: str) -> str:
    return ", ".join(name for name, row in NETWORKS.items() if getattr(row, quality))
