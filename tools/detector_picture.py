"""Makes docs/tutorial/images/detector.jpg: python -m tools.detector_picture [FOLDER, to keep what is made on the way]

Scenes are put together from photographs: cats, cups and rockets, cut out, on grass and on gravel. What is told is what
a scene shows, never where. A model is fitted on that, its class maps teach a detector, and both look at scenes that
neither has learned from. Where things are is known too, for these are made: it serves to count what was found.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from examples.backgrounds import GROUNDS, cut_out
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from boxless import Localizer
from boxless.cli.training_watch import watched
from boxless.datasets.split import read_split
from boxless.imaging.draw import Layer, draw, overlay
from boxless.learning.detector.options import DetectorOptions
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.teacher import by_class_maps
from boxless.learning.detector.train import train_detector
from boxless.learning.head.fit import fit
from boxless.maps.boxes import Box, iou
from boxless.system.files import write_whole

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/tutorial/images"

SIDE = 352
"""Of a scene, in pixels."""

TRAINING, HELD_OUT = 100, 30
"""Scenes."""

SIZES = {"cat": (80, 130), "cup": (80, 130), "rocket": (14, 20)}
"""How wide things are, in pixels."""

ROCKET = [(321, 124), (312, 140), (309, 178), (311, 404), (333, 404), (334, 178), (331, 140)]
"""Its outline in examples/pictures/rocket.jpg."""

SETTINGS = DetectorOptions(size=192, epochs=16, rounds=2)
MANY = 4
"""The scenes that are drawn are the first two held-out ones that show so many things."""

GAP, LINE = 10, 24
"""The room between two images, and of a caption, in pixels."""

RIGHT = 0.5
"""A box is right if its intersection over union with the thing's is at least so much."""


@dataclass(frozen=True)
class Thing:
    """What is somewhere in a scene: its class, and its box in pixels."""

    name: str
    box: tuple[float, float, float, float]


def scene(random: np.random.Generator) -> tuple[Image.Image, list[Thing]]:
    """Some things on a piece of ground, side by side or touching, hardly ever one over the other."""
    ground = str(random.choice(list(GROUNDS)))
    with Image.open(ROOT / f"examples/grounds/{ground}.jpg") as file:
        grey = np.asarray(file.convert("L"), np.float64)
    top, left = (int(random.integers(0, room + 1)) for room in np.array(grey.shape) - SIDE)
    piece = np.rot90(grey[top : top + SIDE, left : left + SIDE], int(random.integers(0, 4)))
    coloured = piece[..., None] * GROUNDS[ground] * random.uniform(0.7, 0.95)
    image = Image.fromarray(coloured.clip(0, 255).astype(np.uint8))
    things: list[Thing] = []
    kinds = random.choice(list(SIZES), size=int(random.integers(1, 3)), replace=False)
    for _ in range(int(random.integers(len(kinds), 5))):
        name = str(kinds[len(things) % len(kinds)])
        cutout = _thing(name, random)
        for _ in range(40):
            x, y = (int(random.integers(0, SIDE - side)) for side in cutout.size)
            box = (float(x), float(y), float(x + cutout.width), float(y + cutout.height))
            others = np.array([each.box for each in things]).reshape(-1, 4)
            if not len(others) or iou(np.array([box]), others).max() < 0.04:
                image.paste(cutout, (x, y), cutout)
                things.append(Thing(name, box))
                break
    return image, things


def _thing(name: str, random: np.random.Generator) -> Image.Image:
    """One thing cut out, turned a little, some of them mirrored."""
    width = int(random.integers(*SIZES[name]))
    image = _rocket(width) if name == "rocket" else cut_out(name, width)
    if random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    turned = image.rotate(random.uniform(-25, 25), Image.Resampling.BICUBIC, expand=True)
    around = turned.getchannel("A").point(lambda value: 255 * (value > 96)).getbbox()
    return turned.crop(around)


def _rocket(width: int) -> Image.Image:
    with Image.open(ROOT / "examples/pictures/rocket.jpg") as file:
        image = file.convert("RGB")
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).polygon(ROCKET, fill=255)
    image.putalpha(mask.filter(ImageFilter.GaussianBlur(1)))
    rocket = image.crop(mask.getbbox())
    return rocket.resize((width, round(width * rocket.height / rocket.width)), Image.Resampling.LANCZOS)


def write_scenes(folder: Path) -> dict[str, list[Thing]]:
    """Scenes and labels.csv, which says what each shows; where things are, by file, is told to nobody who learns."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, list[Thing]] = {}
    rows = []
    for number in range(TRAINING + HELD_OUT):
        image, things = scene(random)
        name = f"{number:03}.png"
        image.save(folder / name)
        truth[name] = things
        split = "train" if number < TRAINING else "val"
        rows += [(name, label, split) for label in sorted({each.name for each in things})]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "split"), *rows])
    return truth


def right(things: Sequence[Thing], said: Sequence[Thing]) -> int:
    """How many things have a box of their own that is right, of their class."""
    left = list(things)
    for each in said:
        same = [thing for thing in left if thing.name == each.name]
        shared = [float(iou(np.array([each.box]), np.array([thing.box])).max()) for thing in same]
        if shared and max(shared) >= RIGHT:
            left.remove(same[int(np.argmax(shared))])
    return len(things) - len(left)


def believed(taught: PseudoLabels, classes: Sequence[str]) -> list[Thing]:
    """The boxes that a detector would be taught, of those whose class is known."""
    rows = zip(taught.boxes, taught.candidates, taught.weights * taught.known, strict=True)
    return [Thing(classes[int(which.argmax())], tuple((box * SIDE).tolist())) for box, which, weight in rows if weight]


def taught_layers(taught: PseudoLabels, classes: Sequence[str]) -> list[Layer]:
    """The boxes that class maps teach, with how far each is believed."""
    by_title: dict[tuple[str, int], list[Box]] = {}
    for box, candidates, weight in zip(taught.boxes, taught.candidates, taught.weights, strict=True):
        may_be = np.flatnonzero(candidates).tolist()
        x0, y0, x1, y1 = (box * SIDE).tolist()
        title = " or ".join(classes[k] for k in may_be) + ("?" if weight == 0 else "")
        by_title.setdefault((title, may_be[0]), []).append(Box(x0, y0, x1, y1, float(weight)))
    return [Layer(title, None, 0.0, boxes, kind) for (title, kind), boxes in by_title.items()]


def make(folder: Path) -> Image.Image:
    """Learns, counts, and draws two scenes that nobody learned from."""
    truth = write_scenes(folder / "scenes")
    training, held_out = read_split(folder / "scenes/labels.csv", None)
    teacher, file = folder / "teacher.onnx", folder / "detector.onnx"
    if not teacher.exists():
        fit(training, held_out, teacher, localization_size=448)
    if not file.exists():
        with watched(file) as screen:
            made = train_detector(training, held_out, file, SETTINGS, teacher, watch=screen)
        print(json.dumps(made.as_dict(), indent=1))
    maps, detector = Localizer(teacher, preset="best"), Localizer(file)
    taught = by_class_maps(teacher, held_out, lambda count: None)
    things = [truth[path.name] for path in held_out.paths]
    found = [
        [Thing(prediction.label, box.xyxy) for prediction in each.detected for box in prediction.boxes]
        for each in detector.locate_many(held_out.paths)
    ]
    of_maps = sum(right(each, believed(boxes, held_out.classes)) for each, boxes in zip(things, taught, strict=True))
    of_detector = sum(map(right, things, found))
    total = sum(map(len, things))
    print(f"{HELD_OUT} scenes with {total} things; boxes of class maps right: {of_maps}, the detector's: {of_detector}")

    rows = []
    for i in [i for i, each in enumerate(things) if len(each) == MANY][:2]:
        with Image.open(held_out.paths[i]) as opened:
            image = opened.convert("RGB")
        pixels = np.asarray(image)
        names = [each.name for each in things[i]]
        most = max(sorted(set(names)), key=names.count)
        heat = maps.locate(held_out.paths[i], classes=[most]).predictions[0].score_map
        drawn = draw(pixels, taught_layers(taught[i], held_out.classes))
        rows.append(
            [
                (image, "a scene that nobody learned from"),
                (Image.fromarray(overlay(pixels, heat)), f"the class map of {most}"),
                (drawn, f"boxes of class maps: {of_maps} of {total} are right"),
                (detector.locate(held_out.paths[i]).draw(), f"the detector's: {of_detector} of {total}"),
            ]
        )
    return strip(rows, height=SIDE)


def main() -> None:
    """Makes the picture, and keeps what is made on the way where a folder is named."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["BOXLESS_CACHE"] = scratch
        sheet = make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch))
    OUT.mkdir(parents=True, exist_ok=True)
    write_whole(OUT / "detector.jpg", lambda beside: sheet.save(beside, "JPEG", quality=80))


def strip(rows: Sequence[Sequence[tuple[Image.Image, str]]], height: int) -> Image.Image:
    """Rows of pictures of one height with captions below."""
    font = ImageFont.load_default(13)
    scaled = [
        [(each.resize((round(each.width * height / each.height), height), Image.Resampling.LANCZOS), caption)
         for each, caption in row]
        for row in rows
    ]  # fmt: skip
    width = max(sum(each.width + GAP for each, _ in row) for row in scaled) + GAP
    sheet = Image.new("RGB", (width, len(rows) * (height + LINE + GAP) + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for i, row in enumerate(scaled):
        left, top = GAP, GAP + i * (height + LINE + GAP)
        for each, caption in row:
            sheet.paste(each, (left, top))
            pen.text((left + each.width / 2, top + height + 5), caption, (38, 38, 44), font, anchor="ma")
            left += each.width + GAP
    return sheet


if __name__ == "__main__":
    main()
