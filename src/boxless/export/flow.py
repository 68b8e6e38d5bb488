"""How images flow through an ONNX graph: who makes what, and which tensors everything passes through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

NO_IMAGE = frozenset(["Shape", "Size"])
"""What comes out of these depends on an image's size, not on the image."""


class Flow:
    """A graph, indexed.

    Args:
        graph: sorted topologically, as ONNX demands.
        entry: the name of the input that takes the image.
        opsets: of its operators.
    """

    def __init__(self, graph: onnx.GraphProto, entry: str, opsets: Sequence[onnx.OperatorSetIdProto] = ()) -> None:
        self.graph = graph
        self.opsets = list(opsets)
        self.entry = entry
        self.maker = {name: node for node in graph.node for name in node.output if name}
        self.initializers = {tensor.name: tensor for tensor in graph.initializer}
        self._position = {id(node): i for i, node in enumerate(graph.node)}

    @cached_property
    def from_image(self) -> frozenset[str]:
        """The tensors that depend on the image."""
        known = {self.entry}
        for node in self.graph.node:
            if node.op_type not in NO_IMAGE and known.intersection(node.input):
                known.update(node.output)
        return frozenset(known)

    def constant(self, name: str) -> NDArray[np.generic] | None:
        """The value of what depends on nothing but constants, computed where it has to be; None if it is not that."""
        if name in self.initializers:
            return np.asarray(numpy_helper.to_array(self.initializers[name]))
        node = self.maker.get(name)
        if node is not None and node.op_type == "Constant":
            value = attributes(node).get("value")
            if isinstance(value, onnx.TensorProto):
                return np.asarray(numpy_helper.to_array(value))
            simple = [each for key, each in attributes(node).items() if key in _SIMPLE_CONSTANTS]
            return np.asarray(simple[0]) if simple else None
        if node is not None and node.op_type in _FOLDED and node.domain in ("", "ai.onnx"):
            given = [self.constant(each) if each else None for each in node.input]
            known = all(value is not None or not each for value, each in zip(given, node.input, strict=True))
            if known and np.prod([max(1, value.size) for value in given if value is not None]) <= _MOST_FOLDED:
                return self._folded(node, given)
        return None

    def _folded(self, node: onnx.NodeProto, given: Sequence[NDArray[np.generic] | None]) -> NDArray[np.generic] | None:
        names = [name for name in node.input if name]
        graph = helper.make_graph(
            [node],
            "folded",
            [helper.make_empty_tensor_value_info(each) for each in dict.fromkeys(names)],
            [helper.make_empty_tensor_value_info(node.output[0])],
        )
        # The evaluator knows these since opset 19; they compute the same.
        opsets = [helper.make_opsetid("", 21)] if node.op_type in _QUANTIZING else self.opsets
        model = helper.make_model(graph, opset_imports=opsets)
        feed = dict(zip(names, [value for value in given if value is not None], strict=True))
        try:
            evaluator: Any = ReferenceEvaluator(model)
            return np.asarray(evaluator.run([node.output[0]], feed)[0])
        # What cannot be evaluated is no constant; the evaluator raises nearly anything.
        except Exception:
            return None

    def insert(self, node: onnx.NodeProto, before: onnx.NodeProto) -> None:
        """Adds a node in front of another."""
        place = next(i for i, each in enumerate(self.graph.node) if each is before or each == before)
        self.graph.node.insert(place, node)
        self.maker |= dict.fromkeys(node.output, self.graph.node[place])
        self._position = {id(each): i for i, each in enumerate(self.graph.node)}

    def nodes_to(
        self, goals: Iterable[str], stop: Iterable[str] = (), closed: Iterable[str] = ()
    ) -> list[onnx.NodeProto]:
        """The nodes that the goals need, in order.

        What makes a tensor of `stop` is left out, and what only operators of `closed` need.
        """
        waiting, seen, found = list(goals), set(stop), {}
        while waiting:
            name = waiting.pop()
            node = None if name in seen else self.maker.get(name)
            seen.add(name)
            if node is not None and id(node) not in found:
                found[id(node)] = node
                waiting.extend(() if node.op_type in closed else node.input)
        return sorted(found.values(), key=lambda node: self._position[id(node)])

    def cuts(self, goal: str) -> list[str]:
        """The tensors through which every way from the image to the goal goes, in order, the goal last.

        After such a tensor is made, it alone is still needed of all that depends on the image.
        """
        needed = self.nodes_to([goal], closed=NO_IMAGE)
        nodes = [node for node in needed if self.from_image.intersection(node.output)]
        last_use = {goal: len(nodes)}
        for i, node in enumerate(nodes):
            if node.op_type not in NO_IMAGE:
                last_use |= {name: max(i, last_use.get(name, 0)) for name in node.input if name in self.from_image}
        live = {self.entry}
        found = [self.entry]
        for i, node in enumerate(nodes):
            live.update(name for name in node.output if last_use.get(name, -1) > i)
            live = {name for name in live if last_use.get(name, -1) > i}
            if len(live) == 1 and node.output[0] in live:
                found.append(node.output[0])
        return found


_QUANTIZING = frozenset(["QuantizeLinear", "DequantizeLinear"])
_FOLDED = frozenset([*_QUANTIZING, "Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten",
                     "Add", "Sub", "Mul", "Div", "Neg", "Reciprocal", "Sqrt", "Pow", "Exp"])  # fmt: skip
_MOST_FOLDED = 2**28
"""Bounds what can come of a constant's computation: the sizes of its operands, multiplied."""

_SIMPLE_CONSTANTS = ("value_float", "value_floats", "value_int", "value_ints")


def attributes(node: onnx.NodeProto) -> dict[str, object]:
    """A node's attributes, as Python values."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
