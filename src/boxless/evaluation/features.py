"""A model opened for study: its features come out too, so that any method of the family can make the maps.

The shipped graph gives class maps and nothing that users would pay for in time. For comparisons the file is read,
the features are named as one more output in memory, and the file is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from boxless.errors import ModelFileError
from boxless.maps.cam_methods import METHODS
from boxless.models.arena import bounded
from boxless.models.card import METADATA_KEY, Card
from boxless.models.model_file import MAYBE, ModelFile, Output, find_model, inputs
from boxless.system.extras import require

Floats = NDArray[np.float32]


class FeatureNetwork:
    """A `Network` whose maps are made by a method of the family instead of the graph.

    The model is as for `ModelFile`, the method one of `METHODS`; with `walk`, maps are refined with the model's
    affinity, as its own are.

    Raises:
        ModelFileError: if there is no such method, or the model's head is not an average and a linear layer.
        MissingExtraError: without the onnx package.
    """

    def __init__(self, model: str | Path, method: str = "cam", *, walk: bool = True, threads: int = 0) -> None:
        if method not in METHODS:
            raise ModelFileError(f"no method '{method}' (there are {', '.join(METHODS)})")
        require("graph", "a method of one's own")
        import onnx
        from onnx import numpy_helper

        self._method = METHODS[method]
        path = find_model(model)
        ModelFile(path, threads).card.need_maps("a method")
        proto = onnx.load(path)
        graph = proto.graph
        makers = {name: node for node in graph.node for name in node.output}
        weights = {each.name: each for each in graph.initializer}
        linear = makers.get("logits")
        pooling = makers.get(linear.input[0]) if linear is not None and linear.op_type == "Gemm" else None
        if linear is None or pooling is None or pooling.op_type != "ReduceMean":
            raise ModelFileError(f"{path}: its head is no average and linear layer, so the methods have no closed form")
        self.weight: Floats = numpy_helper.to_array(weights[linear.input[1]])
        self.bias: Floats = numpy_helper.to_array(weights[linear.input[2]])
        self._features = pooling.input[0]
        graph.output.append(onnx.helper.make_tensor_value_info(self._features, onnx.TensorProto.FLOAT, None))
        options = bounded(ort.SessionOptions())
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self._session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        card = Card.from_json(self._session.get_modelmeta().custom_metadata_map[METADATA_KEY])
        # Evidence of other methods is on other scales, on which no level was set.
        presets = {name: each if method == "cam" else replace(each, min_activation=0.0)
                   for name, each in card.presets.items()}  # fmt: skip
        self.card = replace(card, presets=presets)
        outputs = {output.name for output in self._session.get_outputs()}
        self._maybe = [name for name in MAYBE if walk and name in outputs]
        self._outputs = ["logits", "chosen", self._features, *self._maybe]

    def run(
        self, pixels: NDArray[np.uint8], *, size: tuple[int, int], classes: Sequence[int] = (), top: int = 1
    ) -> Output:
        """Runs one pass; see `ModelFile.run`."""
        feed = inputs(pixels, size=size, classes=classes, top=top)
        logits, chosen, features, *rest = (each[0] for each in self._session.run(self._outputs, feed))
        maps = self._method(features, self.weight[chosen], self.bias[chosen])
        return Output(logits, chosen, maps, **dict(zip(self._maybe, rest, strict=True)))
