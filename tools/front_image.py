"""Draws the README's front image, docs/images/front.jpg: python -m tools.front_image

Four panels: one object; a scene without any class that the model knows; and a scene of two objects, each asked for by
name. That scene is put together from the examples' photographs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from examples.backgrounds import FOLDER, GROUNDS, cut_out
from PIL import Image

import boxless
from boxless.imaging.draw import Layer, draw

OUT = Path(__file__).parent.parent / "docs/images/front.jpg"
WIDTH, HEIGHT, GAP = 600, 400, 12
MODEL, PRESET = "efficientnet-lite0", "balanced"


def ground(name: str) -> Image.Image:
    """A piece of grass or gravel."""
    grey = Image.open(FOLDER / f"grounds/{name}.jpg").convert("L")
    scale = max(WIDTH / grey.width, HEIGHT / grey.height)
    grey = grey.resize((round(grey.width * scale), round(grey.height * scale))).crop((0, 0, WIDTH, HEIGHT))
    coloured = np.asarray(grey, np.float64)[..., None] * GROUNDS[name]
    return Image.fromarray(coloured.clip(0, 255).astype(np.uint8))


def two_objects() -> Image.Image:
    """A cat and a cup on gravel."""
    scene = ground("gravel")
    for what, width, place in (("cat", 215, (40, 100)), ("cup", 225, (330, 110))):
        thing = cut_out(what, width)
        scene.paste(thing, place, thing)
    return scene


def asked_for(localizer: boxless.Localizer, scene: Image.Image, label: str) -> Image.Image:
    """A scene with the heatmap and box of a class that was asked for."""
    (prediction,) = localizer.locate(scene, classes=[label]).predictions
    layer = Layer(f"where is the {label}?", prediction.score_map, 1.0, prediction.boxes)
    return draw(np.asarray(scene), [layer])


def main() -> None:
    """Draws it."""
    localizer = boxless.Localizer(MODEL, PRESET)
    scene = two_objects()
    panels = [
        localizer.locate(FOLDER / "pictures/coffee.jpg").draw(),
        localizer.locate(ground("grass")).draw(),
        asked_for(localizer, scene, "Egyptian cat"),
        asked_for(localizer, scene, "espresso"),
    ]
    sheet = Image.new("RGB", (2 * WIDTH + GAP, 2 * HEIGHT + GAP), "white")
    for i, panel in enumerate(panels):
        sheet.paste(panel, (i % 2 * (WIDTH + GAP), i // 2 * (HEIGHT + GAP)))
    sheet.save(OUT, quality=88)


if __name__ == "__main__":
    main()
