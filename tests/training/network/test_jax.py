"""On JAX the same networks train, repeat, and become the same kind of model file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from boxless import ModelFile

pytest.importorskip(
    "tensorflow", reason="TensorFlow, which writes ONNX, is not installed: pip install 'boxless[train]'"
)
pytest.importorskip("jax", reason="JAX is not installed: pip install jax")

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from boxless import networks
from boxless.networks.framework import keras
from boxless.training.network.device import repeatable
from boxless.training.network.examples import Examples
from boxless.training.network.export import export_network
from boxless.training.network.loop import train_network
from boxless.training.network.plan import Plan

assert keras.backend.backend() == "jax"
repeatable(0)
network = networks.nin(2, width=0.05)
pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
examples = Examples.of_arrays(pixels, np.array([0, 1, 0, 1]), 2)
before = [np.array(each) for each in network.trainable_variables]
history = train_network(network, examples, None, Plan(epochs=2, batch=4), 8, folder=Path(sys.argv[1]) / "own.training")
assert len(history) == 2 and np.isfinite(history[-1].loss)
assert not np.array_equal(before[0], np.array(network.trainable_variables[0]))
print(export_network(network, Path(sys.argv[1]) / "own.onnx", {}, 8, 4))
"""


def test_jax_trains_and_exports(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        # What is compiled runs once: compiling less well takes half the time.
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"},
    )
    assert done.stdout.startswith("Parity(pictures=8"), done.stderr[-2000:]
    assert ModelFile(tmp_path / "own.onnx").card.maps == "exact"
    assert (tmp_path / "own.training" / "checkpoint.npz").exists()
