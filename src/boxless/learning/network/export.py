"""Exports a trained Keras network to a model file, and checks that both give the same output."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxless.errors import ImageError, NetworkError, TrainingError, first_line
from boxless.export.assemble import write_card
from boxless.export.attachment import attach
from boxless.export.frameworks import export_keras, quiet
from boxless.imaging.read import Pixels, read_image, resize_pixels
from boxless.learning.finish import presets_for
from boxless.maps.class_maps import probabilities
from boxless.models.model_file import ModelFile
from boxless.models.presets import DEFAULT_PRESET, PRESETS
from boxless.networks.framework import keras
from boxless.system.extras import install
from boxless.system.files import write_whole

TOLERANCE = 1e-4
"""The largest difference between Keras and the model file that passes: in probabilities, and in class maps as a share
of their largest value."""

_IMAGES = 8

Floats = NDArray[np.float32]

# The ONNX converter needs TensorFlow, so other backends export in a process of their own.
_CONVERT = """
import sys
from pathlib import Path
import keras
from boxless.export.frameworks import export_keras
export_keras(keras.saving.load_model(sys.argv[1], compile=False), Path(sys.argv[2]))
"""


@dataclass(frozen=True)
class Parity:
    """How much the outputs of a model file differ from those of the network that it was exported from.

    Attributes:
        images: the number of images compared, at the network's input size.
        probabilities: the largest difference between probabilities.
        maps: the largest difference between class maps, as a share of their largest value; None for max pooling,
            because Keras has no maps to compare.
    """

    images: int
    probabilities: float
    maps: float | None


def export_network(
    network: Any,  # noqa: ANN401
    out: Path,
    card: Mapping[str, Any],
    side: int,
    multiple: int,
    images: Sequence[Path] = (),
) -> Parity:
    """Writes a model file, if its output matches the network's.

    Args:
        network: from float32 RGB 0-255 to logits, in single precision, with a pooling head.
        out: the model file.
        card: fields of the card: labels, activation, licence, source and so on; the name defaults to the file's.
        side: the input side that the network was trained at, in pixels; the scales of presets are in proportion.
        multiple: the stride of the last map, in pixels.
        images: images to compare the outputs on; noise if there are none.

    Raises:
        NetworkError: if it cannot be exported.
        TrainingError: if the two differ. Nothing is written.
    """
    activation = str(card.get("activation", "softmax"))
    ending = keras.layers.Activation(activation, name="probabilities", dtype="float32")
    whole = keras.Model(network.input, ending(network.output), name=network.name)
    found: list[Parity] = []

    def write(beside: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            converted = Path(folder) / "network.onnx"
            convert(whole, converted)
            made = attach(converted, beside, preprocess="none", input_size=(side, side), allow_max_pool=True)
        fields: dict[str, Any] = {
            "name": out.stem,
            "preprocessing": "in the network",
            "size_multiple": multiple,
            "presets": presets_for(PRESETS, side, PRESETS[DEFAULT_PRESET].set_on),
        }
        write_card(beside, replace(made.card, **{**fields, **card}))
        found.append(compare(network, ModelFile(beside), side, images))

    write_whole(out, write)
    return found[0]


def compare(network: Any, model: ModelFile, side: int, images: Sequence[Path]) -> Parity:  # noqa: ANN401
    """Runs both on the same images; TrainingError if they differ by more than TOLERANCE."""
    shown = some_images(images, side)
    exact = model.card.maps == "exact"
    classes = list(range(len(model.card.labels)))[:50]
    logits, maps = _keras_outputs(network, shown, classes if exact else None)
    difference = farthest = largest = 0.0
    for index, pixels in enumerate(shown):
        output = model.run(pixels, size=(side, side), classes=classes, top=0)
        activation = model.card.activation
        apart = np.abs(probabilities(output.logits, activation) - probabilities(logits[index], activation))
        difference = max(difference, float(apart.max()))
        if maps is not None:
            farthest = max(farthest, float(np.abs(output.class_maps - maps[index]).max()))
            largest = max(largest, float(np.abs(maps[index]).max()))
    share = farthest / (largest or 1.0) if maps is not None else None
    # Not-a-number passes no comparison.
    if not (difference <= TOLERANCE and (share is None or share <= TOLERANCE)):
        raise TrainingError(
            f"not written: Keras and the model file differ, in probabilities by {difference:.2g}"
            + (f", in class maps by {share:.2g} of the largest" if share is not None else "")
            + f" (at most {TOLERANCE:g})"
        )
    return Parity(len(shown), difference, share)


def convert(network: Any, out: Path) -> None:  # noqa: ANN401
    """Writes a Keras network as plain ONNX, whatever the backend; NetworkError if it cannot be exported."""
    if keras.backend.backend() == "tensorflow":
        try:
            with quiet():
                export_keras(network, out)
        except NetworkError:
            raise
        # Exporters raise nearly anything.
        except Exception as error:
            raise NetworkError(f"the network cannot be exported to ONNX ({first_line(error)})") from None
        return
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "network.keras"
        network.save(saved)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _CONVERT, str(saved), str(out)],
            env={**os.environ, "KERAS_BACKEND": "tensorflow"},
            capture_output=True,
            text=True,
        )
    if done.returncode or not out.exists():
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NetworkError(
            f"the network cannot be exported through TensorFlow ({reason}): {install('boxless[train]')}, "
            "then run the same command again"
        )


def _keras_outputs(
    network: Any,  # noqa: ANN401
    shown: Sequence[Pixels],
    classes: Sequence[int] | None,
) -> tuple[Floats, Floats | None]:
    """Logits (n, K), and the class maps (n, k, h, w) of some classes."""
    stack = np.stack(shown).astype(np.float32)
    if classes is None:
        return np.asarray(network.predict(stack, verbose=0), np.float32), None
    last = network.get_layer("logits")
    dense = isinstance(last, keras.layers.Dense)
    features = (network.get_layer("pool") if dense else last).input
    both = keras.Model(network.input, [network.output, features])
    logits, maps = (np.asarray(each, np.float32) for each in both.predict(stack, verbose=0))
    if dense:
        maps = maps @ np.asarray(keras.ops.convert_to_numpy(last.kernel), np.float32)
    return logits, np.moveaxis(maps[..., classes], 3, 1)


def some_images(paths: Sequence[Path], side: int) -> list[Pixels]:
    """A few images, squeezed to squares, to compare on; noise where none can be read."""
    shown = []
    for path in paths[:_IMAGES]:
        try:
            shown.append(resize_pixels(read_image(path, enough=side).pixels, side, side))
        except ImageError:
            continue
    noise = np.random.default_rng(0).integers(0, 256, (_IMAGES, side, side, 3), np.uint8)
    return shown or list(noise)
