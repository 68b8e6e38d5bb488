"""A model in eight bits: smaller and faster, with what it cost measured against the model it was made from.

Static quantization in QDQ form, weights by channel. Only the network is quantized; the image's part, the head
and the affinity stay in float32: they take next to no time, and their errors would show.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from boxless.errors import ImageError, ModelFileError
from boxless.export.assemble import NETWORK_PREFIX, scale_for_channels_last, without_defaults, write_card
from boxless.export.loss import Limits, Loss, measure_loss
from boxless.imaging.read import read_image, resize_pixels
from boxless.models.card import Card
from boxless.models.model_file import ModelFile, find_model, inputs
from boxless.system.progress import Progress

MAX_CALIBRATION = 100
"""Ranges settle after some dozen images; more only take time."""

MAX_MEASURED = 200


@dataclass(frozen=True)
class Quantized:
    """What `quantize` made.

    Attributes:
        path: of the model file.
        loss: what it cost and gained.
        calibrated_on: number of images that set the ranges.
        bytes_before, bytes_after: sizes of the two files.
    """

    path: Path
    loss: Loss
    calibrated_on: int
    bytes_before: int
    bytes_after: int


def quantize(
    model: str | Path,
    images: Sequence[Path],
    out: Path,
    limits: Limits | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Quantized:
    """Writes a model whose network computes in eight bits, if it is still good enough.

    Every second image sets the ranges of the activations, at each scale of the model's presets;
    the others measure the loss. Where there are fewer than ten, all do both.

    Args:
        model: the name of a model that comes with boxless, or a model file's path.
        images: of the kind that the model is for; a hundred are enough.
        out: the file to write.
        limits: the loss that is allowed; the defaults of `Limits` where None.
        progress: called with the stage, the number done and the total.

    Returns:
        The path of the model, and what it lost and gained.

    Raises:
        ModelFileError: if there is no such model, or it is in eight bits already.
        ImageError: if none of the images can be read.
        AccuracyLossError: if too much was lost; nothing is written.

    Example:
        >>> quantize("mine.onnx", list(Path("photos").glob("*.jpg")), Path("small.onnx")).bytes_after  # doctest: +SKIP
        5120000
    """
    path = find_model(model)
    original = ModelFile(path)
    original.card.need_maps("quantizing")
    measured_on = _some(images if len(images) < 10 else images[1::2], MAX_MEASURED)
    calibrated_on = _some(images if len(images) < 10 else images[::2], MAX_CALIBRATION)
    with tempfile.TemporaryDirectory() as folder:
        plain, eight_bits = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        _write_folded(path, plain)
        reader = _Calibration(original.card, calibrated_on, lambda n: progress("ranges", n, len(calibrated_on)))
        _quantize_network(plain, eight_bits, reader)
        card = replace(original.card, name=f"{original.card.name}-int8")
        write_card(eight_bits, card)
        loss = measure_loss(path, eight_bits, measured_on, lambda n: progress("loss", n, len(measured_on)))
        (limits or Limits()).check(loss)
        # The figures of the float32 model are not this one's.
        measured = f"{loss.images} images, against {original.card.name} in float32"
        write_card(eight_bits, replace(card, figures=loss.figures(), figures_on=measured), out)
    return Quantized(out, loss, reader.read, path.stat().st_size, out.stat().st_size)


def _write_folded(path: Path, out: Path) -> None:
    """Writes the model with constants folded and padding fused, in standard operators; its nodes have names."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    options.log_severity_level = 4
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    model = onnx.load(out)
    without_defaults(model)
    if any(node.op_type == "DequantizeLinear" for node in model.graph.node):
        raise ModelFileError(f"{path}: quantized already (expected a float32 model)")
    scale_for_channels_last(model.graph, exact=False)
    for node in model.graph.node:
        node.name = node.output[0]
    onnx.save(model, out)


def _quantize_network(model: Path, out: Path, reader: CalibrationDataReader) -> None:
    nodes = [node.name for node in onnx.load(model).graph.node if node.name.startswith(NETWORK_PREFIX)]
    with _quiet():
        quantize_static(
            model,
            out,
            reader,
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # Seven bits a weight: without it, sums of u8 * s8 saturate on processors without VNNI.
            reduce_range=True,
        )


def _some(images: Sequence[Path], most: int) -> list[Path]:
    """At most so many, spread evenly over all."""
    if len(images) <= most:
        return list(images)
    return [images[int(i)] for i in np.linspace(0, len(images) - 1, most)]


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """What the network is shown when images are located, at every scale of the presets.

    Attributes:
        read: how many of the images could be read so far.
    """

    def __init__(self, card: Card, images: Sequence[Path], done: Callable[[int], object]) -> None:
        self.read = 0
        self._feeds = self._all(card, images, done)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._feeds, None)

    def _all(
        self, card: Card, images: Sequence[Path], done: Callable[[int], object]
    ) -> Iterator[dict[str, NDArray[Any]]]:
        presets = card.presets.values()
        scales = {scale for preset in presets for scale in preset.scales}
        scales |= {each.scale for preset in presets for each in preset.localization}
        for count, path in enumerate(images):
            done(count)
            try:
                image = read_image(path, enough=max(scales))
            except ImageError:
                continue
            self.read += 1
            for scale in sorted(scales):
                size = card.input_size(scale, image.height, image.width)
                yield inputs(resize_pixels(image.pixels, *size), size=size)
        if not self.read:
            raise ImageError(f"none of {len(images)} images can be read (calibration needs some)")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the quantizer's warnings, which are about choices made here on purpose."""
    logging.disable(logging.WARNING)
    ort.set_default_logger_severity(3)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        ort.set_default_logger_severity(2)
