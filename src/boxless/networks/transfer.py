"""Weights of a Keras file into a network that shares some of its layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxless.errors import NetworkError, first_line
from boxless.networks.framework import keras


def load_same_layers(network: Any, path: Path) -> int:  # noqa: ANN401
    """Loads the layers of the same name and shape, whatever became of the others: the last, with other classes.

    Args:
        network: to fine-tune.
        path: of a Keras model (.keras), such as the `network.keras` of an earlier training.

    Returns:
        How many layers.

    Raises:
        NetworkError: if it cannot be loaded, or if nothing in it fits.
    """
    if not path.is_file():
        raise NetworkError(f"{path}: no such file (expected a Keras model, or imagenet)")
    try:
        other = keras.saving.load_model(path, compile=False)
    # Keras raises nearly anything on what it cannot load.
    except Exception as error:
        raise NetworkError(f"{path}: Keras cannot load it ({first_line(error)})") from None
    theirs = {layer.name: layer for layer in other.layers}
    loaded = 0
    for layer in network.layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes and layer.name in theirs and shapes == [tuple(w.shape) for w in theirs[layer.name].weights]:
            layer.set_weights(theirs[layer.name].get_weights())
            loaded += 1
    if not loaded:
        raise NetworkError(
            f"{path}: no layer of {other.name} fits {network.name} (expected a training of the same one)"
        )
    return loaded
