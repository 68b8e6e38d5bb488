"""How much boxes flicker in clips, and what averaging over time does to it. python -m benchmarks.video

Clips are made of real images: a window pans and zooms over a boxed image of `ilsvrc-dev`, and each frame has noise
and light of its own. The motion is known, so a box of one frame can be carried into the next: *steady* is the mean
overlap (IoU) of neighbouring boxes then, *right* that with the true box, which moves along.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.facts import DATA, write_results
from boxless import Localizer
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.imaging.read import images_in, read_image, resize_pixels
from boxless.maps.boxes import iou
from boxless.models.model_file import ModelFile
from boxless.video.cuts import Cuts
from boxless.video.steady import SteadyNetwork

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

IMAGES, FRAMES = 30, 12
PRESETS = ("fast",)
KEPT = (0.0, 0.4, 0.6, 0.8)
SIDE = 224
_NOISE, _LIGHT = 10.0, 0.08
CUT_PAIRS = 300


@dataclass(frozen=True)
class Window:
    """What a frame shows: left, top and size, in pixels of the image."""

    left: float
    top: float
    size: float

    def shown(self, boxes: Floats) -> Floats:
        """Boxes (n, 4) of the image in pixels of the frame, cut at its border."""
        corner = np.array([self.left, self.top, self.left, self.top])
        return np.asarray(((boxes - corner) * (SIDE / self.size)).clip(0, SIDE), np.float32)

    def carried(self, box: Floats, into: Window) -> Floats:
        """A box of this frame in another."""
        corner = np.array([self.left, self.top, self.left, self.top])
        there: Floats = into.shown((box * (self.size / SIDE) + corner)[None])[0]
        return there


def windows(side: float, random: np.random.Generator, frames: int = FRAMES) -> list[Window]:
    """A window that pans and zooms at an even speed: it stays inside, and shows 70 to 95 % of a side."""
    sizes = side * _even(random.uniform(0.7, 0.95, 2), frames)
    across, down = _even(random.uniform(0, 1, 2), frames), _even(random.uniform(0, 1, 2), frames)
    return [Window(x * (side - s), y * (side - s), s) for s, x, y in zip(sizes, across, down, strict=True)]


def _even(ends: NDArray[np.float64], count: int) -> Floats:
    return np.asarray(np.linspace(ends[0], ends[1], count), np.float32)


def frame(pixels: Pixels, window: Window, random: np.random.Generator) -> Pixels:
    """What the camera sees there: (SIDE, SIDE, 3), with noise, and light that changes."""
    scale = window.size / SIDE
    place = np.array([[scale, 0, window.left], [0, scale, window.top]], np.float32)
    seen = cv2.warpAffine(pixels, place, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    light = 1 + random.uniform(-_LIGHT, _LIGHT)
    return np.asarray((seen * light + random.normal(0, _NOISE, seen.shape)).clip(0, 255), np.uint8)


def clip(image: BoxedImage, seed: int) -> Iterator[tuple[Pixels, Window, Floats]]:
    """The frames of an image's clip, their windows, and the true boxes in them; the same for the same seed."""
    random = np.random.default_rng(seed)
    pixels = read_image(image.path).pixels
    for window in windows(min(pixels.shape[:2]), random):
        yield frame(pixels, window, random), window, window.shown(np.asarray(image.boxes, np.float32))


def measured(network: ModelFile, preset: str, kept: float, images: list[BoxedImage]) -> dict[str, float]:
    """Steadiness and rightness, means over clips in percent."""
    steady, right = [], []
    for seed, image in enumerate(images):
        localizer = Localizer(SteadyNetwork(network, kept), preset)
        before: tuple[Window, Floats] | None = None
        overlaps, hits = [], []
        for pixels, window, truth in clip(image, seed):
            box = localizer.locate(pixels, classes=[image.class_index], include_absent=True).predictions[0].box
            if box is None:
                hits.append(0.0)
                overlaps += [0.0] if before else []
                before = None
                continue
            now = np.array(box.xyxy, np.float32)
            hits.append(float(iou(now[None], truth).max()))
            if before is not None:
                overlaps.append(float(iou(now[None], before[0].carried(before[1], window)[None])[0, 0]))
            before = window, now
        steady.append(float(np.mean(overlaps)))
        right.append(float(np.mean(hits)))
    return {"steady": round(100 * float(np.mean(steady)), 1), "right": round(100 * float(np.mean(right)), 1)}


def cuts() -> dict[str, float]:
    """Cuts that are missed, and pans that are taken for cuts, in percent, of pairs of frames of `photos`."""
    random = np.random.default_rng(0)
    photos = [resize_pixels(read_image(path, enough=320).pixels, 320, 320) for path in images_in(DATA / "photos")]

    def said(one: Pixels, other: Pixels) -> bool:
        tell = Cuts()
        tell(one)
        return tell(other)

    still = Window(20, 20, 224)
    missed, wrong = 0, 0
    for _ in range(CUT_PAIRS):
        i, j = random.choice(len(photos), 2, replace=False)
        first = frame(photos[i], still, random)
        missed += not said(first, frame(photos[j], still, random))
        moved = Window(20 + random.uniform(-12, 12), 20 + random.uniform(-12, 12), 224 * random.uniform(0.95, 1.05))
        wrong += said(first, frame(photos[i], moved, random))
    return {"missed": round(100 * missed / CUT_PAIRS, 1), "wrong": round(100 * wrong / CUT_PAIRS, 1)}


def main() -> None:
    """Measures and writes benchmarks/results/video.json."""
    folder = DATA / "ilsvrc-dev"
    if not folder.is_dir():
        sys.exit(f"no images to measure on: {folder} is missing (set BOXLESS_DATA)")
    network = ModelFile("efficientnet-lite0", threads=1)
    every = read_dataset(folder / "annotations.json", network.card, images=folder / "images").images
    images = list(every[:: max(1, len(every) // IMAGES)][:IMAGES])
    found = cuts()
    print("cuts", found, flush=True)
    rows: list[dict[str, Any]] = []
    for preset in PRESETS:
        for kept in KEPT:
            rows.append({"preset": preset, "kept": kept, **measured(network, preset, kept, images)})
            print(rows[-1], flush=True)
    write_results("video", {"clips": len(images), "frames": FRAMES, "cuts": found, "rows": rows})


if __name__ == "__main__":
    main()
