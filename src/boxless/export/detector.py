"""A detector as a model file: the image in front of the network; decoding and suppression of doubles behind it."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from boxless.detector_predictions import LEAST_SCORE
from boxless.export.assemble import (
    NETWORK_PREFIX,
    append_network,
    append_part,
    finish,
    scale_for_channels_last,
    tensor_info,
)
from boxless.models.card import Card

OVERLAP = 0.6
"""Of two boxes of a class that overlap more, in IoU, the one with the lower score goes."""

MOST_BOXES = 100
"""Of a class in an image, at most."""

# A level's cells (N, h, w, K + 4) as logits (N, P, K) and boxes (N, P, 4), xyxy in pixels of what the network sees:
# the cell's centre, and distances to the edges in cells.
_LEVEL = """
level (float[N, h, w, D] {name}_said) => (float[N, P, K] {name}_logits, float[N, P, 4] {name}_boxes)
<int64[3] {name}_flat_shape = {{0, -1, {depth}}}, int64[2] {name}_split = {{{classes}, 4}},
 int64[2] {name}_halves = {{2, 2}}, float {name}_stride = {{{stride}}}, float {name}_half = {{0.5}},
 int64 {name}_zero = {{0}}, int64 {name}_one = {{1}}, int64[1] {name}_first = {{0}}, int64[1] {name}_last = {{1}},
 int64[2] {name}_column = {{-1, 1}}>
{{
    {name}_flat = Reshape ({name}_said, {name}_flat_shape)
    {name}_logits, {name}_edges = Split <axis = 2> ({name}_flat, {name}_split)
    {name}_height = Shape <start = 1, end = 2> ({name}_said)
    {name}_width = Shape <start = 2, end = 3> ({name}_said)
    {name}_rows = Squeeze ({name}_height)
    {name}_columns = Squeeze ({name}_width)
    {name}_y = Range ({name}_zero, {name}_rows, {name}_one)
    {name}_x = Range ({name}_zero, {name}_columns, {name}_one)
    {name}_y_column = Unsqueeze ({name}_y, {name}_last)
    {name}_x_row = Unsqueeze ({name}_x, {name}_first)
    {name}_grid = Concat <axis = 0> ({name}_height, {name}_width)
    {name}_ys = Expand ({name}_y_column, {name}_grid)
    {name}_xs = Expand ({name}_x_row, {name}_grid)
    {name}_ys_flat = Reshape ({name}_ys, {name}_column)
    {name}_xs_flat = Reshape ({name}_xs, {name}_column)
    {name}_cells = Concat <axis = 1> ({name}_xs_flat, {name}_ys_flat)
    {name}_corners = Cast <to = 1> ({name}_cells)
    {name}_centres = Add ({name}_corners, {name}_half)
    {name}_before, {name}_after = Split <axis = 2> ({name}_edges, {name}_halves)
    {name}_low = Sub ({name}_centres, {name}_before)
    {name}_high = Add ({name}_centres, {name}_after)
    {name}_in_cells = Concat <axis = 2> ({name}_low, {name}_high)
    {name}_boxes = Mul ({name}_in_cells, {name}_stride)
}}
"""

# All levels together: the image's logits are those of its surest cell; boxes are cut at the border, doubles go, and
# what is left is given in pixels of the image as it came in.
_FOUND = """
found (float[N, P, K] found_logits, float[N, P, 4] found_boxes, int64[2] size, uint8[N, H, W, 3] image)
    => (float[N, K] logits, float[S, 4] boxes, float[S] box_scores, int64[S] box_classes, int64[S] box_pictures)
<int64[1] found_cells = {{1}}, int64[1] found_last = {{1}}, int64 found_most = {{{most}}},
 float found_overlap = {{{overlap}}}, float found_least = {{{least}}}, float found_nought = {{0.0}},
 int64[3] found_parts = {{1, 1, 1}}, int64[2] found_swapped = {{1, 0}}>
{{
    logits = ReduceMax <keepdims = 0> (found_logits, found_cells)
    found_chances = Sigmoid (found_logits)
    found_scores = Transpose <perm = [0, 2, 1]> (found_chances)
    found_wh = Gather (size, found_swapped)
    found_seen = Cast <to = 1> (found_wh)
    found_limits = Concat <axis = 0> (found_seen, found_seen)
    found_from = Max (found_boxes, found_nought)
    found_cut = Min (found_from, found_limits)
    found_kept = NonMaxSuppression (found_cut, found_scores, found_most, found_overlap, found_least)
    found_picture, found_class, found_cell = Split <axis = 1> (found_kept, found_parts)
    box_pictures = Squeeze (found_picture, found_last)
    box_classes = Squeeze (found_class, found_last)
    box_scores = GatherND (found_scores, found_kept)
    found_where = Concat <axis = 1> (found_picture, found_cell)
    found_chosen = GatherND (found_cut, found_where)
    found_picture_size = Shape <start = 1, end = 3> (image)
    found_picture_wh = Gather (found_picture_size, found_swapped)
    found_own = Cast <to = 1> (found_picture_wh)
    found_zoom = Div (found_own, found_seen)
    found_zooms = Concat <axis = 0> (found_zoom, found_zoom)
    boxes = Mul (found_chosen, found_zooms)
}}
"""


def detector_model(network: onnx.ModelProto, strides: Sequence[int], card: Card) -> onnx.ModelProto:
    """The boxless model of a detector.

    Args:
        network: an ONNX model from float32 RGB 0-255 (N, h, w, 3) to a map (N, h / stride, w / stride, K + 4) for each
            stride: logits, then distances in cells; see `boxless.networks.detector.detector`.
        strides: of its outputs, in their order.
        card: what the file says of itself; its `maps` are "none".

    Returns:
        A model with the inputs
            image uint8 (N, H, W, 3) RGB, any H and W;
            size int64 (2,), (height, width) of the network's input, multiples of the last stride;
        and the outputs
            logits float32 (N, K), those of the surest cell of each class;
            boxes float32 (S, 4), xyxy in pixels of the image; box_scores float32 (S,), in [0, 1];
            box_classes int64 (S,); box_pictures int64 (S,), of which of the N images they are.
    """
    classes = len(card.labels)
    graph = onnx.GraphProto(name=card.name)
    append_network(graph, _channels_first(network), (0.0,) * 3, (1.0,) * 3)
    outputs = [NETWORK_PREFIX + each.name for each in network.graph.output]
    for output, stride in zip(outputs, strides, strict=True):
        name = f"level{stride}"
        text = _LEVEL.format(name=name, stride=float(stride), classes=classes, depth=classes + 4)
        append_part(graph, text, **{f"{name}_said": output})
    for what in ("logits", "boxes"):
        parts = [f"level{stride}_{what}" for stride in strides]
        graph.node.append(helper.make_node("Concat", parts, [f"found_{what}"], axis=1))
    append_part(graph, _FOUND.format(most=MOST_BOXES, overlap=OVERLAP, least=LEAST_SCORE))
    graph.input.append(tensor_info("image", TensorProto.UINT8, "N", "H", "W", 3))
    graph.input.append(tensor_info("size", TensorProto.INT64, 2))
    graph.output.append(tensor_info("logits", TensorProto.FLOAT, "N", classes))
    graph.output.append(tensor_info("boxes", TensorProto.FLOAT, "S", 4))
    graph.output.append(tensor_info("box_scores", TensorProto.FLOAT, "S"))
    for name in ("box_classes", "box_pictures"):
        graph.output.append(tensor_info(name, TensorProto.INT64, "S"))
    scale_for_channels_last(graph, exact=True)
    whole = finish(graph, network.opset_import, card)
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _channels_first(network: onnx.ModelProto) -> onnx.ModelProto:
    """The network with an input (N, 3, h, w), as the image in front of it comes."""
    turned = onnx.ModelProto()
    turned.CopyFrom(network)
    entry = turned.graph.input[0]
    turned.graph.node.insert(0, helper.make_node("Transpose", ["planes"], [entry.name], perm=[0, 2, 3, 1]))
    entry.CopyFrom(tensor_info("planes", TensorProto.FLOAT, "N", 3, "h", "w"))
    return turned
