"""Pseudo-labels: the boxes of one image that a detector is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """The boxes of an image, each with its possible classes and a weight.

    Attributes:
        boxes: float32 (m, 4), xyxy as shares of the image's width and height, in [0, 1].
        candidates: float32 (m, K), 1 for each class that the box may show. With one candidate the class is known. With
            several, the detector learns the box, and only which classes it does not show.
        weights: float32 (m,), in [0, 1]. A box of weight 0 is uncertain and ignored: it is neither an object nor
            background.
    """

    boxes: Floats
    candidates: Floats
    weights: Floats

    def __post_init__(self) -> None:
        if not len(self.boxes) == len(self.candidates) == len(self.weights):
            raise ValueError(
                f"{len(self.boxes)} boxes, {len(self.candidates)} rows of candidates, {len(self.weights)} weights "
                "(expected equal numbers)"
            )

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def nothing(cls, classes: int) -> PseudoLabels:
        """An image without a box."""
        zero = np.zeros
        return cls(zero((0, 4), np.float32), zero((0, classes), np.float32), zero(0, np.float32))

    @classmethod
    def of_truth(cls, boxes: Floats, indices: NDArray[np.int64], classes: int) -> PseudoLabels:
        """Boxes drawn by people, with full weight.

        Args:
            boxes: (m, 4), xyxy as shares of the image's sides.
            indices: (m,), the indices of their classes.
            classes: K.
        """
        return cls(
            boxes.astype(np.float32).reshape(-1, 4),
            np.eye(classes, dtype=np.float32)[indices],
            np.ones(len(boxes), np.float32),
        )

    @property
    def known(self) -> NDArray[np.bool_]:
        """(m,), whether the class of each box is known."""
        return np.asarray(self.candidates.sum(axis=1) == 1)

    @classmethod
    def joined(cls, parts: list[PseudoLabels]) -> PseudoLabels:
        """The boxes of several images, concatenated."""
        return cls(
            np.concatenate([each.boxes for each in parts]),
            np.concatenate([each.candidates for each in parts]),
            np.concatenate([each.weights for each in parts]),
        )

    def padded(self, count: int) -> tuple[Floats, Floats, Floats]:
        """Boxes (count, 4), candidates (count, K) and weights (count,): the heaviest rows, padded with 0."""
        best = np.sort(np.argsort(-self.weights, kind="stable")[:count])
        rows = []
        for values in (self.boxes, self.candidates, self.weights):
            row = np.zeros((count, *values.shape[1:]), np.float32)
            row[: len(best)] = values[best]
            rows.append(row)
        return rows[0], rows[1], rows[2]
