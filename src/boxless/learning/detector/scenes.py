"""Augmentation for detector training: images and boxes are moved, scaled, mirrored, recoloured, tiled (mosaic)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import Pixels, resize_pixels
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.network.augment import recoloured
from boxless.learning.network.examples import Store
from boxless.networks.detector_backbones import STRIDES
from boxless.system.ordered import ordered_map

Floats = NDArray[np.float32]
Batch = tuple[Floats, list[Floats]]

_GREY = 114
"""The grey level beyond an image's border."""

_KEPT = 0.35
"""A box becomes uncertain if less than this share of it is still in the image."""

_MOST_BOXES = 96
"""Boxes in one scene at most; of more, the ones with the highest weights are kept."""

_LARGE = 0.1
"""If at least this share of boxes would not fit into a part of the image, scenes show the whole image."""


@dataclass(frozen=True)
class Variation:
    """How scenes vary.

    Attributes:
        mosaic: the share of scenes made of four images (Bochkovskiy et al., arXiv 2004.10934).
        part: the side of a scene as a share of the images' side; showing only a part takes less time.
        scales: the range of factors that images are scaled by.
        mosaic_scales: the same for mosaics of four images.
        flip: whether images may be mirrored.
        colour: see `boxless.learning.network.augment.Augmentation`.
    """

    mosaic: float = 0.3
    part: float = 0.75
    scales: tuple[float, float] = (0.6, 1.2)
    mosaic_scales: tuple[float, float] = (0.4, 0.8)
    flip: bool = True
    colour: float = 0.25


def variation_for(pseudo_labels: Sequence[PseudoLabels]) -> Variation:
    """The variation for these images, with scenes large enough for most of their boxes.

    No box can be larger than its scene. If scenes cut large objects, the detector's boxes of them will be too small.
    """
    believed = PseudoLabels.joined(list(pseudo_labels))
    boxes = believed.boxes[believed.weights > 0]
    longest = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    usual = Variation()
    large = np.count_nonzero(longest > usual.part)
    return replace(usual, part=1.0) if large > 0 and large >= _LARGE * len(boxes) else usual


class Scenes:
    """The batches of each epoch, determined by (seed, epoch, image).

    Args:
        store: n decoded images, squeezed to squares.
        aspects: (n,), heights over widths at the network's input; see `boxless.models.presets.view_size`.
        pseudo_labels: the pseudo-labels of the images.
        side: the input side of the finished detector, in pixels; the area of an image is about its square.
        batch: scenes in a batch.
        variation: how scenes vary.
        seed: for the order and the variation.
        repeats: how often an epoch shows each image; once each if empty.
    """

    def __init__(
        self,
        store: Store,
        aspects: Sequence[float],
        pseudo_labels: Sequence[PseudoLabels],
        side: int,
        batch: int,
        variation: Variation,
        seed: int,
        repeats: Sequence[int] = (),
    ) -> None:
        self._store, self._aspects, self._pseudo_labels = store, aspects, pseudo_labels
        self._input_side, self._variation, self._seed = side, variation, seed
        self._side = scene_side(side, variation)
        self._shown = np.repeat(np.arange(len(store)), repeats or 1)
        self._batch = min(batch, len(self._shown))
        self.steps = len(self._shown) // self._batch
        most = 4 * max(len(each) for each in pseudo_labels)
        # A multiple of 8, so that later rounds seldom need to compile for another shape.
        self.rows = min(_MOST_BOXES, -(-max(most, 1) // 8) * 8)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Images float32 (b, side, side, 3) in 0-255 with targets for `DetectorTrainer`, prepared ahead of use."""
        order = np.random.default_rng([self._seed, number]).permutation(self._shown)
        parts = order[: self.steps * self._batch].reshape(self.steps, self._batch)
        return ordered_map(lambda step: self._made(parts[step].tolist(), number), range(self.steps))

    def _made(self, images: Sequence[int], epoch: int) -> Batch:
        scenes = [self.scene(image, epoch) for image in images]
        rows = [pseudo_labels.padded(self.rows) for _, pseudo_labels in scenes]
        boxes, candidates, weights = (np.stack([row[i] for row in rows]) for i in range(3))
        return np.stack([pixels for pixels, _ in scenes]), [boxes * self._side, candidates, weights]

    def scene(self, image: int, epoch: int) -> tuple[Floats, PseudoLabels]:
        """One image, or a mosaic of four: float32 (side, side, 3) in 0-255, and boxes as shares of its side."""
        how = self._variation
        # Starts at 1: NumPy treats the seeds [s, e] and [s, e, 0] alike, and the first one orders the images.
        random = np.random.default_rng([self._seed, epoch, image + 1])
        side = self._side
        canvas = np.full((side, side, 3), _GREY, np.uint8)
        if random.random() < how.mosaic:
            x, y = (round(side * share) for share in random.uniform(0.35, 0.65, 2))
            frames = [(0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)]
            others = random.choice(self._shown, size=3).tolist()
            parts = [
                self._pasted(canvas, which, frame, how.mosaic_scales, random)
                for which, frame in zip([image, *others], frames, strict=True)
            ]
        else:
            parts = [self._pasted(canvas, image, (0, 0, side, side), how.scales, random)]
        pixels = canvas.astype(np.float32)
        return recoloured(pixels, how.colour, random) if how.colour else pixels, PseudoLabels.joined(parts)

    def _pasted(
        self,
        canvas: Pixels,
        image: int,
        frame: tuple[int, int, int, int],
        scales: tuple[float, float],
        random: np.random.Generator,
    ) -> PseudoLabels:
        """Draws an image into a frame of the canvas; its boxes there."""
        how = self._variation
        pixels, aspect, pseudo_labels = self._store[image], self._aspects[image], self._pseudo_labels[image]
        x0, y0, x1, y1 = frame
        width, height = x1 - x0, y1 - y0
        size = self._input_side * random.uniform(*scales)
        high, wide = size * np.sqrt(aspect), size / np.sqrt(aspect)
        left, top = (_placed(each, room, random) for each, room in ((wide, width), (high, height)))
        flip = how.flip and random.random() < 0.5

        # Shrunk the way inference shrinks, by area, so that every pixel counts; the warp only moves and mirrors.
        stored_high, stored_wide = (
            min(stored, max(1, round(shown))) for stored, shown in zip(pixels.shape, (high, wide), strict=False)
        )
        pixels = resize_pixels(pixels, stored_high, stored_wide)
        # From the stored square to the frame, about the pixels' corners: x' = a * x + b.
        a = np.array([(-wide if flip else wide) / stored_wide, high / stored_high])
        b = np.array([left + wide if flip else left, top])
        matrix = np.array([[a[0], 0, b[0] + 0.5 * a[0] - 0.5], [0, a[1], b[1] + 0.5 * a[1] - 0.5]])
        canvas[y0:y1, x0:x1] = cv2.warpAffine(
            pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=(_GREY,) * 3
        )
        if not len(pseudo_labels):
            return pseudo_labels
        scale = a * (stored_wide, stored_high)
        moved = pseudo_labels.boxes.reshape(-1, 2, 2) * scale + b
        corners = np.concatenate([moved.min(axis=1), moved.max(axis=1)], axis=1)
        inside = corners.clip(0, [width, height, width, height])
        share = _areas(inside) / np.maximum(_areas(corners), 1e-9)
        seen = share > 0
        weights = np.where(share >= _KEPT, pseudo_labels.weights, 0).astype(np.float32)
        whole = ((inside + np.array([x0, y0, x0, y0])) / self._side).astype(np.float32)
        return PseudoLabels(whole[seen], pseudo_labels.candidates[seen], weights[seen])


def scene_side(side: int, variation: Variation) -> int:
    """The side of scenes in pixels, a multiple of the last stride."""
    return max(1, round(side * variation.part / STRIDES[-1])) * STRIDES[-1]


def _placed(size: float, room: int, random: np.random.Generator) -> float:
    """A random start for an image, with as much of it as possible in the frame, give or take a tenth."""
    low, high = sorted((0.0, room - size))
    slack = 0.1 * room
    return float(random.uniform(low - slack, high + slack))


def _areas(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
