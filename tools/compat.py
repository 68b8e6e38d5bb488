"""Which classifiers can be attached to: every architecture of keras.applications that ends in pooling, some of PyTorch.

    make compat          the whole table, docs/compatibility.md and benchmarks/results/compat.json
    python -m tools.compat MobileNetV2 ...      some of it, the other rows staying as they are

Weights are random (batch normalisation fitted to one batch of noise, so that numbers stay in range): what is tested
is the way, not the accuracy. Each runs in a process of its own; what fails stands in the table with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from boxless import BoxlessError, ModelFile
from boxless.system.files import write_whole

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results/compat.json"
PAGE = ROOT / "docs/compatibility.md"
TIMEOUT = 1200
FEWEST, MOST = 5, 25
ENOUGH_MS = 6_000
"""Rounds that are timed: as many as take so long, within these bounds."""

LARGE = 400
"""From so many pixels a side one picture of noise is batch enough, and two fill the memory."""

NAMES = [
    *("ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("DenseNet121", "DenseNet169", "DenseNet201"),
    *("InceptionV3", "InceptionResNetV2", "Xception"),
    *("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *(f"EfficientNetB{i}" for i in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *("ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase"),
    "NASNetMobile",
]
TORCHVISION = [
    *("resnet18", "mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5", "efficientnet_b0"),
    *("regnet_y_400mf", "densenet121", "googlenet", "inception_v3", "convnext_tiny", "swin_t"),
]
"""Some of PyTorch's, with which other exporters and other ways to spell the same are tried."""

QUICK = ("MobileNetV2", "MobileNetV3Small")
"""Those that the tests try (tests/export/test_applications.py)."""

INSIDE = ("EfficientNet", "ConvNeXt", "MobileNetV3")  # they scale pixels themselves
CAFFE = ("ResNet50", "ResNet101", "ResNet152")


def export(name: str, file: Path) -> tuple[str, tuple[int, int]]:
    """Writes an architecture with random weights; the preprocessing and the (height, width) that it wants."""
    return _export_torch(name, file) if name in TORCHVISION else _export_keras(name, file)


def _export_keras(name: str, file: Path) -> tuple[str, tuple[int, int]]:
    import keras

    from boxless.export.frameworks import export_keras

    keras.utils.set_random_seed(0)
    network = getattr(keras.applications, name)(weights=None)
    way = "none" if name.startswith(INSIDE) else "keras-caffe" if name in CAFFE else "tf"
    height, width = (side or 224 for side in network.input_shape[1:3])
    noise = np.random.default_rng(0).normal(size=(2 if height < LARGE else 1, height, width, 3)).astype(np.float32)
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(noise * (60 if way != "tf" else 1) + (128 if way == "none" else 0), training=True)
    export_keras(network, file)
    return way, (height, width)


def _export_torch(name: str, file: Path) -> tuple[str, tuple[int, int]]:
    import torch

    from boxless.export.frameworks import export_torch

    torch.manual_seed(0)
    network = import_module("torchvision").models.get_model(name, weights=None)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    side = 299 if name == "inception_v3" else 224
    with torch.no_grad():
        network(torch.randn(2, 3, side, side))
    export_torch(network, file, (side, side))
    return "imagenet", (side, side)


def one(name: str, rounds: int = MOST) -> dict[str, Any]:
    """The row of an architecture."""
    from benchmarks.attach import session, tasks, without_affinity
    from benchmarks.facts import milliseconds, ratio

    from boxless.export import attach
    from boxless.export.frameworks import quiet

    with tempfile.TemporaryDirectory() as folder:
        original, out = Path(folder) / f"{name}.onnx", Path(folder) / "attached.onnx"
        try:
            with quiet():
                way, (height, width) = export(name, original)
            start = time.perf_counter()
            made = attach(original, out, preprocess=way, input_size=(height, width))
        except BoxlessError as error:
            return {"error": str(error).replace(f"{folder}/", "")}
        seconds = time.perf_counter() - start
        opened = ModelFile(out, threads=1)
        cells = {}
        for side in (224, 448):
            size = made.card.input_size(side, side, side)
            maps = opened.run(np.zeros((*size, 3), np.uint8), size=size, top=1).class_maps
            cells[str(side)] = list(maps.shape[1:])
        del opened
        sessions = session(original), session(without_affinity(out)), session(out)
        # The processor's time of this thread, the only one: what else the machine does is not counted.
        three = tasks(*sessions, 1, (height, width))
        warm = milliseconds(three, 1, warm=1, clock=time.thread_time)
        rounds = int(np.clip(ENOUGH_MS / sum(map(sum, warm.values())), min(FEWEST, rounds), rounds))
        times = milliseconds(three, rounds, warm=0, clock=time.thread_time)
    return {
        "maps": made.card.maps,
        "fixed_size": made.card.fixed_size,
        "native": [height, width],
        "cells": cells,
        "stages": len(made.stages),
        "proof": asdict(made.proof),
        "attach_s": round(seconds, 1),
        "bare_ms": round(float(np.median(times["bare"])), 1),
        "maps_over_bare": round(ratio(times, "maps", "bare"), 3),
        "affinity_over_bare": round(ratio(times, "affinity", "bare"), 3),
    }


def page(rows: dict[str, dict[str, Any]]) -> str:
    """The tables as Markdown."""
    attached = [row for row in rows.values() if "error" not in row]
    kinds = ", ".join(f"{sum(row['maps'] == kind for row in attached)} {kind}" for kind in ("exact", "linearised"))
    lines = [
        "# Compatibility",
        "",
        f"{len(attached)} of {len(rows)} architectures can be attached, with random weights: {kinds}.",
        "`make compat` writes this page.",
        "",
        "- *logits*: the largest difference from the network's own, as a share of the largest logit; 0 is bit for bit.",
        "- *complete*: the largest difference between the mean of a map plus a constant and the logit, as a share of",
        "  the largest logit.",
        "- *map at*: cells of a class map for images of 224 and 448 pixels; *stages*: feature maps that refine it.",
        "- *time*: the attached graph with the maps of the top five classes, relative to the exported network;",
        "  *refined*: with what refines them too. One image of the network's own size, one thread, CPU time, median of",
        f"  {FEWEST} to {MOST} rounds in which the three take turns; empty where it was not measured this way.",
    ]
    for title, names in (("keras.applications", NAMES), ("torchvision", TORCHVISION)):
        lines += [
            "",
            f"| {title} | maps | logits | complete | map at 224 | at 448 | stages | time | refined |",
            "|---|---|---|---|---|---|---|---|---|",
            *(_line(name, rows[name]) for name in names if name in rows),
        ]
    return "\n".join(lines) + "\n"


def _line(name: str, row: dict[str, Any]) -> str:
    if "error" in row:
        return f"| {name} | not attached: {row['error'].replace('|', '/')} | | | | | | | |"
    proof = row["proof"]
    complete = "" if proof["completeness"] is None else f"{proof['completeness']:.1e}"
    difference = "0" if proof["bit_for_bit"] else f"{proof['difference']:.1e}"
    grids = [" x ".join(map(str, row["cells"][side])) for side in ("224", "448")]
    times = [f"{row[key]:.2f}" if key in row else "" for key in ("maps_over_bare", "affinity_over_bare")]
    maps = f"{row['maps']}{', fixed size' if row['fixed_size'] else ''}"
    return f"| {' | '.join((name, maps, difference, complete, *grids, str(row['stages']), *times))} |"


def main(names: list[str]) -> None:
    """Runs each in a process of its own and writes the table after each."""
    every = [*NAMES, *TORCHVISION]
    if unknown := sorted(set(names) - set(every)):
        sys.exit(f"no such architecture: {', '.join(unknown)} (expected {', '.join(every)})")
    rows: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        command = [sys.executable, "-m", "tools.compat", "--one", name]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False, cwd=ROOT
            )
            last = (done.stdout.strip().splitlines() or [""])[-1]
            failure = (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:200]
            rows[name] = json.loads(last) if done.returncode == 0 else {"error": failure}
        except subprocess.TimeoutExpired:
            rows[name] = {"error": f"took longer than {TIMEOUT} s"}
        print(name, rows[name], flush=True)
        rows = {each: rows[each] for each in every if each in rows}
        write(RESULTS, json.dumps(rows, indent=1) + "\n")
        write(PAGE, page(rows))


def write(path: Path, text: str) -> None:
    """Writes a text, whole or not at all."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2])))
    else:
        main(sys.argv[1:] or [*NAMES, *TORCHVISION])
