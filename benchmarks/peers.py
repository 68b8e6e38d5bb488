"""Other people's class activation maps and ours: the same weights, the same images, in one run.

    make bench-peers        an environment with torch, TensorFlow and the peers, then this program

Every method gets a decoded image and the class to look for, and hands back a score map of the image's size;
boxless hands back its boxes too. The methods take turns on every image, so that noise meets all alike. Accuracy and
time are measured on one core; time on two cores after it, on fewer images, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.peer_methods import SIDE, Method, Pixels, peers, sized, slow_peers
from benchmarks.provenance import stamp
from boxless import Localizer, ModelFile
from boxless.evaluation import Bootstrap, read_dataset
from boxless.evaluation.bootstrap import best_mean_of
from boxless.evaluation.box_accuracy import IOUS, Overlaps, max_box_acc_v2, one_box_accuracy, overlaps
from boxless.imaging.read import read_image, resize_pixels
from boxless.system.cores import usable_cores
from boxless.system.files import write_whole

RESULTS = Path(__file__).parent / "results/peers.json"
DATA = Path(os.environ.get("BOXLESS_DATA", Path(__file__).parent.parent.parent / "shared/data"))
PRESETS = ("fast", "balanced", "best")
IMAGES_ON_TWO = 40
_REST = 0.1


def ours(threads: int) -> dict[str, Method]:
    """boxless: the plain class map of one pass, and the presets."""
    network = ModelFile("efficientnet-lite0", threads)

    def plain(pixels: Pixels, index: int) -> NDArray[np.float32]:
        small = resize_pixels(pixels, SIDE, SIDE)
        return sized(network.run(small, size=(SIDE, SIDE), classes=[index], top=0).class_maps[0], pixels)

    def preset(name: str) -> Method:
        localizer = Localizer(network, name)
        return lambda pixels, index: localizer.locate(pixels, classes=[index]).predictions[0].score_map

    return {"boxless, plain CAM": plain, **{f"boxless {name}": preset(name) for name in PRESETS}}


def measure(
    methods: Mapping[str, Method], images: list[Any], pause: float = 0.0, warm: int = 3
) -> dict[str, dict[str, Any]]:
    """Milliseconds and accuracy of each method on images of a data set, after so many seconds of rest for each.

    On several cores, threads of the last method's runtime go on spinning for a while, which would slow the next one.
    """
    times: dict[str, list[float]] = {name: [] for name in methods}
    curves: dict[str, list[Overlaps]] = {name: [] for name in methods}
    decoded = [read_image(image.path).pixels for image in images]
    for image, pixels in zip(images[:warm], decoded, strict=False):
        for method in methods.values():
            method(pixels, image.class_index)
    for number, (image, pixels) in enumerate(zip(images, decoded, strict=True)):
        for name, method in methods.items():
            time.sleep(pause)
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


def measure_slow(images: list[Any]) -> dict[str, dict[str, Any]]:
    """The methods that need a pass for each feature: milliseconds on a few images, no accuracy."""
    rows = {}
    for name, method in slow_peers().items():
        times = []
        for image in images:
            pixels = read_image(image.path).pixels
            start = time.perf_counter()
            method(pixels, image.class_index)
            times.append((time.perf_counter() - start) * 1e3)
        rows[name] = {"ms": round(float(np.median(times)), 1), "pictures": len(images)}
        print(name, rows[name], flush=True)
    return rows


def on_cores(number: int, images: int, slow: int = 0) -> dict[str, dict[str, Any]]:
    """The rows that a process finds which may use so many cores, and so many threads in every library."""
    cores = sorted(os.sched_getaffinity(0))
    threads = {name: str(number) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        how = ["--threads", str(number), "--images", str(images), "--slow", str(slow), "--into", str(file)]
        os.sched_setaffinity(0, cores[:number])  # what is started inherits it
        try:
            subprocess.run([sys.executable, "-m", "benchmarks.peers", *how], check=True, env={**os.environ, **threads})
        finally:
            os.sched_setaffinity(0, cores)
        rows: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    packages = (
        *("boxless", "torch", "torchcam", "grad-cam", "captum", "tf-keras-vis", "tensorflow-cpu", "keras"),
        *("openvino", "openvino_xai", "onnxruntime", "numpy"),
    )
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
    options.add_argument("--slow", type=int, default=1, help="images for Ablation-CAM and Score-CAM")
    options.add_argument("--threads", type=int, help="measure in this process, with so many threads")
    options.add_argument("--into", type=Path, help="file for what this process measures")
    wanted = options.parse_args()
    if wanted.into:
        rows = here(wanted.threads, wanted.images, wanted.slow)
        wanted.into.write_text(json.dumps(rows), encoding="utf-8")
        return
    before = machine()
    rows = on_cores(1, wanted.images, wanted.slow)
    if before["cores"] > 1:
        for name, row in on_cores(2, IMAGES_ON_TWO).items():
            rows[name]["ms, two cores"] = row["ms"]
    made = {"machine": before, "made": {"": stamp("peers")}, "rows": rows}
    text = json.dumps(made, indent=1) + "\n"
    write_whole(RESULTS, lambda beside: beside.write_text(text, encoding="utf-8"))
    for name, row in sorted(rows.items(), key=lambda each: each[1]["ms"]):
        accuracy = [f"{key} {row[key]}" for key in ("max_box_acc_v2", "interval", "one_box") if key in row]
        print(f"{name:36} {row['ms']:>9} ms", *accuracy)


def here(threads: int, number: int, slow: int) -> dict[str, dict[str, Any]]:
    """The rows that this process finds."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    every = read_dataset(DATA / "ilsvrc-dev", ModelFile("efficientnet-lite0").card).images
    images = [every[round(i)] for i in np.linspace(0, len(every) - 1, number)]
    rows = measure({**ours(threads), **peers()}, images, pause=_REST if threads > 1 else 0.0)
    return rows | (measure_slow(images[:slow]) if slow else {})


if __name__ == "__main__":
    main()
