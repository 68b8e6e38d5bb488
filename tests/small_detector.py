"""A small detector, made without a training framework."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from boxless.export.assemble import write_model
from boxless.export.detector import detector_model
from boxless.models.card import Card
from boxless.models.presets import Preset
from boxless.networks.detector_backbones import STRIDES

CLASSES = 3


def network(seed: int = 0) -> onnx.ModelProto:
    """A stand-in for a detector's network: what each cell says is a linear function of the mean of its pixels."""
    random = np.random.default_rng(seed)
    nodes, weights, outputs = [helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2])], [], []
    for stride in STRIDES:
        kernel = random.normal(0, 0.02, (CLASSES + 4, 3, 1, 1)).astype(np.float32)
        kernel[CLASSES:] /= 25  # no distance below zero
        bias = np.concatenate([np.full(CLASSES, -1.0), np.full(4, 2.0)]).astype(np.float32)
        weights += [numpy_helper.from_array(kernel, f"w{stride}"), numpy_helper.from_array(bias, f"b{stride}")]
        name = str(stride)
        nodes += [
            helper.make_node(
                "AveragePool", ["planes"], [f"mean{name}"], kernel_shape=[stride] * 2, strides=[stride] * 2
            ),
            helper.make_node("Conv", [f"mean{name}", f"w{name}", f"b{name}"], [f"conv{name}"]),
            helper.make_node("Transpose", [f"conv{name}"], [f"rows{name}"], perm=[0, 2, 3, 1]),
            helper.make_node("Identity", [f"rows{name}"], [f"said{name}"]),
        ]
        outputs.append(helper.make_tensor_value_info(f"said{name}", TensorProto.FLOAT, ["N", None, None, CLASSES + 4]))
    entry = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", "h", "w", 3])
    graph = helper.make_graph(nodes, "network", [entry], outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def card(**fields: object) -> Card:
    presets = {"balanced": Preset(scales=(64,), refinement_steps=1, threshold=0.3)}
    return Card(
        name="tiny", labels=("cat", "dog", "nothing"), background=(2,), presets=presets, preprocessing="in the network",
        licence="CC0-1.0", source="a test", activation="sigmoid", maps="none", **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def write_detector(path: Path) -> Path:
    """Writes it as a model file."""
    write_model(detector_model(network(), STRIDES, card()), path)
    return path
