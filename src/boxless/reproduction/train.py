"""Trains the experiments' networks, each once: a finished run is kept, and taken again wherever it is asked for."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.files import cache_folder, write_whole
from boxless.machine import machine
from boxless.networks import build
from boxless.networks.framework import keras
from boxless.reproduction.cifar10 import CLASSES, SIDE, Cifar10, Pictures, Pixels
from boxless.reproduction.prepare import PREPARATIONS, Preparation
from boxless.reproduction.recipe import Recipe

Floats = NDArray[np.float32]

PACKAGES = ("boxless", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "numpy", "onnxruntime")
"""On whose versions a trained network depends."""

_BATCH = 256


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained network.

    Attributes:
        head: gap, gmp, fc or fc_dropout.
        seed: of its first weights, the order of its pictures and what is dropped.
        parameters: that gradient descent sets.
        train_error, test_error: in percent, on the recipe's pictures.
        losses: the mean cross-entropy of each epoch, with dropout as in training.
        seconds: that the training took.
        machine: where it took place.
        weights: their file.
    """

    head: str
    seed: int
    parameters: int
    train_error: float
    test_error: float
    losses: list[float]
    seconds: float
    machine: dict[str, Any]
    weights: Path

    def as_dict(self) -> dict[str, Any]:
        """As plain data, without what is only of this disk."""
        data = asdict(self)
        del data["weights"], data["machine"]
        return data


@dataclass
class Trainer:
    """Trains networks by one recipe on CIFAR-10.

    Attributes:
        recipe: the settings.
        data: CIFAR-10.
        say: is told of each run as it ends, in words.
    """

    recipe: Recipe
    data: Cifar10
    say: Callable[[str], object] = field(default=lambda words: None)

    @cached_property
    def train(self) -> Pictures:
        """The pictures that the recipe trains with; the same for every seed."""
        return self.data.train.some(self.recipe.train)

    @cached_property
    def test(self) -> Pictures:
        """The pictures that the recipe tests with."""
        return self.data.test.some(self.recipe.test)

    @cached_property
    def prepare(self) -> Preparation:
        """What the recipe does to pixels."""
        return PREPARATIONS[self.recipe.preparation](self.train.pixels)

    def runs(self, heads: Sequence[str], seeds: int) -> list[Trained]:
        """A network for each head and seed; seed by seed, so that what is there early can be compared."""
        wanted = [(head, seed) for seed in range(seeds) for head in heads]
        found = []
        for i, (head, seed) in enumerate(wanted, start=1):
            run = self.run(head, seed)
            self.say(
                f"{i}/{len(wanted)}  {self.recipe.network} {head}, seed {seed}: test error {run.test_error:.2f} %, "
                f"train error {run.train_error:.2f} %, {run.seconds:.0f} s"
            )
            found.append(run)
        return found

    def run(self, head: str, seed: int) -> Trained:
        """The network of a head and a seed: taken from the cache, or trained now."""
        settings = {**asdict(self.recipe), "head": head, "seed": seed, "data": self.data.source}
        key = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()
        place = cache_folder() / "reproduction" / f"{self.recipe.network}-{head}-{seed}-{key}"
        facts, weights = place.with_suffix(".json"), place.with_suffix(".npz")
        if not facts.is_file():
            network, measured = self._train(head, seed)
            write_whole(weights, lambda beside: np.savez(beside, *network.get_weights()))
            # The facts come last: where they are, the run is whole.
            write_whole(facts, lambda beside: beside.write_text(json.dumps({"settings": settings, **measured})))
        stored = json.loads(facts.read_text())
        del stored["settings"]
        return Trained(head=head, seed=seed, weights=weights, **stored)

    def network(self, run: Trained) -> Any:  # noqa: ANN401
        """The Keras model of a run."""
        network = self._build(run.head)
        with np.load(run.weights) as stored:
            network.set_weights(list(stored.values()))
        return network

    def logits(self, network: Any, pixels: Pixels) -> Floats:  # noqa: ANN401
        """What a network says of pictures: (n, 10)."""
        return self.outputs(network, pixels)

    def outputs(self, network: Any, pixels: Pixels) -> Floats:  # noqa: ANN401
        """What a network, or a part of one that begins with its pictures, makes of pictures."""
        return np.asarray(network.predict(self._fed(network, self.prepare(pixels)), batch_size=_BATCH, verbose=0))

    def feed(self, network: Any, prepared: Floats) -> Floats:  # noqa: ANN401
        """What a network says of prepared pictures."""
        return np.asarray(network.predict(self._fed(network, prepared), batch_size=_BATCH, verbose=0))

    def _build(self, head: str) -> Any:  # noqa: ANN401
        return build(
            self.recipe.network, len(CLASSES), head, SIDE, width=self.recipe.width, dropout=self.recipe.dropout
        )

    def _fed(self, network: Any, prepared: Floats) -> Floats:  # noqa: ANN401
        """Prepared pictures as the network's first layer, which is made for pixels, turns back into them."""
        layer = network.get_layer("normalisation")
        return (prepared - np.asarray(layer.offset, np.float32)) / np.asarray(layer.scale, np.float32)

    def _train(self, head: str, seed: int) -> tuple[Any, dict[str, Any]]:
        recipe, start = self.recipe, time.perf_counter()
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        network = self._build(head)
        steps = recipe.epochs * -(-len(self.train) // recipe.batch)
        for variable in network.trainable_variables:
            if variable.name == "kernel":
                variable.regularizer = keras.regularizers.L2(recipe.decay / 2)
        network.compile(
            keras.optimizers.SGD(_schedule(recipe, steps), momentum=recipe.momentum),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=compiled(),
        )
        told = network.fit(
            self._fed(network, self.prepare(self.train.pixels)),
            self.train.labels,
            batch_size=recipe.batch,
            epochs=recipe.epochs,
            verbose=0,
        )
        return network, {
            "parameters": int(sum(np.prod(each.shape) for each in network.trainable_variables)),
            "train_error": self._error(network, self.train),
            "test_error": self._error(network, self.test),
            "losses": [round(float(loss), 4) for loss in told.history["loss"]],
            "seconds": round(time.perf_counter() - start, 1),
            "machine": machine(PACKAGES),
        }

    def _error(self, network: Any, pictures: Pictures) -> float:  # noqa: ANN401
        wrong = self.logits(network, pictures.pixels).argmax(axis=1) != pictures.labels
        return round(100 * float(wrong.mean()), 3)


def _schedule(recipe: Recipe, steps: int) -> Any:  # noqa: ANN401
    if recipe.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(recipe.rate, steps)
    rates = [recipe.rate / 10**i for i in range(3)]
    return keras.optimizers.schedules.PiecewiseConstantDecay([steps * 2 // 3, steps * 5 // 6], rates)


def compiled() -> bool | str:
    """Whether XLA compiles the steps: not TensorFlow's on a CPU, where convolutions so come out three times slower."""
    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    return "auto" if tf.config.list_physical_devices("GPU") else False
