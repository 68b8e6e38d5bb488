"""The size and cost of a boxless model: parameters, operations, milliseconds, cells of its maps."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx

from boxless.graph.assemble import NETWORK_PREFIX
from boxless.graph.flow import shapes
from boxless.model_file import ModelFile

_RUNS = 5


def measure(path: Path) -> dict[str, str]:
    """Facts by name, in words."""
    opened = ModelFile(path)
    card = opened.card
    model = onnx.load(path)
    weights = [t for t in model.graph.initializer if t.name.startswith(("network/", "tail/", "head_"))]
    size = card.fixed_size or (224, 224)
    facts = {
        "classes": f"{len(card.labels)} ({card.activation})",
        "class maps": card.maps,
        "parameters": f"{sum(int(np.prod(t.dims)) for t in weights) / 1e6:.2f} million",
    }
    if operations := multiplications(model, size):
        facts["operations"] = f"{operations / 1e9:.2f} billion multiplications at {size[0]} x {size[1]}"
    for side in (224, 448) if card.fixed_size is None else (0,):
        height, width = card.fixed_size or card.look_size(side, side, side)
        pixels = np.zeros((height, width, 3), np.uint8)
        times = []
        for _ in range(_RUNS):
            start = time.perf_counter()
            out = opened.run(pixels, size=(height, width), top=1)
            times.append(time.perf_counter() - start)
        cells = "no refinement" if out.affinity is None else "refined on {} x {}".format(*out.affinity.shape[:2])
        rows, columns = out.class_maps.shape[1:]
        facts[f"at {height} x {width}"] = f"map {rows} x {columns}, {cells}, {np.median(times) * 1e3:.1f} ms"
    return facts


def multiplications(model: onnx.ModelProto, size: tuple[int, int]) -> int:
    """Multiplications of convolutions and matrix products of the network for one picture of that size.

    0 where shapes cannot be inferred, as through padding that is computed.
    """
    network = [node for node in model.graph.node if node.output[0].startswith((NETWORK_PREFIX, "tail/"))]
    part = onnx.ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    part.graph.name = "network"
    part.graph.node.extend(network)
    part.graph.initializer.extend(model.graph.initializer)
    part.graph.input.append(onnx.helper.make_tensor_value_info("picture_scaled", onnx.TensorProto.FLOAT, None))
    known = shapes(part, "picture_scaled", (1, 3, *size))
    dims = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    total = 0
    for node in network:
        after = known.get(node.output[0])
        if after is None or len(node.input) < 2:
            continue
        weight = dims.get(node.input[1], known.get(node.input[1], ()))
        if node.op_type == "Conv":
            total += int(np.prod(after)) * int(np.prod(weight[1:]))
        elif node.op_type in ("Gemm", "MatMul"):
            inner = known.get(node.input[0], (0,))[-1]
            total += int(np.prod(after)) * int(inner)
    return total
