"""Whether a map shows what the network relies on, measured with the network itself, without boxes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.datasets.notes import Notes
from boxless.errors import ImageError
from boxless.evaluation.bootstrap import Bootstrap, mean_of
from boxless.evaluation.figures import Figure
from boxless.imaging.read import read_image, resize_pixels
from boxless.localizer import Localizer
from boxless.maps.class_maps import probabilities
from boxless.models.model_file import Network

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STEPS = 20
_GREY = 127


@dataclass(frozen=True)
class Faithfulness:
    """Of one image.

    Attributes:
        insertion, deletion: areas under the probability while pixels are inserted or deleted, by falling score.
        drop: the share of the probability that is lost when only what the map highlights is left; in [0, 1].
        increase: whether the probability rises instead: 1 or 0.
        completeness: |mean of the class map + bias - logit|; NaN if the bias is unknown.
    """

    insertion: float
    deletion: float
    drop: float
    increase: float
    completeness: float


def faithfulness(network: Network, localizer: Localizer, pixels: Pixels, bias: Floats | None = None) -> Faithfulness:
    """Measures the map of an image's most probable class, at the size of the preset's classification pass.

    Insertion and deletion: Petsiuk et al., "RISE", BMVC 2018; the pixels of the highest scores first, in `STEPS`
    equal parts, onto a blurred image or under grey. Average drop and increase: Chattopadhay et al., "Grad-CAM++",
    WACV 2018; the image times its map, towards grey. The network gives the probabilities of RGB pixels (H, W, 3), the
    localizer, with the same network, their map; `bias` (K,) of the linear layer is for completeness.
    """
    prediction = localizer.locate(pixels, top=1).predictions[0]
    index = prediction.class_index
    height, width = pixels.shape[:2]
    size = localizer.card.input_size(localizer.preset.scales[0], height, width)
    view = resize_pixels(pixels, *size)
    score_map = prediction.scores_on(*size)

    def probability(seen: Pixels) -> float:
        output = network.run(np.ascontiguousarray(seen), size=size, classes=[index], top=0)
        return float(probabilities(output.logits, network.card.activation)[index])

    whole = network.run(view, size=size, classes=[index], top=0)
    before = float(probabilities(whole.logits, network.card.activation)[index])
    mask = score_map[..., None]
    after = probability((_GREY + (view - np.float32(_GREY)) * mask).round().astype(np.uint8))
    blurred = np.asarray(cv2.GaussianBlur(view, (0, 0), 10), np.uint8)
    error = float("nan")
    if bias is not None:
        error = float(abs(whole.class_maps[0].mean() + bias[index] - whole.logits[index]))
    return Faithfulness(
        insertion=_area([probability(each) for each in revealed(view, blurred, score_map)]),
        deletion=_area([probability(each) for each in revealed(np.full_like(view, _GREY), view, score_map)]),
        drop=max(0.0, before - after) / before if before > 0 else 0.0,
        increase=float(after > before),
        completeness=error,
    )


def revealed(shown: Pixels, under: Pixels, score_map: Floats, steps: int = STEPS) -> Iterable[Pixels]:
    """`under` turning into `shown`, the highest scores first: steps + 1 images (H, W, 3), the first all `under`."""
    order = np.argsort(-score_map.ravel(), kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    place = rank.reshape(score_map.shape)
    for step in range(steps + 1):
        yield np.where((place < order.size * step / steps)[..., None], shown, under)


def faithfulness_figures(
    network: Network,
    preset: str,
    images: Iterable[BoxedImage],
    notes: Notes,
    count: int,
    bias: Floats | None = None,
) -> list[Figure]:
    """The lines of the table for the first `count` images that can be read.

    Raises:
        ModelFileError: if the model is a detector.
    """
    network.card.need_maps("faithfulness")
    localizer = Localizer(network, preset)
    found: list[Faithfulness] = []
    for path in list(dict.fromkeys(image.path for image in images))[:count]:
        try:
            pixels = read_image(path).pixels
        except ImageError:
            notes.add("damaged file", str(path))
            continue
        found.append(faithfulness(network, localizer, pixels, bias))
    if not found:
        return []
    drawn = Bootstrap(np.arange(len(found)))
    about = f"of {len(found)} images, for the most probable class"
    lines = [
        ("insertion_auc", "Insertion AUC", "insertion", 100.0, f"More is better; {about} (RISE, BMVC 2018)."),
        ("deletion_auc", "Deletion AUC", "deletion", 100.0, f"Less is better; {about} (RISE, BMVC 2018)."),
        ("average_drop", "Average drop", "drop", 100.0, f"Less is better; {about} (Grad-CAM++, WACV 2018)."),
        ("increase", "Increase in confidence", "increase", 100.0, f"More is better; {about} (WACV 2018)."),
    ]
    if bias is not None:
        means = f"|mean of the class map + bias - logit|, mean {about}."
        lines.append(("completeness_error", "Completeness error (logits, not %)", "completeness", 1.0, means))
    values = {name: np.array([getattr(each, name) for each in found]) for _, _, name, _, _ in lines}
    return [
        Figure(key, title, means, deployable=drawn.interval(mean_of(scale * values[name])))
        for key, title, name, scale, means in lines
    ]


def _area(values: list[float]) -> float:
    return float(np.trapezoid(values, dx=1 / (len(values) - 1)))
