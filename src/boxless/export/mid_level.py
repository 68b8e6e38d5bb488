"""Finds mid-level feature maps to refine with: the last outputs of the stages, by their stride."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from boxless.export.flow import Flow
from boxless.export.source import Layout

Shapes = Mapping[str, tuple[int, ...]]

_STRIDES = (8, 16, 32)
_GRID = 16
_MOST_CHANNELS = 2048
_EXPANSION = 3
"""What is wider than so many times the narrowest of its stride is the inside of an inverted bottleneck: dear, and
no output of a stage."""


@dataclass(frozen=True)
class Layer:
    """A feature map: the name and layout of its tensor, its stride in pixels a cell, and its channels."""

    name: str
    layout: Layout
    stride: int
    channels: int


def find_layers(
    flow: Flow, features: str, shapes: Shapes, size: tuple[int, int], layout: Layout
) -> tuple[tuple[Layer, ...], str]:
    """The last feature map of each width at stride 8, 16 and 32, two of stride 16, through which everything goes.

    Where there is always a way past (a cell of NASNet takes from the two before it), concatenations stand for the
    ends of its cells. Feature maps as deep as wide are taken to have the layout of the last one.

    Returns:
        The layers in order, and the name of the one whose grid is the fine one; none and "" where there is
        nothing finer than the last feature map.
    """

    def layers(names: Iterable[str]) -> list[Layer]:
        return [layer for name in names if (layer := _layer(name, shapes.get(name, ()), size, layout))]

    joined = [node.output[0] for node in flow.nodes_to([features]) if node.op_type == "Concat"]
    return _chosen(layers(flow.cuts(features))) or _chosen(_ends_of_cells(layers(joined))) or ((), "")


def _chosen(found: list[Layer]) -> tuple[tuple[Layer, ...], str] | None:
    chosen = [layer for stride in _STRIDES for layer in _last(found, stride)]
    grid = [layer.name for layer in chosen if layer.stride == _GRID]
    return (tuple(chosen), grid[-1]) if grid and found[-1].stride > _GRID else None


def _ends_of_cells(joined: list[Layer]) -> list[Layer]:
    """Those as deep as any of their stride, or nearly; the others are inside of cells."""
    deepest = {stride: max(e.channels for e in joined if e.stride == stride) for stride in {e.stride for e in joined}}
    return [layer for layer in joined if 2 * layer.channels > deepest[layer.stride]]


def _last(found: list[Layer], stride: int) -> list[Layer]:
    """The last of each width, and of these the last, or the last two of the fine grid."""
    there = [layer for layer in found if layer.stride == stride]
    widest = _EXPANSION * min((layer.channels for layer in there), default=0)
    widths = {layer.channels: layer for layer in there if layer.channels <= widest}
    return sorted(widths.values(), key=found.index)[-2 if stride == _GRID else -1 :]


def _layer(name: str, shape: tuple[int, ...], size: tuple[int, int], layout: Layout) -> Layer | None:
    if len(shape) != 4 or shape[0] != 1:  # windows may lie along the batch (Hiera)
        return None
    ways: dict[Layout, tuple[int, int, int]] = {
        "nchw": (shape[1], shape[2], shape[3]),
        "nhwc": (shape[3], shape[1], shape[2]),
    }
    for way in sorted(ways, key=lambda each: each != layout):
        channels, rows, columns = ways[way]
        # An odd size gives cells at the border, so the stride is only nearly the ratio.
        strides = [s for s in (1, 2, 4, 8, 16, 32, 64) if _close(size[0], rows, s) and _close(size[1], columns, s)]
        if strides and channels <= _MOST_CHANNELS:
            return Layer(name, way, strides[0], channels)
    return None


def _close(pixels: int, cells: int, stride: int) -> bool:
    return (
        pixels // stride - 3 <= cells <= -(-pixels // stride) + 1 and cells > 1 and 0.7 < cells * stride / pixels < 1.4
    )
