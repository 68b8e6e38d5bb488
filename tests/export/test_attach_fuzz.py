"""Mutated graphs and damaged files: attached rightly or refused, never a crash."""

from __future__ import annotations

import random
from pathlib import Path

import onnx
import pytest
from onnx import helper
from tests.export.small import EXACT, LINEARISED, REFUSED, classifier

from boxless import NetworkError
from boxless.export import attach
from boxless.export.attachment import Attached

ENDS = [*EXACT.values(), *LINEARISED.values(), *(end for end, _ in REFUSED.values())]
UNARY = ["Relu", "Sigmoid", "Tanh", "Identity", "Neg", "Abs", "Exp", "Softmax", "Sqrt", "Flatten", "GlobalAveragePool",
         "Transpose", "HardSwish", "ReduceMean", "Squeeze", "Not", "Shape", "NoSuchOperator"]  # fmt: skip
BINARY = ["Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Concat"]


def mutated(chance: random.Random) -> onnx.ModelProto:
    """A small classifier with one to three things changed."""
    model = classifier(chance.choice(ENDS))
    graph = model.graph
    for _ in range(chance.randint(1, 3)):
        node = chance.choice(graph.node)
        what = chance.randrange(8)
        if what == 0:
            node.op_type = chance.choice(UNARY if len(node.input) == 1 else UNARY + BINARY)
        elif what == 1:
            graph.node.remove(node)
        elif what == 2 and node.attribute:
            del node.attribute[chance.randrange(len(node.attribute))]
        elif what == 3 and node.input:
            others = [name for each in graph.node for name in each.output] + [t.name for t in graph.initializer]
            node.input[chance.randrange(len(node.input))] = chance.choice(others)
        elif what == 4 and graph.initializer:
            tensor = chance.choice(graph.initializer)
            tensor.dims[:] = [*tensor.dims[::-1]]
        elif what == 5:
            place = list(graph.node).index(node)
            name = f"extra_{place}_{chance.random()}"
            extra = helper.make_node(chance.choice(UNARY), [node.output[0]], [name])
            for each in list(graph.node)[place + 1 :]:
                each.input[:] = [name if given == node.output[0] else given for given in each.input]
            graph.node.insert(place + 1, extra)
        elif what == 6:
            first, second = (chance.choice(graph.node).output[0] for _ in range(2))
            place = list(graph.node).index(node)
            graph.node.insert(place + 1, helper.make_node(chance.choice(BINARY), [first, second], [f"side_{place}"]))
            if node.output[0] != "y":
                for each in list(graph.node)[place + 2 :]:
                    each.input[:] = [f"side_{place}" if given == node.output[0] else given for given in each.input]
        elif len(graph.node) > 1:
            graph.output[0].name = node.output[0]
        if not graph.node:
            break
    return model


def attached(path: Path, out: Path) -> Attached | None:
    """What was attached, or None where it was refused; a refusal is short and leaves nothing behind."""
    try:
        return attach(path, out, input_size=(64, 64), preprocess="unit", allow_max_pool=True)
    except NetworkError as error:
        assert 10 < len(str(error)) < 1000
        assert "Traceback" not in str(error)
        assert [each.name for each in out.parent.iterdir()] == [path.name]
        return None


@pytest.mark.parametrize("part", range(4))
def test_mutated_graphs(part: int, tmp_path: Path) -> None:
    taken = 0
    for seed in range(part * 75, part * 75 + 75):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / "mutated.onnx"
        onnx.save(mutated(random.Random(seed)), path)
        made = attached(path, folder / "out.onnx")
        if made is not None:
            taken += 1
            assert made.proof.difference <= 1e-4
            assert made.proof.completeness is None or made.proof.completeness <= 1e-3
    assert 5 <= taken < 75  # neither everything nor nothing


def test_damaged_files(tmp_path: Path) -> None:
    whole = classifier(EXACT["gemm"]).SerializeToString()
    chance = random.Random(0)
    for turn in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if turn % 3 == 0:
            damaged = damaged[: chance.randrange(len(damaged))]
        folder = tmp_path / str(turn)
        folder.mkdir()
        path = folder / "damaged.onnx"
        path.write_bytes(bytes(damaged))
        attached(path, folder / "out.onnx")
