"""Network in Network on CIFAR-10 with four heads: what global average pooling does against overfitting."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boxless.evaluation.plot import COLOURS, Plot
from papers.cifar10 import load_cifar10
from papers.experiment import Experiment, Measured, Say
from papers.paper import NIN, NIN_TEST_ERROR
from papers.recipe import NARROW, ONE_CYCLE, PAPER, TINY, Recipe
from papers.text import differences, of_seeds, plus_minus, table

HEADS = {
    "gap": "global average pooling",
    "gmp": "global max pooling",
    "fc_dropout": "fully connected, dropout",
    "fc": "fully connected",
}
"""By name, what they are called in tables."""

_CHANCE = 90.0
"""Of ten classes, the error of guessing, in percent."""


@dataclass(frozen=True)
class Settings:
    """A row of settings.

    Attributes:
        recipe: how each network is trained.
        heads: of them, by name.
        seeds: how many networks for each head.
    """

    recipe: Recipe
    heads: tuple[str, ...]
    seeds: int


SCALES = {
    "check": Settings(TINY, tuple(HEADS), 1),
    "quick": Settings(NARROW, tuple(HEADS), 3),
    "medium": Settings(ONE_CYCLE, ("gap", "fc_dropout", "fc"), 1),
    "full": Settings(PAPER, tuple(HEADS), 3),
}


def measure(scale: str, data: Path | None, say: Say) -> Measured:
    """Trains a network for each head and seed."""
    from papers.train import Trainer, trained_on

    settings = SCALES[scale]
    trainer = Trainer(settings.recipe, load_cifar10(data), say)
    runs = trainer.runs(settings.heads, settings.seeds)
    return Measured(
        {
            "settings": asdict(settings),
            "data": trainer.data.source,
            "trained_on": trained_on(runs),
            "reused_seconds": round(trainer.reused, 1),
            "runs": [run.as_dict() for run in runs],
        }
    )


def words(result: dict[str, Any]) -> str:
    """The result as Markdown: the table, and what it says of the claim."""
    heads = result["settings"]["heads"]
    rows = []
    for head in heads:
        runs = of_head(result, head)
        published = NIN_TEST_ERROR.get(head)
        rows.append(
            [
                HEADS[head],
                plus_minus([run["test_error"] for run in runs]),
                plus_minus([run["train_error"] for run in runs]),
                plus_minus([run["test_error"] - run["train_error"] for run in runs]),
                f"{runs[0]['parameters']:,}",
                f"{published:.2f}" if published else "",
            ]
        )
    header = ["head", "test error %", "train error %", "gap between them", "parameters", "paper's test error %"]
    lines = [table(header, rows), ""]
    lines.append(f"{of_seeds(result['settings']['seeds'])}. Chance is {_CHANCE:.0f} %.")
    for other in ("fc_dropout", "fc", "gmp"):
        if other in heads:
            lines.append("")
            lines.append(_against(result, other))
    lost = sum(run["train_error"] > _CHANCE - 5 for run in result["runs"])
    if lost:
        lines += ["", f"**{lost} of the networks learned nothing: their train error is near chance.**"]
    return "\n".join(lines)


def plot(result: dict[str, Any]) -> str:
    """Test error and train error of each head, every seed a dot."""
    heads = result["settings"]["heads"]
    every = [run[which] for run in result["runs"] for which in ("test_error", "train_error")]
    top = 10 * np.ceil((max(every) + 3) / 10)
    drawn = Plot(
        "Error of each head",
        "head",
        "error, %",
        (-0.5, len(heads) - 0.5),
        (0.0, float(top)),
        [(i, HEADS[head]) for i, head in enumerate(heads)],
        5.0 if top <= 30 else 10.0,
        size=(640, 360),
    )
    for name, which, colour, aside in (
        ("test", "test_error", COLOURS[0], -0.3),
        ("train", "train_error", COLOURS[1], 0),
    ):
        for i, head in enumerate(heads):
            values = [run[which] for run in of_head(result, head)]
            mean = float(np.mean(values))
            drawn.bar(i + aside, i + aside + 0.3, mean, colour)
            drawn.note(i + aside + 0.15, max(values), f"{mean:.1f}")
            drawn.dots([i + aside + 0.15] * len(values), values, "#26262c")
        drawn.line(name, [], [], colour)
    if any(head in NIN_TEST_ERROR for head in heads):
        for i, head in enumerate(heads):
            if head in NIN_TEST_ERROR:
                drawn.line("", [i - 0.4, i + 0.4], [NIN_TEST_ERROR[head]] * 2, COLOURS[2], dashed=True)
        drawn.line("the paper's test error", [], [], COLOURS[2], dashed=True)
    return drawn.svg()


def of_head(result: dict[str, Any], head: str) -> list[dict[str, Any]]:
    """A result's runs with that head, by seed."""
    return [run for run in result["runs"] if run["head"] == head]


def _against(result: dict[str, Any], other: str) -> str:
    """What seeds say of average pooling against another head."""

    pairs = list(zip(of_head(result, "gap"), of_head(result, other), strict=True))

    def less(which: str) -> list[float]:
        return [theirs[which] - ours[which] for ours, theirs in pairs]

    overfit = [b - a for a, b in zip(less("train_error"), less("test_error"), strict=True)]
    return (
        f"- Against *{HEADS[other]}*, average pooling has {differences(less('test_error'), 'test error')} and "
        f"{differences(overfit, 'distance between train and test error')}."
    )


NIN_HEADS = Experiment(
    name="nin-heads",
    title="Network in Network with four heads",
    claim=(
        f"{NIN}, sections 3.2 and 4.6: global average pooling in place of a fully connected layer is a regulariser. It "
        "has no weights that could overfit; the same network with a fully connected head has a higher test error, and "
        "dropout wins back only a part."
    ),
    method=(
        "The same network, its ten last maps averaged (the paper's head), their maxima taken, or flattened into a "
        "dense layer with and without dropout; with batch normalisation, which the paper does not have; no "
        "augmentation, the same pictures for every head and seed."
    ),
    scales=SCALES,
    measure=measure,
    words=words,
    plot=plot,
)
