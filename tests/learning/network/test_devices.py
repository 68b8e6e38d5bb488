"""On JAX several devices share every batch, learn what one would, and it becomes the same kind of model file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip(
    "tensorflow", reason="TensorFlow, which writes ONNX, is not installed: pip install 'boxless[train]'"
)
if find_spec("jax") is None:  # imported by another process alone
    pytest.skip("JAX is not installed: pip install jax", allow_module_level=True)

from tests.learning.network.test_train import CHOICE, PLAN, save_patterns

from boxless import Localizer, ModelFile
from boxless.datasets.split import read_split
from boxless.errors import TrainingError
from boxless.learning.network.device import devices, mixed_precision
from boxless.learning.network.train import train
from boxless.networks.framework import keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# JAX counts its devices once, when it starts: a process of its own.
PROGRAM = """
import json, sys
from dataclasses import asdict, replace
from pathlib import Path
import numpy as np
from boxless.errors import TrainingError
from boxless.learning.network.device import devices, repeatable
from boxless.learning.network.loop import train_network
from boxless.learning.network.choice import Choice
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.train import train
from boxless.learning.network.watch import Watch
from boxless.learning.network.examples import Examples
from boxless.datasets.split import read_split
from boxless.networks.framework import keras, layers

folder, images = Path(sys.argv[1]), Path(sys.argv[2])
pixels = np.random.default_rng(0).integers(0, 256, (27, 8, 8, 3), np.uint8)
learn = Examples.of_arrays(pixels[:24], np.arange(24) % 3, 3)
check = Examples.of_arrays(pixels[24:], np.arange(3), 3)
plan = TrainingPlan(epochs=3, batch=8, rate=1e-2, keep="last", augment="small")


class Interrupts(Watch):
    left = 4

    def stepped(self):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def small():
    # What devices have to agree on: statistics of batches, and what is dropped.
    image = keras.Input((None, None, 3), name="image")
    features = layers.Conv2D(8, 3, padding="same", use_bias=False)(layers.Rescaling(1 / 128, -1)(image))
    features = layers.Dropout(0.2)(layers.ReLU()(layers.BatchNormalization()(features)))
    logits = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3, padding="same")(features))
    return keras.Model(image, logits, name="small")


def losses(count, **options):
    with devices(count) as there:
        repeatable(0)
        network = small()
        history = train_network(network, learn, check, plan, 8, **options)
        assert len(network.trainable_variables[0].value.devices()) == there == count
        weights = [np.asarray(each) for each in network.get_weights()]
    return [(epoch.loss, epoch.val_loss) for epoch in history], weights


one, _ = losses(1)
four, whole = losses(4)
try:
    losses(4, folder=folder / "killed", watch=Interrupts())
except KeyboardInterrupt:
    pass
again, resumed = losses(4, folder=folder / "killed")
same = all(np.array_equal(a, b) for a, b in zip(whole, resumed, strict=True))
try:
    losses(5)
except TrainingError as error:
    refused = str(error)
try:
    with devices(4):
        train_network(small(), check, None, plan, 8)
except TrainingError as error:
    few = str(error)
made = train(
    *read_split(images, "0.25"),
    folder / "own.onnx",
    Choice("nin_bn", size=16, width=0.05),
    TrainingPlan(epochs=8, batch=6, rate=1e-2, augment="none"),
    devices=2,
    mixed=True,
)
facts = dict(made.report.facts)
print(json.dumps({"one": one, "four": four, "again": again, "same": same, "refused": refused, "few": few,
                  "ran on": facts["ran on"], "network": facts["network"]}))
"""


def test_four_devices_learn_what_one_does(tmp_path: Path) -> None:
    images = save_patterns(tmp_path / "patterns")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(tmp_path), str(images)],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            # What is compiled runs a few times: compiling less well takes half the time.
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
            # And three of the trainings are one program, which is compiled once.
            "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        },
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    for one, four in zip(said["one"], said["four"], strict=True):
        assert four == pytest.approx(one, rel=1e-4)
    assert said["again"] == said["four"]
    assert said["same"], "a training on four devices that was killed ends in the very weights"
    assert "5 devices (JAX finds 4: cpu:0, cpu:1, cpu:2, cpu:3)" in said["refused"]
    assert "3 images a step on 4 devices" in said["few"]
    assert "as 2 devices" in said["ran on"]
    assert "in mixed precision" in said["network"]
    found = Localizer(tmp_path / "own.onnx").locate(images / "across" / "0.png")
    assert found.predictions[0].label == "across", "the model file is in single precision, and right"
    assert ModelFile(tmp_path / "own.onnx").card.maps == "exact"


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="Keras does not run on TensorFlow here")
def test_tensorflow_says_what_shares_batches() -> None:
    with pytest.raises(TrainingError, match=r"Keras on tensorflow trains on one.*KERAS_BACKEND=jax.*'jax\[cuda12\]'"):
        devices(2).__enter__()
    with devices() as count:
        assert count == 1


def test_half_precision_becomes_a_model_in_single(tmp_path: Path) -> None:
    images = read_split(save_patterns(tmp_path / "patterns"), "0.25")
    out = tmp_path / "own.onnx"
    with mixed_precision(True):
        assert keras.config.dtype_policy().compute_dtype == "bfloat16", "on a processor, which has no float16"
    assert keras.config.dtype_policy().compute_dtype == "float32"
    made = train(*images, out, CHOICE, replace(PLAN, epochs=3), mixed=True)
    assert "in mixed precision" in dict(made.report.facts)["network"]
    assert made.parity.probabilities < 1e-5, "the weights are in single precision, whatever they were trained in"


def test_the_dtype_policy_of_keras_is_heeded(tmp_path: Path) -> None:
    images = read_split(save_patterns(tmp_path / "patterns"), "0.25")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = train(*images, tmp_path / "own.onnx", CHOICE, replace(PLAN, epochs=1))
        with mixed_precision(False):
            assert keras.config.dtype_policy().name == "float32"
        assert keras.config.dtype_policy().name == "mixed_bfloat16", "the caller's policy stays"
    finally:
        keras.config.set_dtype_policy("float32")
    assert "in mixed precision" in dict(made.report.facts)["network"]
    assert made.parity.probabilities < 1e-5
    assert keras.saving.load_model(made.network).compute_dtype == "float32"
