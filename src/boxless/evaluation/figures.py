"""The table of an evaluation: each metric with its interval, oracle and deployable figures in separate columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.evaluation.bootstrap import Bootstrap, Interval, best_mean_of, mean_of
from boxless.evaluation.box_accuracy import IOUS
from boxless.evaluation.pixels import px_ap_draws
from boxless.evaluation.score import Score


@dataclass(frozen=True)
class Figure:
    """One line of the table, in percent unless its title says otherwise.

    Attributes:
        key: the name in JSON.
        title: the name in tables.
        means: the definition and its reference, in a sentence or two.
        oracle: with the threshold or component that the true boxes choose; None if the metric has no such form.
        deployable: what a user gets: one box, at the model's own threshold; None if the metric has no such form.
        centre: of a centred box whose size the true boxes choose; None if that is meaningless.
    """

    key: str
    title: str
    means: str
    oracle: Interval | None = None
    deployable: Interval | None = None
    centre: Interval | None = None


def figures(scores: Sequence[Score], draws: int = 1000) -> list[Figure]:
    """The table: localization if there are boxes, pixels if there are masks, classification if there are logits.

    Args:
        scores: at least one.
        draws: number of bootstrap draws.

    Returns:
        One line for each metric.

    Example:
        >>> from pathlib import Path
        >>> from boxless.evaluation import BoxedImage, MapPrediction, score
        >>> truth = BoxedImage(Path("cup.jpg"), 0, np.array([[3, 2, 7, 5]], np.float32), (10, 10))
        >>> figures([score(truth, MapPrediction(np.ones((10, 10), np.float32), box=(3, 2, 7, 5)))])[0].key
        'max_box_acc_v2'
    """
    table: list[Figure] = []
    boxed = [each for each in scores if each.boxed]
    if boxed:
        table += _boxes(boxed, draws)
    masked = [each for each in scores if each.pixels is not None]
    if masked:
        table.append(_pixels(masked, draws))
    ranked = [each for each in scores if each.prediction.rank is not None]
    if ranked:
        table += _classification(ranked, draws)
    return table


def _boxes(scores: Sequence[Score], draws: int) -> list[Figure]:
    drawn = Bootstrap(_images(scores), draws)
    curves = [each.overlaps for each in scores if each.overlaps is not None]
    any_box = np.stack([each.any_box for each in curves])
    largest = np.stack([each.largest_box for each in curves])
    inclusive = np.stack([each.any_box_inclusive for each in curves])
    centre = np.stack([each.centre for each in scores if each.centre is not None])
    one = np.array([each.box_iou for each in scores])
    user = any(each.prediction.box is not None for each in scores)
    ranks = np.array([-1 if each.prediction.rank is None else each.prediction.rank for each in scores])

    def best(overlaps: NDArray[Any], ious: Sequence[float]) -> Interval:
        return drawn.interval(best_mean_of(np.stack([100.0 * (overlaps >= enough) for enough in ious])))

    def mean(values: NDArray[Any]) -> Interval:
        return drawn.share(values) if values.dtype == bool else drawn.interval(mean_of(100.0 * values))

    def deployed(values: NDArray[Any]) -> Interval | None:
        return mean(values) if user else None

    table = [
        Figure(
            "max_box_acc_v2",
            "Boxes right, mean over IoU 0.3, 0.5, 0.7",
            "Oracle: MaxBoxAccV2 (Choe et al., CVPR 2020, arXiv 2007.04178): the best component, at the best threshold "
            "for each IoU. Deployable: the one box at the model's own threshold. Both for the true class (GT-known).",
            best(any_box, IOUS),
            deployed(np.mean([one >= enough for enough in IOUS], axis=0)),
            best(centre, IOUS),
        )
    ]
    for enough in IOUS:
        title = f"Boxes right at IoU {enough}{', GT-known' if enough == 0.5 else ''}"
        means = f"The share of images with a box that overlaps a true one by at least {enough}."
        found = best(any_box, [enough]), deployed(one >= enough), best(centre, [enough])
        table.append(Figure(f"boxes_{round(100 * enough)}", title, means, *found))
    table += [
        Figure(
            "max_box_acc",
            "MaxBoxAcc (largest component, IoU 0.5)",
            "Choe et al., CVPR 2020: the box of the largest component, at the best threshold.",
            oracle=best(largest, [0.5]),
            centre=best(centre, [0.5]),
        ),
        Figure(
            "max_box_acc_v2_inclusive",
            "MaxBoxAccV2 with the benchmark's inclusive pixels",
            "As the first line, with the IoU of github.com/clovaai/wsolevaluation, which adds one to every side.",
            oracle=best(inclusive, IOUS),
        ),
        Figure(
            "mean_iou",
            "Mean IoU",
            "The mean over images of the overlap with the nearest true box.",
            drawn.interval(best_mean_of(100.0 * any_box[None])),
            deployed(one),
            drawn.interval(best_mean_of(100.0 * centre[None])),
        ),
        Figure(
            "pointing_game",
            "Pointing game",
            "The maximum of the map lies in a true box (Zhang et al., ECCV 2016; no margin).",
            deployable=mean(np.array([each.pointed for each in scores])),
        ),
    ]
    if user and (ranks >= 0).all():
        for top in (1, 5):
            means = f"The true class is among the {top} most probable and its box is correct (ILSVRC)."
            right = mean((one >= 0.5) & (ranks < top))
            table.append(Figure(f"top{top}_localization", f"Top-{top} localization (IoU 0.5)", means, deployable=right))
    return table


def _pixels(scores: Sequence[Score], draws: int) -> Figure:
    histograms = [each.pixels for each in scores if each.pixels is not None]
    means = "The area under pixel precision over recall against masks (Choe et al., CVPR 2020); needs no threshold."
    drawn = Bootstrap(_images(scores), min(draws, 200))
    return Figure("px_ap", "PxAP", means, deployable=drawn.interval(lambda weights: px_ap_draws(histograms, weights)))


def _classification(scores: Sequence[Score], draws: int) -> list[Figure]:
    drawn = Bootstrap(_images(scores), draws)
    ranks = np.array([each.prediction.rank for each in scores])
    means = "The true class is among the {} most probable. Each true class of an image counts."
    return [
        Figure(f"top{top}", f"Classification, top-{top}", means.format(top), deployable=drawn.share(ranks < top))
        for top in (1, 5)
    ]


def _images(scores: Sequence[Score]) -> NDArray[np.int64]:
    """The number of the image of each score: (n,)."""
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(each.path, len(numbers)) for each in scores], np.int64)
