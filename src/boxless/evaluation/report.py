"""An evaluation as one HTML page: table, curves, and images with true and predicted boxes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from math import isfinite
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from boxless.errors import ImageError
from boxless.evaluation.bootstrap import Interval
from boxless.evaluation.box_accuracy import IOUS, THRESHOLDS
from boxless.evaluation.curves import by_size, calibration_error, detections, over_thresholds, reliability
from boxless.evaluation.evaluation import Evaluation
from boxless.evaluation.plot import COLOURS, Plot
from boxless.evaluation.score import Score
from boxless.imaging.read import read_image
from boxless.models.card import Card
from boxless.system.html_page import PAGE, listed, on_square, tile, tiles, wide, write_page

_TILE = 240
_SHOWN = 12
_TRUE, _FOUND = (0, 158, 115), (230, 97, 0)


def write_report(evaluation: Evaluation, card: Card, folder: Path) -> Path:
    """Writes a self-contained `index.html` into a folder, whole or not at all; the card has the names of classes."""
    page = folder / PAGE
    write_page(page, f"{evaluation.subject} on {evaluation.dataset.name}", _parts(evaluation, card))
    return page


def _parts(evaluation: Evaluation, card: Card) -> list[str]:
    counts, notes = evaluation.counts, list(evaluation.dataset.notes)
    return [
        f"<p>{counts['images']} images, {counts['boxes']} true boxes. Threshold of the deployable box: "
        f"{escape(evaluation.threshold)}.</p>",
        "<h2>Figures</h2><p>In percent, with 95 % bootstrap intervals over images. <b>Oracle</b>: the true boxes "
        "choose the threshold or component. <b>Deployable</b>: what a user gets. <b>Centre box</b>: a centred box, "
        "whose size the true boxes choose.</p>",
        _table(evaluation),
        f"<h2>Problems with the data</h2>{listed(notes)}" if notes else "",
        f'<h2>Curves</h2><div class="plots">{"".join(_plots(evaluation.scores))}</div>',
        *_galleries(evaluation.scores, card),
    ]


def _table(evaluation: Evaluation) -> str:
    rows = [
        "<table><tr><th>measure<th class=n>oracle<th class=n>deployable<th class=n>centre box<th>what it means</tr>",
        *(
            f"<tr><td>{escape(each.title)}{''.join(map(_cell, (each.oracle, each.deployable, each.centre)))}"
            f"<td class=m>{escape(each.means)}</tr>"
            for each in evaluation.figures
        ),
        "</table>",
    ]
    return wide("".join(rows))


def _cell(interval: Interval | None) -> str:
    if interval is None:
        return "<td class=n>"
    value, low, high = (_number(each) for each in (interval.value, interval.low, interval.high))
    return f"<td class=n>{value} <span class=i>{low} to {high}</span>"


def _number(value: float) -> str:
    return f"{value:.1f}" if value == 0 or abs(value) >= 0.05 else f"{value:.0e}"


def _plots(scores: Sequence[Score]) -> list[str]:
    found = []
    tenths = [(i / 10, f"{i / 10:g}") for i in range(0, 11, 2)]
    hundred = [(float(i), str(i)) for i in range(0, 101, 20)]
    curves = over_thresholds(scores)
    if curves:
        plot = Plot("Boxes correct by threshold (dashed: any component, oracle)",
                    "threshold, a fraction of the map's maximum", "% of images",
                    (0, 1), (0, 100), tenths, 20)  # fmt: skip
        for colour, enough in zip(COLOURS, IOUS, strict=False):
            plot.line("", THRESHOLDS, curves[f"any component, IoU {enough}"], colour, True)
            plot.line(f"IoU {enough}", THRESHOLDS, curves[f"one box, IoU {enough}"], colour)
        found.append(plot.svg())
    sizes = [each for each in by_size(scores) if each.count]
    if sizes:
        ticks = [(border, f"{border:.0%}") for border in (0, 0.1, 0.25, 0.5, 0.75, 1.0)]
        plot = Plot("Deployable box correct at IoU 0.5, by object size", "largest true box, share of the image",
                    "% of images", (0, 1), (0, 105), ticks, 20)  # fmt: skip
        for each in sizes:
            plot.bar(each.low, each.high, each.share, COLOURS[0], f"{each.share:.0f} % of {each.count}")
        found.append(plot.svg())
    precision, recall = detections(scores)
    if len(precision):
        plot = Plot("Precision over recall, class and box correct (IoU 0.5)", "recall, %", "precision, %",
                    (0, 100), (0, 100), hundred, 20)  # fmt: skip
        plot.line("", recall, precision, COLOURS[0])
        found.append(plot.svg())
    bins = [each for each in reliability(scores) if each.count]
    if bins:
        error = calibration_error(scores)
        plot = Plot(f"Reliability of the class (calibration error {error:.1f} %)", "probability",
                    "% correct", (0, 1), (0, 105), tenths, 20)  # fmt: skip
        for each in bins:
            plot.bar(each.low, each.high, each.share, COLOURS[0], str(each.count))
        plot.line("perfect calibration", [0, 1], [0, 100], COLOURS[1], dashed=True)
        found.append(plot.svg())
    return found


def _galleries(scores: Sequence[Score], card: Card) -> list[str]:
    boxed = sorted((each for each in scores if each.boxed and isfinite(each.box_iou)), key=lambda each: -each.box_iou)
    if not any(each.prediction.box for each in boxed):
        return []
    chosen = np.random.default_rng(0).permutation(len(boxed))[:_SHOWN]
    legend = '<p><span class="true">Green</span>: true boxes. <span class="found">Orange</span>: the predicted box.</p>'
    found = [legend]
    for title, some in (
        ("Random images", [boxed[i] for i in chosen]),
        ("The worst", boxed[::-1][:_SHOWN]),
        ("The best", boxed[:_SHOWN]),
    ):
        found.append(f"<h2>{title}</h2>{tiles(_tile(each, card) for each in some)}")
    return found


def _tile(score: Score, card: Card) -> str:
    name = card.labels[score.class_index]
    if score.prediction.top_class is not None and score.prediction.top_class != score.class_index:
        name += f" (taken for {card.labels[score.prediction.top_class]})"
    caption = f"{score.path.name}: {name}, IoU {score.box_iou:.2f}"
    try:
        return tile(_drawn(score), caption)
    except ImageError as error:
        return tile(None, f"{caption} ({error})")


def _drawn(score: Score) -> Image.Image:
    """The image on a square, with its true boxes and the predicted one."""
    image = Image.fromarray(read_image(score.path, max_pixels=sys.maxsize).pixels)
    scale = _TILE / max(image.size)
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    right, down = image.width / score.size[1], image.height / score.size[0]
    pen = ImageDraw.Draw(image)
    boxes = [(tuple(edges), _TRUE) for edges in score.truth.tolist()]
    if score.prediction.box is not None:
        boxes.append((score.prediction.box, _FOUND))
    for edges, colour in boxes:
        x0, y0 = edges[0] * right, edges[1] * down
        x1, y1 = max(edges[2] * right - 1, x0), max(edges[3] * down - 1, y0)
        pen.rectangle((x0, y0, x1, y1), outline=(18, 18, 22), width=4)
        if min(x1 - x0, y1 - y0) > 2:
            pen.rectangle((x0 + 1, y0 + 1, x1 - 1, y1 - 1), outline=colour, width=2)
    return on_square(image, _TILE)
