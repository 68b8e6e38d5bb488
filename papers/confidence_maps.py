"""What the ten maps of a Network in Network look like, for pictures of each class."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxless.evaluation.plot import COLOURS, Plot
from papers.cifar10 import CLASSES, load_cifar10
from papers.experiment import Experiment, Measured, Say
from papers.map_grid import map_grid
from papers.paper import NIN
from papers.recipe import NARROW, ONE_CYCLE, PAPER, TINY, Recipe
from papers.text import table

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Settings:
    """A row of settings.

    Attributes:
        recipe: how the network is trained; its head is gap.
        seed: of it.
    """

    recipe: Recipe
    seed: int = 0


SCALES = {
    "check": Settings(TINY),
    "quick": Settings(NARROW),
    "medium": Settings(ONE_CYCLE),
    "full": Settings(PAPER),
}


def measure(scale: str, data: Path | None, say: Say) -> Measured:
    """Trains the network, or takes that of `nin-heads`, and looks at its maps of all test pictures."""
    from papers.train import Trainer, trained_on

    settings = SCALES[scale]
    trainer = Trainer(settings.recipe, load_cifar10(data), say)
    run = trainer.run("gap", settings.seed)
    test = trainer.test
    maps = trainer.class_maps(trainer.network(run), test.pixels).transpose(0, 3, 1, 2)
    means = maps.mean(axis=(2, 3))
    said = means.argmax(axis=1)
    peaks = maps.max(axis=(2, 3)).argmax(axis=1)
    classes, mean_images, mean_maps, examples = [], [], [], []
    for k, name in enumerate(CLASSES):
        of_class = np.flatnonzero(test.labels == k)
        mean_images.append(test.pixels[of_class].mean(axis=0).round().astype(np.uint8))
        mean_maps.append(maps[of_class].mean(axis=0))
        right = of_class[said[of_class] == k]
        # The first that is named rightly, so nobody picked it; the first at all where none is.
        examples.append(int((right if len(right) else of_class)[0]))
        others = np.sort(means[of_class], axis=1)
        runner_up = np.where(said[of_class] == k, others[:, -2], others[:, -1])
        classes.append(
            {
                "name": name,
                "pictures": len(of_class),
                "named": round(100 * float((said[of_class] == k).mean()), 1),
                "peak": round(100 * float((peaks[of_class] == k).mean()), 1),
                "lead": round(float((means[of_class, k] - runner_up).mean()), 2),
                "means": [round(float(each), 3) for each in means[of_class].mean(axis=0)],
            }
        )
    images = {
        "mean": _png(map_grid(mean_images, mean_maps, CLASSES)),
        "pictures": _png(map_grid([test.pixels[i] for i in examples], [maps[i] for i in examples], CLASSES)),
    }
    result = {
        "settings": asdict(settings),
        "data": trainer.data.source,
        "trained_on": trained_on([run]),
        "reused_seconds": round(trainer.reused, 1),
        "test_error": run.test_error,
        "test": len(test),
        "runs": [{"head": run.head, "seed": run.seed, "precision": run.precision}],
        "classes": classes,
    }
    return Measured(result, images)


def words(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    rows = [
        [each["name"], f"{each['named']:.1f}", f"{each['peak']:.1f}", f"{each['lead']:+.2f}"]
        for each in result["classes"]
    ]
    named = np.mean([each["named"] for each in result["classes"]])
    peak = np.mean([each["peak"] for each in result["classes"]])
    return "\n\n".join(
        [
            "![The mean class maps of each class](" + result["name"] + "-mean.png)",
            f"Each row is a class: the mean of its test pictures, and beside it the mean of each of the ten class maps "
            f"over the same pictures ({result['test']:,} in all), on one scale a row. Were the network never wrong, "
            "only the framed diagonal would be lit. The same figure with single pictures, as the paper has it, is "
            f"written to `{result['name']}-pictures.png`; it is not kept in the repository, since CIFAR-10's pictures "
            "are not ours.",
            table(
                ["class", "its map has the highest mean, %", "its map has the highest peak, %", "lead, logits"], rows
            ),
            f"*The highest mean* is the network's answer, for averaging the maps is all that its head does: right for "
            f"{named:.1f} % of the pictures. Its map also has the highest peak for {peak:.1f} %. *Lead*: how far the "
            "mean of the right map is above the best of the others.",
        ]
    )


def plot(result: dict[str, Any]) -> str:
    """The mean of the right map beside that of the best other, by class."""
    classes = result["classes"]
    right = [each["means"][k] for k, each in enumerate(classes)]
    other = [max(value for j, value in enumerate(each["means"]) if j != k) for k, each in enumerate(classes)]
    low, high = float(np.floor(min([*right, *other, 0.0]))), float(np.ceil(max([*right, *other]) + 0.2))
    drawn = Plot(
        "What speaks for each class, and for the likeliest other",
        "class of the picture",
        "mean of the map",
        (-0.5, len(classes) - 0.5),
        (low, high),
        [(k, each["name"]) for k, each in enumerate(classes)],
        1.0,
        size=(760, 340),
    )
    for name, values, colour, aside in (
        ("its own map", right, COLOURS[0], -0.32),
        ("the next", other, COLOURS[1], 0.0),
    ):
        for k, value in enumerate(values):
            drawn.bar(k + aside, k + aside + 0.32, value, colour, f"{value:.1f}")
        drawn.line(name, [], [], colour)
    return drawn.svg()


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


CONFIDENCE_MAPS = Experiment(
    name="confidence-maps",
    title="A map for every class",
    claim=(
        f"{NIN}, section 4.6 and figure 4: because the last maps are averaged straight into the classes, each "
        "becomes a map of confidence in its class, strongest where the object is, though no place was ever taught."
    ),
    method="The class maps of one network with global average pooling, for the test pictures of each class.",
    scales=SCALES,
    measure=measure,
    words=words,
    plot=plot,
)
