"""The size and cost of a boxless model: parameters, operations, milliseconds, cells of its maps."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx

from boxless.export.assemble import NETWORK_PREFIX
from boxless.export.flow import Flow
from boxless.export.proof import completeness
from boxless.export.shapes import measured
from boxless.models.model_file import ModelFile, inputs

_RUNS = 5
_MIXING = frozenset(["Conv", "Gemm", "MatMul"])


def measure(path: Path) -> dict[str, str]:
    """Facts by name, in words."""
    opened = ModelFile(path)
    card = opened.card
    card.need_maps("boxless inspect")
    model = onnx.load(path)
    weights = [t for t in model.graph.initializer if t.name.startswith(("network/", "tail/", "head_"))]
    size = card.fixed_size or (224, 224)
    facts = {
        "the end": " -> ".join(_end(model)),
        "classes": f"{len(card.labels)} ({card.activation})",
        "class maps": card.maps,
    }
    if card.maps == "exact":
        facts["completeness"] = f"{completeness(path, card, size):.1e} of the largest logit"
    facts["parameters"] = _count(sum(int(np.prod(t.dims)) for t in weights))
    for name, preset in card.presets.items():
        scales = f"passes at {' and '.join(map(str, preset.scales))}"
        localized = "".join(f", for {len(each.classes)} classes at {each.scale}" for each in preset.localization)
        facts[name] = f"{scales}{localized}, threshold {preset.cut}"
    facts["operations"] = f"{_count(multiplications(model, size))} multiplications at {size[0]} x {size[1]}"
    for side in (224, 448) if card.fixed_size is None else (0,):
        height, width = card.fixed_size or card.input_size(side, side, side)
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


def _end(model: onnx.ModelProto) -> list[str]:
    """The path from the last feature map to the logits: the map's name, and the operators."""
    flow = Flow(model.graph, "image")
    features = flow.maker["head_flat"].input[0]
    kinds = [node.op_type for node in flow.nodes_to(["logits"], stop=[features]) if node.op_type != "Constant"]
    # `attach` appends a reshape, which is not part of the network.
    kinds = kinds[:-1] if kinds[-1:] == ["Reshape"] else kinds
    return [features.removeprefix(NETWORK_PREFIX), *kinds, "logits"]


def _count(number: int) -> str:
    """In words, three digits or so."""
    for unit, name in ((10**9, "billion"), (10**6, "million")):
        if number >= unit // 10:
            return f"{number / unit:.2f} {name}"
    return f"{number:,}"


def multiplications(model: onnx.ModelProto, size: tuple[int, int]) -> int:
    """Multiplications of the convolutions and matrix products that lead to the logits, for one image of that size.

    The graph is run once and asked for shapes: no shape inference sees through padding that is computed. Afterwards the
    model's outputs are those shapes.
    """
    mixing = [node for node in Flow(model.graph, "image").nodes_to(["logits"]) if node.op_type in _MIXING]
    names = dict.fromkeys(name for node in mixing for name in (*node.input[:2], node.output[0]))
    dims = measured(model, list(names), inputs(np.zeros((*size, 3), np.uint8), size=size))
    total = 0
    for node in mixing:
        one, other, made = (dims[name] for name in (*node.input[:2], node.output[0]))
        # Each number made is a sum over a filter's weights, or over a row (a column, if it is turned).
        turned = any(each.name == "transA" and each.i for each in node.attribute)
        total += int(np.prod(made)) * int(np.prod(other[1:]) if node.op_type == "Conv" else one[0 if turned else -1])
    return total
