"""One image's share in every figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.evaluation.box_accuracy import Overlaps, centre_overlaps, overlaps
from boxless.evaluation.pixels import Histogram, pixel_histogram
from boxless.maps.boxes import iou

Floats = NDArray[np.float32]
Edges = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class MapPrediction:
    """What a model, or anybody's map, says of one class in one image.

    Attributes:
        score_map: (h, w) in [0, 1], of the class asked for; zeros where there is no evidence.
        box: xyxy in pixels of the image, the one box that a user gets; None where there is none.
        rank: how many classes are more probable than the one asked for; None where a map is all there is.
        top_class: the most probable class, by index; None as above.
        confidence: its probability in [0, 1]; None as above.
    """

    score_map: Floats
    box: Edges | None
    rank: int | None = None
    top_class: int | None = None
    confidence: float | None = None


@dataclass(frozen=True, eq=False)
class Score:
    """How one prediction compares with the truth. The map is gone, so that many scores fit into memory.

    Attributes:
        path, class_index, truth, size: of the `BoxedImage`.
        prediction: without its map.
        overlaps: over thresholds; None without true boxes.
        centre: the `any_box` of the centre baseline's overlaps; None without true boxes.
        box_iou: the best IoU of the prediction's one box with a true box; 0 where there is no box, NaN without truth.
        pointed: 1 where the map's maximum lies in a true box, 0 where not; NaN without truth.
        area: of the largest true box, as a share of the image; NaN without truth.
        pixels: of the map inside and outside the true mask, by score; None without a mask.
    """

    path: Path
    class_index: int
    truth: Floats
    size: tuple[int, int]
    prediction: MapPrediction
    overlaps: Overlaps | None
    centre: Floats | None
    box_iou: float
    pointed: float
    area: float
    pixels: Histogram | None

    @property
    def boxed(self) -> bool:
        """Whether there is a box to compare with."""
        return len(self.truth) > 0


def score(image: BoxedImage, prediction: MapPrediction) -> Score:
    """Compares a prediction with the truth.

    Args:
        image: the true boxes of one class in one image.
        prediction: what is compared with them.

    Returns:
        The share of this image in every figure.

    Example:
        >>> from boxless.evaluation import BoxedImage
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[2:5, 3:7] = 1.0
        >>> truth = BoxedImage(Path("cup.jpg"), 0, np.array([[3, 2, 7, 5]], np.float32), (10, 10))
        >>> score(truth, MapPrediction(score_map, box=(3, 2, 7, 5))).box_iou
        1.0
    """
    truth, (height, width) = image.boxes, image.size
    score_map = prediction.score_map
    bare = MapPrediction(
        np.zeros((0, 0), np.float32), prediction.box, prediction.rank, prediction.top_class, prediction.confidence
    )
    pixels = None if image.mask is None else pixel_histogram(score_map, image.mask, image.size)
    if not len(truth):
        nan = float("nan")
        return Score(image.path, image.class_index, truth, image.size, bare, None, None, nan, nan, nan, pixels)
    found = 0.0 if prediction.box is None else float(iou(np.array([prediction.box], np.float32), truth).max())
    return Score(
        path=image.path,
        class_index=image.class_index,
        truth=truth,
        size=image.size,
        prediction=bare,
        overlaps=overlaps(score_map, truth, image.size),
        centre=centre_overlaps(truth, image.size).any_box,
        box_iou=found,
        pointed=pointing_game(score_map, truth, image.size),
        area=float(np.prod(truth[:, 2:] - truth[:, :2], axis=1).max() / (height * width)),
        pixels=pixels,
    )


def pointing_game(score_map: Floats, truth: Floats, size: tuple[int, int], margin: float = 0.0) -> float:
    """1 where the map's maximum lies in a true box, 0 where not, or where the map has no positive value.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", ECCV 2016, who allow a margin of 15 pixels
    around the object; here none is the default. Of several equal maxima the first counts.

    Args:
        score_map: (h, w).
        truth: (n, 4), xyxy in pixels of the image.
        size: the (height, width) of the image.
        margin: pixels around the boxes that still count.

    Returns:
        1.0 or 0.0.

    Example:
        >>> score_map = np.zeros((10, 10), np.float32)
        >>> score_map[4, 4] = 1.0
        >>> pointing_game(score_map, np.array([[40, 40, 60, 60]], np.float32), size=(100, 100))
        1.0
    """
    if score_map.max() <= 0:
        return 0.0
    row, column = np.unravel_index(int(score_map.argmax()), score_map.shape)
    y, x = (float(row) + 0.5) * size[0] / score_map.shape[0], (float(column) + 0.5) * size[1] / score_map.shape[1]
    inside = (truth[:, 0] - margin <= x) & (x < truth[:, 2] + margin)
    inside &= (truth[:, 1] - margin <= y) & (y < truth[:, 3] + margin)
    return float(inside.any())
