"""EfficientNet-Lite0 cut where its map is still fine, with a convolution, a pooling and a linear layer of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.imaging.read import read_image, resize_pixels
from boxless.learning.network.device import repeatable
from boxless.learning.network.examples import Examples, Store
from boxless.learning.network.loop import train_network
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.rates import optimizer_of
from boxless.learning.network.score import logits_of
from boxless.networks import build
from boxless.networks.blocks import convolution
from boxless.networks.framework import keras
from boxless.networks.heads import logits_of_features
from papers.boxed import BoxedClasses
from papers.cut_settings import Settings

Floats = NDArray[np.float32]

_LAST_OF_STRIDE_16 = "block10_add"


@dataclass(frozen=True, eq=False)
class Looked:
    """What a trained network says of the validation pictures.

    Attributes:
        logits: (n, K).
        maps: of the true class of each, (h, w).
        seconds: that training and looking took.
    """

    logits: Floats
    maps: list[Floats]
    seconds: float


class Cut:
    """The cut network on a data set.

    Args:
        boxed: the data set.
        settings: what learns, and how.
    """

    def __init__(self, boxed: BoxedClasses, settings: Settings) -> None:
        self._boxed, self._settings = boxed, settings
        self._train = np.stack([_read(path, settings.side) for path in boxed.train])
        self._val = np.stack([_read(each.path, settings.side) for each in boxed.val])
        if settings.learns == "top":
            below = _below()
            self._seen, self._shown = (self._made(below, pixels) for pixels in (self._train, self._val))

    @property
    def cells(self) -> str:
        """The size of a map."""
        return f"{self._settings.side // 16} x {self._settings.side // 16}"

    def look(self, pooling: str, seed: int) -> Looked:
        """Trains a network under a pooling, and looks at the validation pictures."""
        start, settings = time.perf_counter(), self._settings
        keras.utils.clear_session()
        repeatable(seed)
        plan = TrainingPlan(
            epochs=settings.epochs, batch=settings.batch, rate=settings.rate, augment="none", keep="last", seed=seed
        )
        if settings.learns == "top":
            given = keras.Input(self._seen.shape[1:], name="features_below")
            network = self._with_top(given, given, pooling)
            steps = -(-len(self._seen) // settings.batch)
            network.compile(
                optimizer_of(plan, steps),
                keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                jit_compile=False,
            )
            network.fit(self._seen, self._boxed.labels, settings.batch, settings.epochs, verbose=0)
            both = keras.Model(network.input, [network.output, network.get_layer("pool").input])
            logits, features = both.predict(self._shown, settings.batch, verbose=0)
        else:
            below = _below()
            network = self._with_top(below.input, below.output, pooling)
            examples = Examples.of_arrays(self._train, self._boxed.labels, len(self._boxed.classes))
            train_network(network, examples, None, plan, settings.side)
            logits = logits_of(network, Store(self._val, settings.side), settings.side)
            features = self._made(keras.Model(network.input, network.get_layer("pool").input), self._val)
        weight = np.asarray(network.get_layer("logits").kernel)
        maps = [features[i] @ weight[:, each.class_index] for i, each in enumerate(self._boxed.val)]
        return Looked(np.asarray(logits), maps, round(time.perf_counter() - start, 1))

    def _with_top(self, given: Any, features: Any, pooling: str) -> Any:  # noqa: ANN401
        made = convolution(features, self._settings.units, 3, "added")
        return keras.Model(given, logits_of_features(made, pooling, len(self._boxed.classes)))

    def _made(self, network: Any, pixels: NDArray[np.uint8]) -> Floats:  # noqa: ANN401
        return logits_of(network, Store(pixels, self._settings.side), self._settings.side)


def _below() -> Any:  # noqa: ANN401
    network = build("efficientnet_lite0", 1, "gap", weights="imagenet")
    return keras.Model(network.input, network.get_layer(_LAST_OF_STRIDE_16).output)


def _read(path: Any, side: int) -> NDArray[np.uint8]:  # noqa: ANN401
    return resize_pixels(read_image(path).pixels, side, side)
