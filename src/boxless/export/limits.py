"""What a classifier's file may ask for. A graph is a program from a stranger: small files can ask for endless work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import onnx

from boxless.errors import NetworkError

MAX_NODES = 200_000
"""Of a graph, its functions written out. The largest classifiers have some 10,000."""

MAX_DEPTH = 500
"""Functions of a graph that call each other, one in the other."""

MAX_PIXELS = 2048 * 2048
"""Of what a classifier takes."""

MAX_TENSOR = 2**31
"""Bytes of a tensor for one image."""


def check_functions(model: onnx.ModelProto) -> None:
    """Makes sure that a graph stays of a sane size when its functions are written out.

    Raises:
        NetworkError: if it would not, if functions call themselves, or each other too deep.
    """
    bodies = {(each.domain, each.name): each for each in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Iterable[onnx.NodeProto], above: tuple[tuple[str, str], ...]) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if len(above) > MAX_DEPTH:
                raise NetworkError(f"its functions call each other more than {MAX_DEPTH} deep")
            if key in above:
                raise NetworkError(f"its function {node.op_type} calls itself (expected a graph without recursion)")
            if key in bodies and key not in sizes:
                sizes[key] = size(bodies[key].node, (*above, key))
            total += sizes.get(key, 1)
            for attribute in node.attribute:
                graphs = [attribute.g] if attribute.HasField("g") else attribute.graphs
                total += sum(size(graph.node, above) for graph in graphs)
        return total

    total = size(model.graph.node, ())
    if total > MAX_NODES:
        raise NetworkError(f"its graph has {total:,} nodes with its functions written out (at most {MAX_NODES:,})")


def check_size(size: tuple[int, int]) -> None:
    """Makes sure that a classifier's images are of a size that can be shown to it.

    Raises:
        NetworkError: if they are larger, or nothing.
    """
    if min(size) < 1:
        raise NetworkError(f"input size {size[0]} x {size[1]} (expected a height and a width in pixels)")
    if size[0] * size[1] > MAX_PIXELS:
        side = math.isqrt(MAX_PIXELS)
        raise NetworkError(
            f"it takes images of {size[0]} x {size[1]} (at most {side} x {side} pixels); export it for smaller ones, "
            "or say a smaller size with --input-size"
        )


def check_tensors(shapes: Mapping[str, Sequence[int]]) -> None:
    """Makes sure that no tensor of a graph takes more memory than a classifier needs.

    Raises:
        NetworkError: naming the first that would.
    """
    for name, shape in shapes.items():
        if 4 * math.prod(shape) > MAX_TENSOR:
            dims = " x ".join(map(str, shape))
            raise NetworkError(f"its tensor {name} takes {4 * math.prod(shape) / 1e9:.0f} GB for one image ({dims})")
