"""A boxless model as a backbone: its features, and other heads on them.

Nothing is registered: any model file with class maps is one, such as `boxless attach` makes of a classifier.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import ModelFileError
from boxless.export.anomaly import Gaussian, append_anomaly
from boxless.export.assemble import append_head, finish, without_defaults
from boxless.export.flow import Flow
from boxless.export.heads import dense
from boxless.export.localization_head import (
    ClassMapHead,
    LocalizationHead,
    append_class_map_head,
    append_localization_head,
)
from boxless.models.arena import bounded, run_error
from boxless.models.card import METADATA_KEY, Card
from boxless.models.model_file import ModelFile, find_model

Floats = NDArray[np.float32]

_POOLED = "boxless_pooled"
_FINE_GRID = "fine_grid"  # the tensors by which boxless.export.assemble calls them
_FINE_LAYER = "fine_{}_resized"
_AFFINITY = "affinity"


@dataclass(frozen=True, eq=False)
class CellFeatures:
    """What a backbone says of one image, cell by cell.

    Attributes:
        features: (C, h, w), the last ones.
        layers: (c, u, v) each, the mid-level ones, the finest first.
        affinity: (u, v, h, w); see `boxless.models.model_file.Output`.
    """

    features: Floats
    layers: tuple[Floats, ...]
    affinity: Floats


class Backbone:
    """A boxless model, by its name or path, whose head is left away: an image in, the average of its last features out.

    Attributes:
        path: of the model file.
        card: of the model.
        width: C, the number of its last features.
        has_layers: whether it has mid-level features, and so `cells` and an anomaly score.
        layer_widths: how many channels each of its mid-level feature maps has, the finest first.
        anomaly_layer: which of them anomaly scores are of; -1 without any.
    """

    def __init__(self, model: str | Path, threads: int = 1) -> None:
        self.path = find_model(model)
        self.card = ModelFile(self.path, threads=1).card
        self.card.need_maps("another head")
        proto = onnx.load(self.path)
        self._layers = _layers(proto)
        self.has_layers = bool(self._layers)
        trunk, self._features = _trunk(proto, [_AFFINITY, *self._layers] if self._layers else [])
        helper = onnx.helper
        trunk.input.append(helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", "H", "W", 3]))
        trunk.input.append(helper.make_tensor_value_info("size", onnx.TensorProto.INT64, [2]))
        space = onnx.numpy_helper.from_array(np.array([2, 3], np.int64), "boxless_space")
        trunk.initializer.append(space)
        trunk.node.append(helper.make_node("ReduceMean", [self._features, space.name], [_POOLED], keepdims=0))
        trunk.output.append(helper.make_tensor_value_info(_POOLED, onnx.TensorProto.FLOAT, ["N", "C"]))
        if self._layers:
            for name in (self._features, *self._layers, _AFFINITY):
                trunk.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        options = bounded(ort.SessionOptions())
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        model_bytes = finish(trunk, proto.opset_import, self.card).SerializeToString()
        self._session = ort.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
        side = self.card.size_multiple
        blank, size = np.zeros((side, side, 3), np.uint8), self.card.input_size(side, side, side)
        self.width = len(self.pool(blank, size))
        self.layer_widths = tuple(len(layer) for layer in self.cells(blank, size).layers) if self._layers else ()
        self.anomaly_layer = self._layers.index(str(_fine_layer(proto))) if self._layers else -1

    def pool(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
        """The average over positions of the last features (C,) of RGB pixels (H, W, 3), resized to (height, width)."""
        return self._run([_POOLED], pixels, size)[0]

    def cells(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> CellFeatures:
        """The features cell by cell. Only of a backbone that `has_layers`."""
        features, *layers, affinity = self._run([self._features, *self._layers, _AFFINITY], pixels, size)
        return CellFeatures(features, tuple(layers), affinity)

    def _run(self, wanted: list[str], pixels: NDArray[np.uint8], size: tuple[int, int]) -> list[Floats]:
        feed = {"image": pixels[None], "size": np.array(size, np.int64)}
        try:
            found = self._session.run(wanted, feed)
        # ONNX Runtime's errors have no common class of their own.
        except Exception as error:
            raise ModelFileError(f"{self.path}: it cannot be run on an image ({run_error(error)})") from None
        return [np.asarray(output[0], np.float32) for output in found]


def with_head(
    model: str | Path,
    weight: Floats,
    bias: Floats,
    card: Card,
    localization: LocalizationHead | None = None,
    class_map_head: ClassMapHead | None = None,
    gaussian: Gaussian | None = None,
) -> onnx.ModelProto:
    """A boxless model with another head: one linear layer behind the average of its last features.

    Image, network and affinity stay what they are.

    Args:
        model: the backbone.
        weight, bias: (K, C) and (K,).
        card: of the new model.
        localization: of the backbone's mid-level features; the new model has `localization_maps` where there is one.
        class_map_head: of its last features; the new model has `localization_class_maps` where there is one.
        gaussian: of the backbone's anomaly layer; the new model says the anomaly score of each cell where there is one.
    """
    path = find_model(model)
    proto = onnx.load(path)
    fine, layers = _fine_layer(proto), _layers(proto)
    trunk, features = _trunk(proto, [_AFFINITY, *layers] if layers else [])
    trunk.name = card.name
    if fine and gaussian:
        append_anomaly(trunk, gaussian, fine)
    append_head(trunk, dense(weight, bias), features)
    if class_map_head:
        append_class_map_head(trunk, class_map_head, features)
    if layers and localization:
        append_localization_head(trunk, localization, layers)
    whole = finish(trunk, proto.opset_import, card)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _fine_layer(proto: onnx.ModelProto) -> str | None:
    """The name of the feature map whose positions are the affinity's fine grid; None in a model without affinity."""
    return next((node.input[0] for node in proto.graph.node if node.output[0] == _FINE_GRID), None)


def _layers(proto: onnx.ModelProto) -> list[str]:
    """The names of the mid-level feature maps behind the affinity, the finest first; none in a model without."""
    maker = {name: node for node in proto.graph.node for name in node.output}
    names = iter(_FINE_LAYER.format(i) for i in count())
    return [maker[name].input[0] for name in takewhile(maker.__contains__, names)]


def _trunk(proto: onnx.ModelProto, outputs: list[str]) -> tuple[onnx.GraphProto, str]:
    """The part of a boxless model that makes its last features and `outputs`, and the features' name."""
    without_defaults(proto)
    graph = proto.graph
    if not any(entry.key == METADATA_KEY for entry in proto.metadata_props):
        raise ModelFileError("an ONNX file, but no boxless model (it has no card): boxless attach makes one of it")
    maker = {name: node for node in graph.node for name in node.output}
    # Class maps are the features, positions in a row, times rows of weights: see boxless.export.assemble.
    features = maker[maker[maker["class_maps"].input[0]].input[1]].input[0]
    trunk = onnx.GraphProto()
    trunk.node.extend(Flow(graph, "image").nodes_to([features, *outputs]))
    used = {name for node in trunk.node for name in node.input}
    trunk.initializer.extend(each for each in graph.initializer if each.name in used)
    return trunk, features
