"""A model drafts annotations, a person corrects them, and what was corrected measures the model.

python examples/pre_annotation.py draft photos to-correct
python examples/pre_annotation.py judge to-correct corrected.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from boxless.annotation import AnnotationOptions, annotate, read_inputs
from boxless.datasets.formats import read_any
from boxless.evaluation.side_by_side import compare_models
from boxless.maps.boxes import iou


class Drawn(NamedTuple):
    """One box of a file of annotations: its class, and xyxy in pixels."""

    label: str
    xyxy: tuple[float, float, float, float]


def draft(images: Path, folder: Path, model: str, preset: str) -> None:
    """Writes COCO annotations, which CVAT, Label Studio and others read, and links the pictures beside them."""
    done = annotate(read_inputs(images), folder, AnnotationOptions("coco", model, preset))
    print(f"{done.main}: {done.boxes} boxes in {done.images} pictures, to be corrected")


def boxes_of(annotations: Path, images: Path) -> dict[str, list[Drawn]]:
    """The boxes of annotations in any format, by image."""
    return {
        image.path.name: [Drawn(each.label, each.box) for each in image.annotations if each.box]
        for image in read_any(annotations, images=images).images
    }


def changes(drafted: list[Drawn], corrected: list[Drawn], same: float) -> list[tuple[str, str]]:
    """What a person did with the boxes of one picture: a word and a class each.

    Boxes of a class are paired, those that overlap most first. A pair that overlaps by `same` (intersection over
    union) or more was kept, another was moved; what has no partner was removed or added.
    """
    said, rest, left = [], list(drafted), list(corrected)
    pairs = [(overlap(a, b), a, b) for a in drafted for b in corrected if a.label == b.label]
    for much, a, b in sorted(pairs, reverse=True):
        if much > 0 and a in rest and b in left:
            said.append(("kept" if much >= same else "moved", a.label))
            rest.remove(a)
            left.remove(b)
    return said + [("removed", each.label) for each in rest] + [("added", each.label) for each in left]


def overlap(one: Drawn, other: Drawn) -> float:
    """The intersection over union of two boxes."""
    return float(iou(np.array([one.xyxy], np.float32), np.array([other.xyxy], np.float32))[0, 0])


def judge(folder: Path, corrected: Path, model: str, preset: str, same: float) -> None:
    """Prints what was corrected, then how good the model is by it."""
    drafted, truth = (boxes_of(each, folder / "images") for each in (folder, corrected))
    done = [(name, *change) for name in truth for change in changes(drafted.get(name, []), truth[name], same)]
    for name, word, label in done:
        print(f"{word:9}{name}: {label}")
    words = [word for _, word, _ in done]
    counts = ", ".join(f"{words.count(word)} {word}" for word in ("kept", "moved", "removed", "added"))
    print(f"{len(words) - words.count('added')} drafted boxes: {counts}")
    measured = compare_models(corrected, [model], preset, images=folder / "images")
    for mode, (of_model,) in measured.modes.items():
        figure = of_model.interval("ap_50")
        print(f"AP50, classes {mode}: {figure.value:.1f} % ({figure.low:.1f} to {figure.high:.1f})")


def main() -> None:
    """Drafts, or judges by what became of the drafts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("draft", "judge"))
    parser.add_argument("from_", type=Path, metavar="FROM", help="pictures to draft for, or the folder of drafts")
    parser.add_argument("to", type=Path, metavar="TO", help="the folder to make, or the corrected annotations")
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--same", type=float, default=0.7, help="the overlap from which on a box counts as kept")
    options = parser.parse_args()
    if options.step == "draft":
        draft(options.from_, options.to, options.model, options.preset)
    else:
        judge(options.from_, options.to, options.model, options.preset, options.same)


if __name__ == "__main__":
    main()
