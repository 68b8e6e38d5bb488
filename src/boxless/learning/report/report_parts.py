"""The sections of the training report, as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import isfinite
from pathlib import Path

import numpy as np
from PIL import Image

from boxless.datasets.labelled import LabelledImages
from boxless.errors import ImageError
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.calibrate import Calibration
from boxless.imaging.read import read_image
from boxless.learning.report.held_out import HeldOut
from boxless.learning.report.surroundings import OcclusionResult
from boxless.localizer import Localizer
from boxless.system.html_page import on_square, tile, tiles, wide

MOST_CLASSES = 30
"""With more classes the confusion matrix is unreadable, and is left out."""

A_CLASS = 6
"""Heatmaps of each class at most: a row of the page."""

MOST_TILES = 120
"""Heatmaps on a page at most, so that a report of a thousand classes takes seconds and not minutes."""

_TILE = 220


def class_table(training: LabelledImages, held_out: HeldOut) -> str:
    """The number of images, recall and precision of each class."""
    rows = (
        f"<tr><td>{escape(name)}<td class=n>{training.counts[k]}<td class=n>{held_out.images.counts[k]}"
        f"<td class=n>{_percent(held_out.recalls[k])}<td class=n>{_percent(held_out.precisions[k])}</tr>"
        for k, name in enumerate(training.classes)
    )
    return "<h2>Class by class</h2>" + wide(
        "<table><tr><th>class<th class=n>training images<th class=n>held out"
        f"<th class=n>recall, %<th class=n>precision, %</tr>{''.join(rows)}</table>"
    )


_BLUE, _RED = "0,114,178", "213,94,0"


def confusion_matrix(held_out: HeldOut) -> str:
    """The predictions for the images of each class; empty with more than MOST_CLASSES."""
    classes = held_out.images.classes
    if len(classes) > MOST_CLASSES:
        return ""
    shares = held_out.confusion / np.maximum(held_out.images.counts, 1)[:, None]
    head = "".join(f"<th class=n><span class=up>{escape(name)}</span>" for name in classes)
    rows = "".join(
        f"<tr><th>{escape(name)}"
        + "".join(
            f'<td class=n style="background:rgba({_BLUE if true == predicted else _RED},{0.6 * share:.2f})">'
            f"{held_out.confusion[true, predicted] or ''}"
            for predicted, share in enumerate(shares[true])
        )
        + "</tr>"
        for true, name in enumerate(classes)
    )
    return (
        "<h2>Confusion matrix</h2><p>Rows: the true class. Columns: the predicted class.</p>"
        f"{wide(f'<table><tr><th>{head}</tr>{rows}</table>')}"
    )


def suspect_tiles(suspects: Sequence[tuple[str, list[str], dict[str, float]]]) -> list[str]:
    """Images whose labels are likely wrong: for each its path, its labels and the predicted probabilities."""
    if not suspects:
        return []
    shown = []
    for path, labels, predicted in suspects:
        named = " and ".join(f"{name} {probability:.0%}" for name, probability in predicted.items())
        words = f"labelled {' and '.join(labels) or 'nothing'}, model: {named or 'nothing'} ({path})"
        shown.append(plain_tile(Path(path), words))
    return [
        "<h2>Labels that are likely wrong</h2><p>Images that a model not trained on them misclassifies, by falling "
        "loss. Some are hard images with correct labels.</p>",
        tiles(shown),
    ]


def box_table(thresholds: Sequence[Calibration]) -> str:
    """Localization accuracy of each preset, before and after its threshold was calibrated on boxed images."""
    rows = (
        f"<tr><td>{escape(each.preset)}<td class=n>{old}<td class=n>{_interval(each.before)}"
        f"<td class=n>{new}<td class=n>{_interval(each.after)}<td class=n>{_interval(each.gain)}</tr>"
        for each in thresholds
        for old, new in [("one a class",) * 2 if each.own else (f"{each.old:g}", f"{each.new:g}")]
    )
    return (
        "<h2>How well its boxes fit</h2><p>Localization accuracy on the boxed images, given the class: the share "
        "whose best box is correct, in percent, mean over IoU 0.3, 0.5 and 0.7. The new threshold was chosen on the "
        "same images; the gain is measured on images left out of the choice, and without one the old threshold "
        "stays.</p>"
        + wide(
            "<table><tr><th>preset<th class=n>old threshold<th class=n>right<th class=n>new threshold<th class=n>right"
            f"<th class=n>gain</tr>{''.join(rows)}</table>"
        )
    )


def occlusion_table(results: Sequence[OcclusionResult], classes: Sequence[str]) -> str:
    """How much of each class's score remains without the located region, and with that region alone."""
    rows = (
        f"<tr><td>{escape(classes[each.class_index])}<td class=n>{each.images}<td class=n>{_percent(each.region)}"
        f"<td class=n>{'<b>' if each.suspicious else ''}{_percent(each.without)}<td class=n>{_percent(each.control)}"
        f"<td class=n>{_percent(each.only)}</tr>"
        for each in results
    )
    return (
        "<h2>Whether the surroundings give it away</h2><p>The located region is removed from correctly classified "
        "images, and the hole filled with its blurred surroundings. The share of the score that remains shows how "
        "much the model relies on anything else: the surroundings, or parts of the object that were not located. "
        "The control fills an equal area where the class map is lowest, to show the effect of filling itself. The "
        "score is the logit of the class minus that of the best other class, and minus the same for images without "
        "the class: a grey image, or images of other classes without the region located there.</p>"
        + wide(
            "<table><tr><th>class<th class=n>images<th class=n>located region, % of the image<th class=n>score "
            f"without it, %<th class=n>control, %<th class=n>score of it alone, %</tr>{''.join(rows)}</table>"
        )
    )


def drawn_of(held_out: HeldOut) -> list[tuple[int, list[int]]]:
    """The images whose heatmaps are drawn: (class, image indices), at most MOST_TILES images in all.

    If there are too many classes to give each a row, the ones with the lowest recall are drawn, in class order.
    """
    images = held_out.images
    shown = [k for k in np.flatnonzero(images.counts > 0).tolist() if k not in images.background]
    each = max(1, min(A_CLASS, MOST_TILES // max(1, len(shown))))
    worst = sorted(shown, key=lambda k: float(held_out.recalls[k]))[: MOST_TILES // each]
    random = np.random.default_rng(0)
    return [(k, random.permutation(np.flatnonzero(images.targets[:, k] > 0))[:each].tolist()) for k in sorted(worst)]


def heat_map_tiles(localizer: Localizer, held_out: HeldOut, done: Callable[[int], object]) -> list[str]:
    """For each class, a random sample of its images with its heatmap; see `drawn_of`."""
    chosen = drawn_of(held_out)
    images = held_out.images
    absent = int(np.count_nonzero(np.delete(images.counts, images.background))) - len(chosen)
    some = f" {absent} more classes, with higher recall, are not shown." if absent else ""
    parts = [
        "<h2>Heatmaps</h2><p>Held-out images of each class with the class's own heatmap and box. Heat on the "
        "object: it has learned the object. Heat beside it, the same way in image after image: it has learned "
        f"the surroundings, and needs images with the object elsewhere, or of the surroundings without it.{some}</p>"
    ]
    drawn = 0
    for k, indices in chosen:
        paths = [images.paths[i] for i in indices]
        shown = []
        for found in localizer.locate_many(paths, classes=[k]):
            path = Path(found.image)
            image = None if found.error else on_square(found.draw(), _TILE)
            shown.append(tile(image, str(path) if found.error is None else f"{path}: {found.error}"))
            drawn += 1
            done(drawn)
        parts += [f"<h3>{escape(images.classes[k])}</h3>", tiles(shown)]
    return parts


def plain_tile(path: Path, caption: str) -> str:
    """An image without a heatmap."""
    try:
        return tile(on_square(Image.fromarray(read_image(path, enough=_TILE).pixels), _TILE), caption)
    except ImageError as error:
        return tile(None, f"{caption} ({error})")


def _interval(figure: Interval) -> str:
    return f"{figure.value:.1f} <span class=i>{figure.low:.1f} to {figure.high:.1f}</span>"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if isfinite(share) else "-"
