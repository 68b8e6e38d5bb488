"""Trains the experiments' networks, each once: a finished run is kept, and taken again wherever it is asked for."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.learning.network.checkpoint import epochs_in
from boxless.learning.network.device import half_is_quicker, mixed_precision, repeatable
from boxless.learning.network.examples import Examples, Store
from boxless.learning.network.loop import train_network
from boxless.learning.network.score import logits_of
from boxless.networks import build
from boxless.networks.framework import keras
from boxless.system.files import cache_folder, write_whole
from boxless.system.machine import LEARNING, machine
from papers.cifar10 import CLASSES, SIDE, Cifar10, Images, Pixels
from papers.recipe import Recipe
from papers.whiten import Whitening, whitened

Floats = NDArray[np.float32]

_BATCH = 256

_BEGUN = "begun.json"
"""In a run's folder: its precision, and the machines that it was on so far."""


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
        precision: that it was computed in, "single" or "half".
        machines: where it took place: one, or of a run that was carried on elsewhere several.
        weights: their file.
    """

    head: str
    seed: int
    parameters: int
    train_error: float
    test_error: float
    losses: list[float]
    seconds: float
    precision: str
    machines: list[dict[str, Any]]
    weights: Path

    def as_dict(self) -> dict[str, Any]:
        """As plain data, without the machines and what is only of this disk."""
        data = asdict(self)
        del data["weights"], data["machines"]
        return data


def trained_on(runs: Sequence[Trained]) -> list[dict[str, Any]]:
    """The machines of runs, each once."""
    return _each_once([each for run in runs for each in run.machines])


def _each_once(machines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Machines, without those that differ from an earlier one in nothing but the day."""
    by_facts: dict[str, dict[str, Any]] = {}
    for each in machines:
        by_facts.setdefault(json.dumps({**each, "date": ""}, sort_keys=True), each)
    return list(by_facts.values())


@dataclass
class Trainer:
    """Trains networks by one recipe on CIFAR-10.

    Attributes:
        recipe: the settings.
        data: CIFAR-10.
        say: is told of each run as it ends, in words.
        reused: the seconds that runs once took which were taken from the cache.
    """

    recipe: Recipe
    data: Cifar10
    say: Callable[[str], object] = field(default=lambda words: None)
    reused: float = 0.0

    @cached_property
    def train(self) -> Images:
        """The pictures that the recipe trains with; the same for every seed."""
        return self.data.train.some(self.recipe.train)

    @cached_property
    def test(self) -> Images:
        """The pictures that the recipe tests with."""
        return self.data.test.some(self.recipe.test)

    @cached_property
    def _whitening(self) -> Whitening:
        return Whitening.of(self.train.pixels)

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
        """The network of a head and a seed: taken from the cache, or trained now; one that was killed goes on."""
        settings = self._settings(head, seed)
        place = self._place(settings)
        facts, weights = place.with_suffix(".json"), place.with_suffix(".npz")
        kept = facts.is_file()
        if not kept:
            measured = self._train(head, seed, place, weights)
            # The facts come last: where they are, the run is whole.
            write_whole(facts, lambda beside: beside.write_text(json.dumps({"settings": settings, **measured})))
            shutil.rmtree(place)
        stored = json.loads(facts.read_text())
        del stored["settings"]
        if "machine" in stored:  # before there could be several
            stored["machines"] = [stored.pop("machine")]
        self.reused += stored["seconds"] if kept else 0.0
        return Trained(head=head, seed=seed, weights=weights, **stored)

    def epochs_done(self, head: str, seed: int) -> int:
        """How many epochs of a run are behind it; all of them if it is finished."""
        place = self._place(self._settings(head, seed))
        if place.with_suffix(".json").is_file():
            return self.recipe.epochs
        return epochs_in(place)

    def _settings(self, head: str, seed: int) -> dict[str, Any]:
        return {**asdict(self.recipe), "head": head, "seed": seed, "data": self.data.source}

    def _place(self, settings: dict[str, Any]) -> Path:
        """Where a run is kept: a folder while it is trained, then files of that name."""
        key = hashlib.blake2b(json.dumps(settings, sort_keys=True).encode(), digest_size=8).hexdigest()
        name = f"{settings['network']}-{settings['head']}-{settings['seed']}-{key}"
        return cache_folder("reproduction") / name

    def network(self, run: Trained) -> Any:  # noqa: ANN401
        """The Keras model of a run, from float32 RGB 0-255 (N, 32, 32, 3) to logits (N, 10)."""
        network, inner = self._build(run.head)
        with np.load(run.weights) as stored:
            inner.set_weights(list(stored.values()))
        return network

    def class_maps(self, network: Any, pixels: Pixels) -> Floats:  # noqa: ANN401
        """The class maps (n, 8, 8, 10) that a network makes of pictures (n, 32, 32, 3)."""
        inner = network.get_layer(self.recipe.network) if self.recipe.whitening else network
        maps = keras.Model(inner.input, inner.get_layer("class_maps").output)
        if self.recipe.whitening:
            maps = keras.Model(network.input, maps(network.get_layer("undone").output))
        return predicted(maps, pixels)

    def _build(self, head: str) -> tuple[Any, Any]:
        """The whole network, and the part with weights."""
        recipe = self.recipe
        inner = build(recipe.network, len(CLASSES), head, SIDE, width=recipe.width, dropout=recipe.dropout)
        return (whitened(inner, self._whitening) if recipe.whitening else inner), inner

    def _train(self, head: str, seed: int, folder: Path, weights: Path) -> dict[str, Any]:
        start = time.perf_counter()
        keras.utils.clear_session()
        repeatable(seed)
        begun = self._begun(folder)
        with mixed_precision(begun["precision"] == "half") as half:
            network, inner = self._build(head)
        examples = Examples.of_arrays(self.train.pixels, self.train.labels, len(CLASSES))
        epochs = train_network(network, examples, None, self.recipe.plan(seed), SIDE, folder=folder)
        learned = inner.get_weights()
        write_whole(weights, lambda beside: np.savez(beside, *learned))
        if half:  # errors are those of the weights, which are in single precision
            network, inner = self._build(head)
            inner.set_weights(learned)
        return {
            "parameters": int(sum(np.prod(each.shape) for each in network.trainable_variables)),
            "train_error": _error(network, self.train),
            "test_error": _error(network, self.test),
            "losses": [round(epoch.loss, 4) for epoch in epochs],
            # Of a training that was killed, what came before counts too.
            "seconds": round(max(time.perf_counter() - start, sum(epoch.seconds for epoch in epochs)), 1),
            **begun,
        }

    def _begun(self, folder: Path) -> dict[str, Any]:
        """The precision of a run, which it keeps wherever it goes on, and its machines, with this one."""
        precision = "half" if self.recipe.half_precision and half_is_quicker() else "single"
        file = folder / _BEGUN
        # Not in the checkpoint, which runs that were begun before have without it: those go on in what is usual here.
        begun = json.loads(file.read_text()) if file.is_file() else {"precision": precision, "machines": []}
        if begun["precision"] != precision:
            self.say(f"goes on in {begun['precision']} precision, as it was begun (here it would be {precision})")
        begun["machines"] = _each_once([*begun["machines"], machine(LEARNING)])
        write_whole(file, lambda beside: beside.write_text(json.dumps(begun)))
        return begun


def predicted(network: Any, pixels: Pixels) -> Floats:  # noqa: ANN401
    """What a network, or a part of one, makes of pictures."""
    return logits_of(network, Store(pixels, SIDE), SIDE, _BATCH)


def _error(network: Any, images: Images) -> float:  # noqa: ANN401
    wrong = predicted(network, images.pixels).argmax(axis=1) != images.labels
    return round(100 * float(wrong.mean()), 3)
