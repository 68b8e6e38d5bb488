"""Average against maximum pooling: which learns better where things are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.datasets.boxed import BoxedImage
from boxless.evaluation.bootstrap import Bootstrap, best_mean_of
from boxless.evaluation.box_accuracy import IOUS, THRESHOLDS, Overlaps, centre_overlaps, max_box_acc_v2, overlaps
from boxless.evaluation.plot import COLOURS, Plot
from boxless.evaluation.score import pointing_game
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps
from papers.boxed import load_boxed
from papers.cut_settings import Settings
from papers.experiment import Experiment, Measured, Say
from papers.paper import CAM, CAM_LOCALIZATION_ERROR
from papers.text import differences, of_seeds, plus_minus, table

Floats = NDArray[np.float32]

POOLINGS = {"gap": "average", "gmp": "maximum"}
"""By name of the head, what they are called in tables."""

_CUT = 0.2
_PAPER_CUT = int(np.argmin(np.abs(THRESHOLDS - _CUT)))
"""The CAM paper's box is that of the largest component above 20 % of the maximum."""


SCALES = {
    "check": Settings("top", 64, 8, 4, 2, 1, 1, 16, 1e-3),
    "quick": Settings("top", 224, 64, 150, 50, 3, 8, 32, 1e-3),
    "medium": Settings("top", 224, 1024, 300, 50, 3, 8, 32, 1e-3),
    "full": Settings("everything", 224, 1024, 300, 50, 5, 30, 32, 3e-4),
}

_FIGURES = {
    "max_box_acc_v2": "MaxBoxAccV2 %",
    "known_localization_error": "localization error %, class known",
    "top1_localization_error": "localization error %, top-1",
    "top1_error": "classification error %",
    "pointing": "pointing game %",
    "area": f"map above {_CUT:.0%}, % of the picture",
}


def measure(scale: str, data: Path | None, say: Say) -> Measured:
    """Trains a network for each pooling and seed, and measures its maps against the boxes."""
    from papers.cut_network import Cut

    settings = SCALES[scale]
    boxed = load_boxed(data, settings.train, settings.val)
    say(f"{len(boxed.train)} pictures to learn from, {len(boxed.val)} to measure on")
    cut = Cut(boxed, settings)
    runs: list[dict[str, Any]] = []
    right: dict[str, list[NDArray[Any]]] = {pooling: [] for pooling in POOLINGS}
    for seed in range(settings.seeds):
        for pooling in POOLINGS:
            looked = cut.look(pooling, seed)
            figures, over = _figures(boxed.val, looked.logits, looked.maps)
            right[pooling].append(np.stack([each.any_box for each in over]))
            runs.append({"pooling": pooling, "seed": seed, **figures, "seconds": looked.seconds})
            say(
                f"{len(runs)}/{settings.seeds * len(POOLINGS)}  {POOLINGS[pooling]}, seed {seed}: MaxBoxAccV2 "
                f"{figures['max_box_acc_v2']:.1f} %, classification error {figures['top1_error']:.1f} %, "
                f"{looked.seconds:.0f} s"
            )
    centre = max_box_acc_v2([centre_overlaps(each.boxes, each.size) for each in boxed.val])
    return Measured(
        {
            "settings": asdict(settings),
            "data": f"{boxed.name}: {len(boxed.classes)} classes, {len(boxed.train):,} pictures to learn from, "
            f"{len(boxed.val):,} with boxes",
            "map": cut.cells,
            "centre": round(centre, 2),
            "difference": _difference(right),
            "runs": runs,
        }
    )


def _figures(
    val: Sequence[BoxedImage], logits: Floats, maps: Sequence[Floats]
) -> tuple[dict[str, float], list[Overlaps]]:
    """Percentages, and the overlaps that they come from; each map is of its picture's true class."""
    over, pointed, covered = [], [], []
    for image, raw in zip(val, maps, strict=True):
        score_map = normalise(resize_maps(raw[None], *image.size))[0]
        over.append(overlaps(score_map, image.boxes, image.size))
        pointed.append(pointing_game(score_map, image.boxes, image.size))
        covered.append(float((score_map >= _CUT).mean()))
    right = logits.argmax(axis=1) == np.array([each.class_index for each in val])
    boxed = np.array([each.largest_box[_PAPER_CUT] for each in over]) >= 0.5
    shares = {
        "max_box_acc_v2": max_box_acc_v2(over) / 100,
        "known_localization_error": 1 - boxed.mean(),
        "top1_localization_error": 1 - (right & boxed).mean(),
        "top1_error": 1 - right.mean(),
        "pointing": np.mean(pointed),
        "area": np.mean(covered),
    }
    return {name: round(100 * float(share), 2) for name, share in shares.items()}, over


def _difference(right: dict[str, list[NDArray[Any]]]) -> dict[str, float]:
    """MaxBoxAccV2 of average less that of maximum pooling, mean over seeds, with its 95 % interval over pictures."""
    every = {
        pooling: [best_mean_of(np.stack([100.0 * (each >= enough) for enough in IOUS])) for each in some]
        for pooling, some in right.items()
    }

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        ours, theirs = (np.mean([each(weights) for each in every[pooling]], axis=0) for pooling in POOLINGS)
        return np.asarray(ours - theirs)

    return Bootstrap(np.arange(len(right["gap"][0]))).interval(statistic).as_dict()


def words(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    header = ["", *(f"{name} pooling" for name in POOLINGS.values())]
    rows = [
        [title, *(plus_minus([run[key] for run in _of(result, pooling)]) for pooling in POOLINGS)]
        for key, title in _FIGURES.items()
    ]
    published = ["the paper's localization error %, top-1 (GoogLeNet, ILSVRC)"]
    rows.append([*published, *(f"{CAM_LOCALIZATION_ERROR[pooling]:.2f}" for pooling in POOLINGS)])
    less = [
        theirs["max_box_acc_v2"] - ours["max_box_acc_v2"]
        for ours, theirs in zip(_of(result, "gap"), _of(result, "gmp"), strict=True)
    ]
    errors = [
        theirs["top1_localization_error"] - ours["top1_localization_error"]
        for ours, theirs in zip(_of(result, "gap"), _of(result, "gmp"), strict=True)
    ]
    between = result["difference"]
    firm = (
        "more than the choice of pictures explains"
        if between["low"] * between["high"] > 0
        else ("which the choice of pictures could explain")
    )
    return "\n\n".join(
        [
            table(header, rows),
            f"{of_seeds(result['settings']['seeds'])}; maps of {result['map']} cells. "
            f"*MaxBoxAccV2* as in [docs/evaluate.md](../evaluate.md), with the true class given; a box in the middle, "
            f"its size picked by the true boxes, reaches {result['centre']:.1f}. *Localization error* is the "
            f"paper's: the box around the largest component above {_CUT:.0%} of the maximum has IoU below 0.5 with "
            "every true one; for top-1 the class has to be right as well.",
            f"- MaxBoxAccV2 of average less that of maximum pooling: {between['value']:+.1f} points (95 % interval "
            f"over pictures {between['low']:+.1f} to {between['high']:+.1f}), {firm}.",
            f"- Average pooling has {differences(errors, 'top-1 localization error')} and "
            f"{differences(less, 'MaxBoxAccV2')}.",
        ]
    )


def plot(result: dict[str, Any]) -> str:
    """Three of the figures for both poolings, every seed a dot."""
    keys = ("max_box_acc_v2", "top1_localization_error", "area")
    drawn = Plot(
        "Average against maximum pooling",
        "",
        "%",
        (-0.5, len(keys) - 0.5),
        (0.0, 100.0),
        [(i, _FIGURES[key]) for i, key in enumerate(keys)],
        20.0,
        size=(640, 340),
    )
    for colour, aside, (pooling, name) in zip(COLOURS, (-0.3, 0.0), POOLINGS.items(), strict=False):
        for i, key in enumerate(keys):
            values = [run[key] for run in _of(result, pooling)]
            drawn.bar(i + aside, i + aside + 0.3, float(np.mean(values)), colour)
            drawn.note(i + aside + 0.15, max(values), f"{np.mean(values):.1f}")
            drawn.dots([i + aside + 0.15] * len(values), values, "#26262c")
        drawn.line(f"{name} pooling", [], [], colour)
    return drawn.svg()


def _of(result: dict[str, Any], pooling: str) -> list[dict[str, Any]]:
    return [run for run in result["runs"] if run["pooling"] == pooling]


GAP_GMP = Experiment(
    name="gap-gmp",
    title="Average against maximum pooling",
    claim=(
        f"{CAM}, sections 2 and 3: averaging makes a network find all parts of an object, since each raises the "
        "score; the maximum is content with the one that tells most. Both classify alike; average localizes better."
    ),
    method=(
        "The paper's recipe on the embedded backbone: EfficientNet-Lite0 is cut after its last layer of stride 16, and "
        "a 3x3 convolution, the pooling and a linear layer are added. They learn from class labels, and the maps of "
        "the true class are measured against boxes that the training never saw. The backbone below was once trained "
        "under average pooling, on other pictures, which is the same for both."
    ),
    scales=SCALES,
    measure=measure,
    words=words,
    plot=plot,
)
