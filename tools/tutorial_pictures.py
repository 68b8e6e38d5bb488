"""Makes the pictures of docs/tutorial: python -m tools.tutorial_pictures"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from examples.backgrounds import SIDE, SWAPPED, scene, write_folder
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from boxless import Localizer, ModelFile
from boxless.datasets.split import read_split
from boxless.imaging.draw import Layer, draw, heat_map, overlay
from boxless.imaging.read import read_picture
from boxless.learning.head.fit import fit
from boxless.maps.boxes import boxes_in_map
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps, walk

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/tutorial/images"
HEIGHT, GAP, LINE = 200, 10, 24
"""Of a picture, the room between two, and a caption, in pixels."""


def strip(rows: Sequence[Sequence[tuple[Image.Image, str]]], height: int = HEIGHT) -> Image.Image:
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


def average() -> Image.Image:
    """Page 1: a picture, its map as it is, and over the picture."""
    picture = read_picture(ROOT / "examples/pictures/coffee.jpg")
    maps = ModelFile("efficientnet-lite0").run(picture.pixels, size=(224, 224), top=1).class_maps
    scores = normalise(maps)[0]
    cells = cv2.resize(heat_map(scores), (picture.width, picture.height), interpolation=cv2.INTER_NEAREST)
    smooth = resize_maps(scores[None], picture.height, picture.width)[0]
    return strip(
        [
            [
                (Image.fromarray(picture.pixels), "the picture"),
                (Image.fromarray(cells), "the class map of espresso, cell by cell"),
                (Image.fromarray(overlay(picture.pixels, smooth)), "enlarged, over the picture"),
            ]
        ]
    )


def boxes() -> Image.Image:
    """Page 3: a map cut at three thresholds, and the same walked."""
    picture = read_picture(ROOT / "examples/pictures/chelsea.jpg")
    out = ModelFile("efficientnet-lite0").run(picture.pixels, size=(224, 320), top=1)
    assert out.affinity is not None
    rows = []
    for name, maps in (("class map", out.class_maps), ("walked", walk(out.class_maps, out.affinity, 2))):
        scores = normalise(resize_maps(maps, picture.height, picture.width))[0]
        rows.append([(_cut(picture.pixels, scores, at), f"{name}, above {at:.0%}") for at in (0.2, 0.4, 0.6)])
    return strip(rows)


def _cut(pixels: NDArray[np.uint8], scores: NDArray[np.float32], threshold: float) -> Image.Image:
    """The picture, dark where the map is below the threshold, with the boxes of the pieces."""
    found = boxes_in_map(scores, threshold, *scores.shape)
    dimmed = np.where((scores >= threshold)[..., None], pixels, pixels // 4).astype(np.uint8)
    return draw(dimmed, [Layer(f"{len(found)} box{'es' * (len(found) > 1)}", np.zeros_like(scores), 0.0, found)])


def background() -> Image.Image:
    """Page 4: what speaks for a class, once after learning the ground and once after learning the object."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["BOXLESS_CACHE"] = scratch
        for name, swapped in (("cats on grass", 0), ("both grounds", 6)):
            training, validation = read_split(write_folder(Path(scratch, name), swapped), "0.25")
            model = fit(training, validation, Path(scratch, f"{name}.onnx")).path
            localizer, random = Localizer(model, preset="fast"), np.random.default_rng(1)
            row = []
            for what in ("cat", "cup"):
                picture = scene(what, SWAPPED[what], random)
                found = localizer.locate(picture).predictions[0]
                shown = overlay(np.asarray(picture), found.score_map)
                row.append((picture, f"a {what} on {SWAPPED[what]}"))
                row.append((Image.fromarray(shown), f'"{found.label}", {found.probability:.0%}'))
            rows.append(row)
    return strip(rows, height=SIDE)


if __name__ == "__main__":
    os.chdir(ROOT)
    OUT.mkdir(parents=True, exist_ok=True)
    for make in (average, boxes, background):
        make().save(OUT / f"{make.__name__}.jpg", quality=88)
