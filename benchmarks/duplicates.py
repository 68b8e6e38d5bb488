"""Near duplicates: how many made copies are missed, and what is found that is none. python -m benchmarks.duplicates

Copies are made of images that were learned from, nine ways. Where nothing is a copy, what is found is a false alarm,
unless people see that it is one: all pairs are written to one image for them. The tiles of `magnetic-tile` were
photographed several times each, and the split does not keep a tile's photographs together; the number in a file's name
counts the frames of the camera, and shows which may be of one tile.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from papers.cifar10 import CLASSES, load_cifar10
from PIL import Image

from benchmarks.facts import DATA, write_results
from boxless.imaging.read import images_in, read_image
from boxless.learning.report.duplicates import ALIKE, near_duplicates

Pixels = NDArray[np.uint8]
Found = list[tuple[int, int, float]]

SETS = ("magnetic-tile", "cards", "tiny10")
SHOWN = ("automobile", "bird")
MADE = 40
"""Images of each set that copies are made of, the same for every way."""

FRAMES = 600
"""A tile's photographs were taken within so many frames; a few tiles came by a second time, later."""

_TILE = 128


def recompressed(pixels: Pixels, quality: int = 20) -> Pixels:
    """After JPEG."""
    _, code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def cropped(pixels: Pixels, top: float, bottom: float, left: float, right: float) -> Pixels:
    """Without these shares of its sides."""
    height, width = pixels.shape[:2]
    return pixels[
        round(top * height) : height - round(bottom * height), round(left * width) : round((1 - right) * width)
    ]


def brighter(pixels: Pixels, factor: float, more: float = 0.0) -> Pixels:
    """With other levels."""
    return np.asarray((pixels * factor + more).clip(0, 255), np.uint8)


WAYS: dict[str, Callable[[Pixels], Pixels]] = {
    "JPEG, quality 20": recompressed,
    "half the size": lambda it: np.asarray(cv2.resize(it, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)),
    "darker": lambda it: brighter(it, 0.7, 10),
    "gamma 1.6": lambda it: np.asarray((it / 255.0) ** 1.6 * 255, np.uint8),
    "mirrored": lambda it: it[:, ::-1],
    "5 % off two sides": lambda it: cropped(it, 0.05, 0, 0.05, 0),
    "5 % off all sides": lambda it: cropped(it, 0.05, 0.05, 0.05, 0.05),
    "10 % off all sides": lambda it: cropped(it, 0.1, 0.1, 0.1, 0.1),
    "cropped, mirrored, darker, JPEG 40": lambda it: brighter(
        recompressed(cropped(it, 0.06, 0.02, 0.03, 0.07), 40)[:, ::-1], 0.85
    ),
}


def missed(learned: Sequence[Path], folder: Path, numbers: Sequence[int]) -> dict[str, int]:
    """How many of the copies of each way are not found."""
    made: list[tuple[str, Path]] = []
    for way, change in WAYS.items():
        for i in numbers:
            path = folder / f"{len(made)}.png"
            Image.fromarray(np.ascontiguousarray(change(read_image(learned[i]).pixels))).save(path)
            made.append((way, path))
    found = {i for i, *_ in near_duplicates(learned, [path for _, path in made])}
    return {way: sum(each == way and i not in found for i, (each, _) in enumerate(made)) for way in WAYS}


def frame(path: Path) -> int:
    """When a tile was photographed, in frames of the camera."""
    number = re.search(r"num_(\d+)", path.name)
    assert number is not None
    return int(number.group(1))


def apart(learned: Sequence[Path], held_out: Sequence[Path], cut: int = 150_000, gap: int = 5_000) -> Iterator[int]:
    """What is found of tiles that were photographed early among those that were late, and the other way round."""
    for early, late in ((learned, held_out), (held_out, learned)):
        pairs = [p for p in early if frame(p) < cut], [p for p in late if frame(p) > cut + gap]
        yield len(near_duplicates(*pairs))


def cifar10(folder: Path) -> Iterator[tuple[str, list[Path], list[Path]]]:
    """The training and the test images of two of its classes."""
    data = load_cifar10(None)
    for name in SHOWN:
        paths = {}
        for which, images in (("train", data.train), ("test", data.test)):
            place = folder / which / name
            place.mkdir(parents=True)
            mine = images.pixels[images.labels == CLASSES.index(name)]
            paths[which] = [place / f"{i:05d}.png" for i in range(len(mine))]
            for path, pixels in zip(paths[which], mine, strict=True):
                Image.fromarray(pixels).save(path)
        yield name, paths["train"], paths["test"]


def sheet(name: str, learned: Sequence[Path], held_out: Sequence[Path], found: Found) -> None:
    """Writes the pairs to one image and prints its path."""
    rows = [np.hstack([_enlarged(held_out[i]), _enlarged(learned[j])]) for i, j, _ in found]
    if rows:
        path = Path(tempfile.gettempdir()) / f"near_duplicates_{name}.png"
        Image.fromarray(np.vstack(rows)).save(path)
        print(path)


def main() -> None:
    """Measures and writes benchmarks/results/duplicates.json; pairs go to temporary files, whose paths are printed."""
    figures: dict[str, Any] = {}
    random = np.random.default_rng(0)
    for name in SETS:
        learned, held_out = (images_in(DATA / name / split) for split in ("train", "val"))
        start = time.process_time()
        found = near_duplicates(learned, held_out)
        seconds = time.process_time() - start
        with tempfile.TemporaryDirectory() as folder:
            numbers = [int(i) for i in random.permutation(len(learned))[:MADE]]
            lost = missed(learned, Path(folder), numbers)
        row = {"pictures": len(learned) + len(held_out), "held_out": len(held_out), "processor_s": round(seconds, 1)}
        figures[name] = {**row, "found": len(found), "made": MADE, "missed": lost}
        if name == "magnetic-tile":
            close = sum(abs(frame(held_out[i]) - frame(learned[j])) <= FRAMES for i, j, _ in found)
            figures[name] |= {"found_within_frames": close, "frames": FRAMES}
            figures[name] |= {"found_apart": sum(apart(learned, held_out))}
        print(name, figures[name], flush=True)
        sheet(name, learned, held_out, found)
        write_results("duplicates", {"alike": ALIKE, "figures": {}, "sets": figures})  # each as it comes
    twins = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, train, test in cifar10(Path(folder)):
            found = near_duplicates(train, test)
            twins[name] = {"test_pictures": len(test), "with_a_twin": len(found)}
            print(name, twins[name], flush=True)
            sheet(name, train, test, found)
    write_results("duplicates", {"alike": ALIKE, "figures": twins, "sets": figures})


def _enlarged(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB").resize((_TILE, _TILE)), np.uint8)


if __name__ == "__main__":
    main()
