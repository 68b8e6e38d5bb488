"""A boxless model as a backbone: its pooled features, and another head on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import ModelFileError
from boxless.export.assemble import append_head, finish, without_defaults
from boxless.export.flow import Flow
from boxless.export.heads import dense
from boxless.export.novelty import Gaussian, append_novelty
from boxless.models.card import METADATA_KEY, Card
from boxless.models.model_file import ModelFile, find_model

Floats = NDArray[np.float32]

_POOLED = "boxless_pooled"
_CELLS = "boxless_cells"
_FINE_GRID = "fine_grid"  # the tensor by which boxless.export.assemble calls it


class Backbone:
    """A boxless model whose head is left away: a picture in, the average of its last features out.

    Args:
        model: the name of a model that comes with boxless, or a model file's path.
        threads: how many one picture may use; 0 means one a core.

    Attributes:
        path: of the model file.
        card: of the model.
        width: C, the number of its last features.
        has_cells: whether it has mid-level features, and so `cells`.

    Raises:
        ModelFileError: if there is no such model, or it is no boxless model.
    """

    def __init__(self, model: str | Path, threads: int = 1) -> None:
        self.path = find_model(model)
        self.card = ModelFile(self.path, threads=1).card
        self.card.need_maps("another head")
        proto = onnx.load(self.path)
        fine = _fine_layer(proto)
        trunk, features = _trunk(proto, [fine] if fine else [])
        helper = onnx.helper
        trunk.input.append(helper.make_tensor_value_info("image", onnx.TensorProto.UINT8, ["N", "H", "W", 3]))
        trunk.input.append(helper.make_tensor_value_info("size", onnx.TensorProto.INT64, [2]))
        space = onnx.numpy_helper.from_array(np.array([2, 3], np.int64), "boxless_space")
        trunk.initializer.append(space)
        trunk.node.append(helper.make_node("ReduceMean", [features, space.name], [_POOLED], keepdims=0))
        trunk.output.append(helper.make_tensor_value_info(_POOLED, onnx.TensorProto.FLOAT, ["N", "C"]))
        self.has_cells = fine is not None
        if fine:
            trunk.node.append(helper.make_node("Identity", [fine], [_CELLS]))
            trunk.output.append(helper.make_tensor_value_info(_CELLS, onnx.TensorProto.FLOAT, ["N", "c", "u", "v"]))
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        model_bytes = finish(trunk, proto.opset_import, self.card).SerializeToString()
        self._session = ort.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])
        side = self.card.size_multiple
        self.width = len(self.pool(np.zeros((side, side, 3), np.uint8), self.card.input_size(side, side, side)))

    def pool(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
        """The average over positions of the last features: (C,).

        Args:
            pixels: RGB (H, W, 3).
            size: the (height, width) that the network sees.
        """
        return self._run(_POOLED, pixels, size)

    def cells(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
        """The mid-level features on the affinity's fine grid: (c, u, v). Only of a backbone that `has_cells`.

        Args:
            pixels, size: as for `pool`.
        """
        return self._run(_CELLS, pixels, size)

    def _run(self, wanted: str, pixels: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
        feed = {"image": pixels[None], "size": np.array(size, np.int64)}
        return np.asarray(self._session.run([wanted], feed)[0][0], np.float32)


def with_head(
    model: str | Path,
    weight: Floats,
    bias: Floats,
    card: Card,
    finders: Sequence[Floats] = (),
    gaussian: Gaussian | None = None,
) -> onnx.ModelProto:
    """A boxless model with another head: one linear layer behind the average of its last features.

    Picture, network and affinity stay what they are.

    Args:
        model: the backbone.
        weight: (K, C).
        bias: (K,).
        card: of the new model.
        finders: see `boxless.export.heads.dense`.
        gaussian: of the backbone's `cells`; the new model says the novelty of positions where there is one.

    Raises:
        ModelFileError: if there is no such model, or it is no boxless model.
    """
    path = find_model(model)
    proto = onnx.load(path)
    fine = _fine_layer(proto)
    trunk, features = _trunk(proto, ["affinity", fine] if fine else [])
    trunk.name = card.name
    if fine and gaussian:
        append_novelty(trunk, gaussian, fine)
    append_head(trunk, dense(weight, bias, finders), features)
    whole = finish(trunk, proto.opset_import, card)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _fine_layer(proto: onnx.ModelProto) -> str | None:
    """The name of the feature map whose positions are the affinity's fine grid; None in a model without affinity."""
    return next((node.input[0] for node in proto.graph.node if node.output[0] == _FINE_GRID), None)


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
