"""Two models on the same pictures: where they say something else, or point elsewhere.

python examples/compare_models.py photos efficientnet-lite0 efficientnet-lite0-int8 --save differences
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import boxless
from boxless.imaging.draw import contact_sheet
from boxless.imaging.read import images_in
from boxless.maps.boxes import iou


def overlap(one: boxless.Prediction, other: boxless.Prediction) -> float:
    """The intersection over union of two predictions' best boxes; 1 where neither has one, 0 where one has none."""
    if one.box is None or other.box is None:
        return float(one.box is other.box)
    return float(iou(np.array([one.box.xyxy], np.float32), np.array([other.box.xyxy], np.float32))[0, 0])


def main() -> None:
    """Prints a line a picture, then how often the two agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("models", nargs=2, metavar="MODEL")
    parser.add_argument("--least", type=float, default=0.5, help="the overlap from which on boxes count as the same")
    parser.add_argument("--save", type=Path, metavar="DIR", help="draws both, side by side, where they differ")
    options = parser.parse_args()
    images = images_in(options.folder)
    one, other = (boxless.Localizer(model).locate_many(images) for model in options.models)
    labels, overlaps = [], []
    for a, b in zip(one, other, strict=True):
        if a.error:
            print(f"{a.image}: {a.error}")
            continue
        first, second = a.predictions[0], b.predictions[0]
        labels.append(first.label == second.label)
        overlaps.append(overlap(first, second))
        differ = not labels[-1] or overlaps[-1] < options.least
        print(f"{'differ' if differ else 'agree':8}{overlaps[-1]:5.2f}  {a.image}: {first.label} | {second.label}")
        if differ and options.save:
            options.save.mkdir(parents=True, exist_ok=True)
            sheet = contact_sheet([a.draw(), b.draw()], options.models)
            sheet.save(options.save / f"{Path(a.image).stem}.jpg")
    print(f"the same class: {np.mean(labels):.1%} of {len(labels)} pictures; boxes overlap by {np.mean(overlaps):.2f}")


if __name__ == "__main__":
    main()
