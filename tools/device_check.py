"""What this machine's GPU, or its processor where there is none, does with the networks of the full runs.

    python -m tools.device_check FILE [--scale full]

Times the steps of their training in single precision, and in half precision where that is quicker, and holds a network
in Keras against the same in ONNX Runtime on the processor; writes it to a JSON file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from papers.catalogue import EXPERIMENTS

from boxless.export.backbone import Backbone
from boxless.imaging.read import read_image, resize_pixels
from boxless.learning.network.device import gpus, half_is_quicker, jit_compile, mixed_precision, repeatable
from boxless.learning.network.rates import optimizer_of
from boxless.models.zoo import DEFAULT_MODEL
from boxless.networks import build
from boxless.networks.framework import keras
from boxless.system.files import write_whole
from boxless.system.machine import LEARNING, machine

AGREE = 0.01
"""Features by Keras and by ONNX Runtime may differ by as much of the largest; a GPU multiplies less precisely."""

_WARM, _TIMED = 3, 10
_IMAGE = Path(__file__).parent.parent / "examples/pictures/coffee.jpg"


def check(scale: str) -> dict[str, Any]:
    """The facts of the machine, and what was measured; "sound" says whether all is as it should be.

    Args:
        scale: of the experiments, whose networks are timed.
    """
    half = step(scale, mixed=True) if half_is_quicker() else None
    whole = step(scale, mixed=False)
    apart = disagreement()
    return {
        "scale": scale,
        "machine": machine(LEARNING),
        "backend": keras.backend.backend(),
        "GPUs": gpus(),
        "single precision": whole,
        "half precision": half,
        "Keras from ONNX Runtime, features, share of the largest": apart,
        "sound": apart <= AGREE and all(each is None or np.isfinite(each["loss"]) for each in (whole, half)),
    }


def step(scale: str, *, mixed: bool) -> dict[str, float]:
    """Seconds and processor seconds of a step of `nin-heads`, medians, and the loss after some."""
    recipe = EXPERIMENTS["nin-heads"].scales[scale].recipe
    repeatable(0)
    with mixed_precision(mixed):
        network = build(recipe.network, 10, "gap", 32, width=recipe.width, dropout=recipe.dropout)
    network.compile(
        optimizer_of(recipe.plan(0), 100), keras.losses.SparseCategoricalCrossentropy(True), jit_compile=jit_compile()
    )
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (recipe.batch, 32, 32, 3)).astype(np.float32)
    labels = random.integers(0, 10, recipe.batch)
    losses: list[float] = []
    seconds, processor = _timed(lambda: losses.append(float(network.train_on_batch(pixels, labels))))
    return {"batch": recipe.batch, "seconds a step": seconds, "processor seconds a step": processor, "loss": losses[-1]}


def disagreement() -> float:
    """How far EfficientNet-Lite0 in Keras, on the device, is from the model file in ONNX Runtime, on the processor."""
    side = 64
    pixels = resize_pixels(read_image(_IMAGE).pixels, side, side)
    network = build("efficientnet_lite0", 1, "gap", side, weights="imagenet")
    pooled = keras.Model(network.input, network.get_layer("pool").output)
    ours = np.asarray(keras.ops.convert_to_numpy(pooled(pixels[None].astype(np.float32))))[0]
    theirs = Backbone(DEFAULT_MODEL).pool(pixels, (side, side))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Medians of seconds and of processor seconds."""
    for _ in range(_WARM):
        work()
    seconds, processor = [], []
    for _ in range(_TIMED):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
    return round(median(seconds), 5), round(median(processor), 5)


def main() -> None:
    """Checks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--scale", default="full")
    given = parser.parse_args()
    found = check(given.scale)
    text = json.dumps(found, indent=1)
    print(text)
    write_whole(given.file, lambda beside: beside.write_text(text + "\n", encoding="utf-8"))
    if not found["sound"]:
        sys.exit("this machine computes something else than it should: see above")


if __name__ == "__main__":
    main()
