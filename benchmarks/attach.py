"""What attaching costs: the attached graph over the network it came from, in one run. python -m benchmarks.attach

Needs keras, tensorflow and tf2onnx (make compat makes an environment with them). Weights are random: time does not
depend on them. ResNet-50's file has 100 MB, so attaching it shows time and memory too.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from benchmarks.facts import milliseconds, ratio, write_results
from boxless.export.attachment import attach

NETWORKS = {"ResNet50": "keras-caffe", "MobileNetV2": "tf"}
MAPS = ["logits", "chosen", "class_maps"]
BATCHES = (1, 8)
SIDE = 224


def export(name: str, path: Path) -> None:
    """Writes an architecture of keras.applications with random weights, as `boxless.from_keras` does."""
    import keras

    from boxless.export.frameworks import export_keras

    export_keras(getattr(keras.applications, name)(weights=None), path)


def session(model: bytes | Path) -> ort.InferenceSession:
    """A session of one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def without_affinity(path: Path) -> bytes:
    """The attached graph, without what only the affinity needs."""
    model = onnx.load(path)
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return bytes(
        onnx.utils.Extractor(model).extract_model(["image", "size", "classes", "top"], MAPS).SerializeToString()
    )


def tasks(
    bare: ort.InferenceSession,
    maps: ort.InferenceSession,
    whole: ort.InferenceSession,
    batch: int,
    size: tuple[int, int],
) -> dict[str, Callable[[], object]]:
    """The network alone, with five maps, and with the affinity too, on images of that size."""
    entry = bare.get_inputs()[0]
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *size, 3), np.uint8)
    scaled = pixels.astype(np.float32) / 127.5 - 1
    if entry.shape[1] == 3:
        scaled = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
    feed = {"image": pixels, "size": np.array(size), "classes": np.array([], np.int64), "top": np.array([5])}
    return {
        "bare": lambda: bare.run(None, {entry.name: scaled}),
        "maps": lambda: maps.run(None, feed),
        "affinity": lambda: whole.run(None, feed),
    }


def ratios(original: Path, attached: Path, rounds: int) -> dict[str, float]:
    """Five maps, and the affinity too, over the network alone."""
    sessions = session(original), session(without_affinity(attached)), session(attached)
    figures = {}
    for batch in BATCHES:
        times = milliseconds(tasks(*sessions, batch, (SIDE, SIDE)), max(3, rounds // batch), warm=2)
        figures[f"bare, batch {batch}, ms"] = round(float(np.median(times["bare"])), 2)
        figures[f"with maps over bare, batch {batch}"] = round(ratio(times, "maps", "bare"), 3)
        figures[f"with maps and affinity over bare, batch {batch}"] = round(ratio(times, "affinity", "bare"), 3)
    return figures


def peak_memory() -> int:
    """Of this process since it began, in kB. (`getrusage` would count the process that started it.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def cost(original: Path, way: str) -> dict[str, float]:
    """Seconds and memory of `boxless attach` in a process of its own."""
    out = original.with_name("cost.onnx")
    command = [sys.executable, "-m", "benchmarks.attach", "--one", str(original), str(out), way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    before, peak, seconds = (float(value) for value in done.stdout.split()[-3:])
    size = original.stat().st_size
    return {
        "file, MB": round(size / 1e6, 1),
        "attach, s": round(seconds, 2),
        "peak memory over that of the imports, in files": round((peak - before) * 1024 / size, 2),
    }


def main(rounds: int) -> None:
    """Measures and writes benchmarks/results/attach.json."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, way in NETWORKS.items():
            original, attached = Path(folder) / f"{name}.onnx", Path(folder) / f"{name}-attached.onnx"
            export(name, original)
            figures[name] = cost(original, way)
            attach(original, attached, preprocess=way)
            figures[name] |= ratios(original, attached, rounds)
            print(name, figures[name], flush=True)
            write_results("attach", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--one", nargs=3)
    options = parser.parse_args()
    if options.one:
        memory, start = peak_memory(), time.perf_counter()
        attach(Path(options.one[0]), Path(options.one[1]), preprocess=options.one[2])
        print(memory, peak_memory(), time.perf_counter() - start)
    else:
        main(options.rounds)
