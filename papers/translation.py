"""How much a picture may move before a network loses sight of it: average pooling against fully connected heads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxless.evaluation.plot import COLOURS, Plot
from papers.cifar10 import SIDE, Pixels, load_cifar10
from papers.experiment import Experiment, Measured, Say
from papers.nin_heads import HEADS, of_head
from papers.paper import NIN
from papers.recipe import NARROW, ONE_CYCLE, PAPER, TINY, Recipe
from papers.text import differences, of_seeds, plus_minus, table


@dataclass(frozen=True)
class Settings:
    """A row of settings.

    Attributes:
        recipe: how each network is trained.
        heads: of them, by name.
        seeds: how many networks for each head.
        pictures: to test with, of the recipe's test pictures, as many of each class.
        shifts: by how many pixels they are moved.
    """

    recipe: Recipe
    heads: tuple[str, ...]
    seeds: int
    images: int
    shifts: tuple[int, ...]


_HEADS = ("gap", "fc_dropout", "fc")

SCALES = {
    "check": Settings(TINY, ("gap", "fc"), 1, 20, (0, 8)),
    "quick": Settings(NARROW, _HEADS, 3, 500, (0, 1, 2, 4, 6, 8)),
    "medium": Settings(ONE_CYCLE, _HEADS, 1, 2_000, tuple(range(9))),
    "full": Settings(PAPER, _HEADS, 3, 10_000, tuple(range(9))),
}


def shifted(pixels: Pixels, by: int, fill: Pixels) -> Iterator[Pixels]:
    """Pictures (n, h, w, 3) moved left, right, up and down by some pixels; what comes in is of the colour `fill` (3,).

    By nothing, the pictures as they are, once.
    """
    if by == 0:
        yield pixels
        return
    height, width = pixels.shape[1:3]
    padded = np.empty((len(pixels), height + 2 * by, width + 2 * by, 3), np.uint8)
    padded[:] = fill
    padded[:, by : by + height, by : by + width] = pixels
    for top, left in ((by, 0), (by, 2 * by), (0, by), (2 * by, by)):
        yield padded[:, top : top + height, left : left + width]


def measure(scale: str, data: Path | None, say: Say) -> Measured:
    """Trains the networks, or takes those of `nin-heads`, and shows them moved pictures."""
    from papers.train import Trainer, predicted, trained_on

    settings = SCALES[scale]
    trainer = Trainer(settings.recipe, load_cifar10(data), say)
    test = trainer.test.some(settings.images)
    # To the networks this is nearly zero, which is also what their convolutions pad with.
    fill = trainer.train.pixels.mean(axis=(0, 1, 2)).round().astype(np.uint8)
    runs, curves = trainer.runs(settings.heads, settings.seeds), []
    for run in runs:
        network = trainer.network(run)
        still = predicted(network, test.pixels).argmax(axis=1)
        right, same = [], []
        for by in settings.shifts:
            said = [predicted(network, moved).argmax(axis=1) for moved in shifted(test.pixels, by, fill)]
            right.append(round(100 * float(np.mean([each == test.labels for each in said])), 2))
            same.append(round(100 * float(np.mean([each == still for each in said])), 2))
        curves.append({"head": run.head, "seed": run.seed, "precision": run.precision, "right": right, "same": same})
        say(f"{run.head}, seed {run.seed}: right {right[0]:.1f} % in place, {right[-1]:.1f} % moved by {by} px")
    return Measured(
        {
            "settings": asdict(settings),
            "data": trainer.data.source,
            "trained_on": trained_on(runs),
            "reused_seconds": round(trainer.reused, 1),
            "side": SIDE,
            "runs": curves,
        }
    )


def words(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    settings = result["settings"]
    shifts, heads = settings["shifts"], settings["heads"]
    parts = []
    for which, title in (("right", "Right, %"), ("same", "The same answer as for the picture in place, %")):
        rows = [
            [HEADS[head], *(plus_minus(values, 1) for values in zip(*_curves(result, head, which), strict=True))]
            for head in heads
        ]
        parts.append(table([title, *(f"{by} px" for by in shifts)], rows))
    parts.append(
        f"{of_seeds(settings['seeds'])}, each the mean over four directions. Of a picture "
        f"of {result['side']} pixels, moving by {shifts[-1]} hides {shifts[-1] / result['side']:.0%}, so every "
        "curve must fall; what the heads make of it is the distance between curves."
    )
    ours = of_head(result, "gap")
    for head in heads:
        if head != "gap":
            theirs = of_head(result, head)
            pairs = list(zip(ours, theirs, strict=True))
            lost = [(b["right"][0] - b["right"][-1]) - (a["right"][0] - a["right"][-1]) for a, b in pairs]
            changed = [a["same"][-1] - b["same"][-1] for a, b in pairs]
            parts.append(
                f"- Moved by {shifts[-1]} pixels, average pooling loses {differences(lost, 'accuracy')} than "
                f"*{HEADS[head]}*, and has {differences(changed, 'changed answers')}."
            )
    return "\n\n".join(parts)


def _curves(result: dict[str, Any], head: str, which: str) -> list[list[float]]:
    """A curve over shifts for each seed."""
    return [run[which] for run in of_head(result, head)]


def plot(result: dict[str, Any]) -> str:
    """Accuracy over shift, a line a head, thin lines for the spread over seeds."""
    settings = result["settings"]
    shifts = settings["shifts"]
    every = [value for run in result["runs"] for value in run["right"]]
    low, high = 10 * np.floor((min(every) - 2) / 10), 10 * np.ceil((max(every) + 2) / 10)
    drawn = Plot(
        "Accuracy of moved pictures",
        "moved by, pixels",
        "right, %",
        (0.0, float(shifts[-1])),
        (float(max(low, 0)), float(min(high, 100))),
        [(by, str(by)) for by in shifts],
        5.0 if high - low <= 40 else 10.0,
        size=(640, 360),
    )
    for colour, head in zip(COLOURS, settings["heads"], strict=False):
        curves = np.array(_curves(result, head, "right"))
        for by, values in zip(shifts, curves.T, strict=True):
            drawn.span(by, float(values.min()), float(values.max()), colour)
            drawn.dots([by], [float(values.mean())], colour)
        drawn.line(HEADS[head], shifts, curves.mean(axis=0), colour)
    return drawn.svg()


TRANSLATION = Experiment(
    name="translation",
    title="Moving the picture",
    claim=(
        f"{NIN}, section 3.2: global average pooling sums out the spatial information, so it is more robust to "
        "translations of the input than a fully connected layer, which has a weight for every place."
    ),
    method=(
        "The networks of `nin-heads`, trained without augmentation, are shown test pictures moved left, right, up and "
        "down. What moves out of the frame is lost; what comes in has the mean colour of the training pictures, which "
        "to the network is close to zero, the value that its convolutions pad with. The paper has no figure of this."
    ),
    scales=SCALES,
    measure=measure,
    words=words,
    plot=plot,
)
