"""What is trained when average and maximum pooling are compared; see `papers.gap_gmp`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """A row of settings.

    Attributes:
        learns: "top" trains the added convolution and the linear layer, on features that stay as they are;
            "everything" the whole network, from the same weights.
        side: at which pictures are looked at, in pixels.
        units: filters of the added 3x3 convolution.
        train, val: pictures of each class, at most.
        seeds: how many networks for each pooling.
        epochs, batch, rate: of AdamW, whose rate falls along a cosine.
    """

    learns: Literal["top", "everything"]
    side: int
    units: int
    train: int
    val: int
    seeds: int
    epochs: int
    batch: int
    rate: float
