"""One class in one image: its probability, map and boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.errors import NoClassMapError
from boxless.maps.boxes import Box, component_masks
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Prediction:
    """One class in one image.

    Attributes:
        label: the class's name.
        class_index: its index in the model.
        probability: in [0, 1].
        activation: the maximum of the class map, in logits; 0 or less means that no place in the image supports the
            class. Of a detector: by how much the logit of the best box exceeds that of the least score it gives out.
        detected: whether probability and activation reach the detection thresholds of the model's preset.
        boxes: in pixels of the image as displayed, the best first. Empty where the class is not detected (unless
            `include_absent` was asked for), for a background class, and where non-maximum suppression left none.
        class_map: (u, v), refined, not negative, in logits, on the network's own grid; read-only. None of a detector,
            and of results that were kept without maps.
        height, width: of the image as displayed, in pixels.
        threshold: the fraction of the map's maximum at which the boxes were cut; None where they are not from a map.
    """

    label: str
    class_index: int
    probability: float
    activation: float
    detected: bool
    boxes: tuple[Box, ...]
    class_map: Floats | None
    height: int
    width: int
    threshold: float | None = None

    def __repr__(self) -> str:
        place = "no box" if self.detected else "not detected"
        if self.box:
            more = f" and {len(self.boxes) - 1} more" if len(self.boxes) > 1 else ""
            place = f"box ({', '.join(f'{edge:.0f}' for edge in self.box.xyxy)}){more}"
        return f"<Prediction {self.label!r}: {self.probability:.1%}, activation {self.activation:.1f}, {place}>"

    @property
    def box(self) -> Box | None:
        """The best box, or None where there is none."""
        return self.boxes[0] if self.boxes else None

    @cached_property
    def score_map(self) -> Floats:
        """The class map at the image's size, divided by its maximum: float32 (height, width) in [0, 1], read-only.

        Zero everywhere where there is no activation. It is computed when first asked for.

        Raises:
            NoClassMapError: of a detector's prediction, or where no map was kept.
        """
        scores = self.scores_on(self.height, self.width)
        scores.flags.writeable = False
        return scores

    def scores_on(self, height: int, width: int) -> Floats:
        """The score map on another grid.

        Args:
            height, width: of the grid.

        Returns:
            float32 (height, width) in [0, 1].

        Raises:
            NoClassMapError: of a detector's prediction, or where no map was kept.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> found.predictions[0].scores_on(28, 42).shape
            (28, 42)
        """
        if self.class_map is None:
            raise NoClassMapError(
                f"no map of '{self.label}': a detector has boxes and no class maps, and boxless batch keeps maps "
                "only with --keep-maps (expected a prediction of a model of boxless fit, train or attach)"
            )
        scores: Floats = normalise(resize_maps(self.class_map[None], height, width))[0]
        return scores

    def masks(self) -> Iterator[NDArray[np.bool_]]:
        """The pixels of each of `boxes`, one after the other.

        Returns:
            bool (height, width) for each box, in the order of `boxes`.

        Raises:
            NoClassMapError: if the boxes are not from a map.

        Example:
            >>> import boxless
            >>> found = boxless.Localizer().locate("examples/pictures/coffee.jpg")
            >>> [mask.shape for mask in found.predictions[0].masks()]
            [(400, 600)]
        """
        if self.threshold is None or self.class_map is None:
            raise NoClassMapError(f"no masks of '{self.label}': its boxes are not from a class map")
        return component_masks(self.score_map, self.boxes, self.threshold)

    def to_dict(self) -> dict[str, Any]:
        """The prediction without its map, ready for JSON.

        Returns:
            Plain data; coordinates in pixels, rounded to hundredths.

        Example:
            >>> Prediction("cat", 0, 0.9, 12.0, True, (Box(1, 2, 3, 4, 0.9),), None, 9, 9).to_dict()["box"]
            [1, 2, 3, 4]
        """
        boxes = [{"box": rounded(box), "score": round(box.score, 4)} for box in self.boxes]
        return {
            "label": self.label,
            "class_index": self.class_index,
            "probability": round(self.probability, 6),
            "activation": round(self.activation, 4),
            "detected": self.detected,
            "box": boxes[0]["box"] if boxes else None,
            "boxes": boxes,
        }


def rounded(box: Box) -> list[float]:
    """The corners of a box in hundredths of pixels, for JSON."""
    return [round(edge, 2) for edge in box.xyxy]
