"""Which classifiers can be attached to: every architecture of keras.applications that ends in pooling.

    make compat          the whole table, docs/compatibility.md and benchmarks/results/compat.json
    python tools/compat.py MobileNetV2 ...      some of it

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
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks/results/compat.json"
PAGE = ROOT / "docs/compatibility.md"
TIMEOUT = 600
NAMES = [
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Small",
    "MobileNetV3Large",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "ResNet50",
    "ResNet50V2",
    "DenseNet121",
    "ConvNeXtTiny",
    "NASNetMobile",
    "Xception",
    "InceptionV3",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "DenseNet169",
    "DenseNet201",
    "ResNet101",
    "ResNet101V2",
    "InceptionResNetV2",
    "ConvNeXtSmall",
    "EfficientNetB4",
    "ResNet152",
    "ResNet152V2",
    "EfficientNetV2S",
    "ConvNeXtBase",
    "EfficientNetB5",
    "EfficientNetV2M",
    "EfficientNetB6",
    "EfficientNetV2L",
    "EfficientNetB7",
]
INSIDE = ("EfficientNet", "ConvNeXt", "MobileNetV3")  # they scale pixels themselves
CAFFE = ("ResNet50", "ResNet101", "ResNet152")


def one(name: str) -> dict[str, Any]:
    """The row of an architecture."""
    import keras
    import numpy as np
    import onnxruntime as ort

    import boxless
    from boxless.model_file import ModelFile

    keras.utils.set_random_seed(0)
    network = getattr(keras.applications, name)(weights=None)
    height, width = (side or 224 for side in network.input_shape[1:3])
    way = "none" if name.startswith(INSIDE) else "keras-caffe" if name in CAFFE else "tf"
    noise = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
    norms = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in norms:
        layer.momentum = 0.0
    network(noise * (60 if way != "tf" else 1) + (128 if way == "none" else 0), training=True)

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "attached.onnx"
        start = time.perf_counter()
        made = boxless.from_keras(network, out, preprocess=way, input_size=(height, width))
        seconds = time.perf_counter() - start
        opened = ModelFile(out, threads=1)
        cells = {}
        for side in (224, 448):
            size = made.card.look_size(side, side, side)
            maps = opened.run(np.zeros((*size, 3), np.uint8), size=size, top=1).class_maps
            cells[str(side)] = list(maps.shape[1:])
        # The bare model is the same graph from the scaled picture to the logits.
        import onnx

        model = onnx.load(out)
        for value in model.graph.output:
            value.type.tensor_type.ClearField("shape")
        model.graph.value_info.append(
            onnx.helper.make_tensor_value_info("picture_scaled", onnx.TensorProto.FLOAT, ["N", 3, "h", "w"])
        )
        bare = onnx.utils.Extractor(model).extract_model(["picture_scaled"], ["logits"])
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        first = ort.InferenceSession(bare.SerializeToString(), options)
        second = ort.InferenceSession(out, options)
        feed = {"image": np.zeros((1, height, width, 3), np.uint8), "size": np.array([height, width])}
        scaled = np.zeros((1, 3, height, width), np.float32)
        ratios = []
        for _ in range(7):
            ticks = [time.perf_counter()]
            first.run(None, {"picture_scaled": scaled})
            ticks.append(time.perf_counter())
            second.run(["logits", "chosen", "class_maps"], feed)
            ticks.append(time.perf_counter())
            ratios.append((ticks[2] - ticks[1]) / (ticks[1] - ticks[0]))
    return {
        "maps": made.card.maps,
        "fixed_size": made.card.fixed_size,
        "native": [height, width],
        "cells": cells,
        "stages": len(made.stages),
        "proof": asdict(made.proof),
        "seconds": round(seconds, 1),
        "time_ratio": round(float(np.median(ratios)), 3),
    }


def page(rows: dict[str, dict[str, Any]]) -> str:
    """The table as Markdown."""
    lines = [
        "# What can be attached to",
        "",
        "Made by `make compat`; not written by hand. Random weights. *Logits*: the largest difference to the network's",
        "own, as a share of the largest logit, 0 being bit for bit. *Complete*: how far map means miss the logits.",
        "*Time*: the attached graph with five maps over the bare network, one picture, one thread, median of 7.",
        "",
        "| keras.applications | maps | logits | complete | map at 224 | at 448 | stages | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if "error" in row:
            lines.append(f"| {name} | not attached: {row['error'].replace('|', '/')} | | | | | | |")
            continue
        proof = row["proof"]
        complete = "" if proof["completeness"] is None else f"{proof['completeness']:.1e}"
        grids = [" x ".join(map(str, row["cells"][side])) for side in ("224", "448")]
        lines.append(
            f"| {name} | {row['maps']}{', fixed size' if row['fixed_size'] else ''} | {proof['difference']:.1e} | "
            f"{complete} | {grids[0]} | {grids[1]} | {row['stages']} | {row['time_ratio']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Runs each in a process of its own and writes the table after each."""
    rows: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        command = [sys.executable, __file__, "--one", name]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT / "src")}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, check=False
            )
            last = (done.stdout.strip().splitlines() or [""])[-1]
            failure = (done.stderr.strip().splitlines() or ["no output"])[-1][:200]
            rows[name] = json.loads(last) if done.returncode == 0 else {"error": failure}
        except subprocess.TimeoutExpired:
            rows[name] = {"error": f"took longer than {TIMEOUT} s"}
        print(name, rows[name], flush=True)
        rows = {each: rows[each] for each in NAMES if each in rows}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
        PAGE.write_text(page(rows))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2])))
    else:
        main(sys.argv[1:] or NAMES)
