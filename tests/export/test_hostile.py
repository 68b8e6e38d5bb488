"""Files that ask for endless memory or time are refused with the reason, before anything is made of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from onnx import helper
from tests.export.small import EXACT, classifier, saved

from boxless import NetworkError
from boxless.export import attach
from boxless.export.classifier_files import attach_file


def refusal(path: Path) -> str:
    with pytest.raises(NetworkError) as error:
        attach_file(path, path.with_name("out.onnx"))
    assert not [each for each in path.parent.iterdir() if each.name.startswith((".", "out"))]
    return str(error.value)


def with_functions(bodies: list[tuple[str, str]]) -> onnx.ModelProto:
    """A classifier that calls functions; each body calls another twice."""
    model = classifier(EXACT["gemm"])
    model.opset_import.append(helper.make_opsetid("own", 1))
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    for name, inner in bodies:
        domain = "own" if inner.startswith("f") else ""
        nodes = [
            helper.make_node(inner, ["a"], ["b"], domain=domain),
            helper.make_node(inner, ["b"], ["c"], domain=domain),
        ]
        model.functions.append(helper.make_function("own", name, ["a"], ["c"], nodes, opsets))
    for node in model.graph.node:
        if node.output[0] == "f":
            node.op_type, node.domain = bodies[-1][0], "own"
    return model


def test_functions_that_double(tmp_path: Path) -> None:
    bodies = [("f0", "Relu"), *((f"f{i}", f"f{i - 1}") for i in range(1, 31))]
    assert "nodes with its functions written out" in refusal(saved(with_functions(bodies), tmp_path, "many"))


def test_a_few_functions_are_written_out(tmp_path: Path) -> None:
    path = saved(with_functions([("f0", "Relu"), ("f1", "f0")]), tmp_path)
    assert attach(path, tmp_path / "out.onnx", input_size=(64, 64)).card.maps == "exact"


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    assert "calls itself" in refusal(saved(with_functions([("f0", "f1"), ("f1", "f0")]), tmp_path))


def test_functions_that_call_each_other_deep(tmp_path: Path) -> None:
    bodies = [("f0", "Relu"), *((f"f{i}", f"f{i - 1}") for i in range(1, 600))]
    assert "more than 500 deep" in refusal(saved(with_functions(bodies), tmp_path))


def test_a_huge_image(tmp_path: Path) -> None:
    model = classifier(EXACT["gemm"])
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = 30000
    assert "images of 30000 x 30000 (at most 2048 x 2048 pixels)" in refusal(saved(model, tmp_path))


def test_a_huge_tensor(tmp_path: Path) -> None:
    end = (
        "wider = Expand (f, wide)\n p4 = GlobalAveragePool (wider)\n p = Flatten (p4)\n y = Gemm <transB = 1> (p, w, b)"
    )
    model = classifier(end, wide=np.array([1, 6, 50000, 50000], np.int64).reshape(4))
    model.graph.node[-4].input[0] = "one_cell"
    model.graph.node.insert(8, helper.make_node("GlobalMaxPool", ["f"], ["one_cell"]))
    assert "takes 60 GB for one image" in refusal(saved(model, tmp_path))


def test_a_tensor_whose_size_is_known_when_the_model_runs(tmp_path: Path) -> None:
    """150,000 x 150,000 where an image is not black: no shape in the file says so, nor does a run on black."""
    end = """
        peak = ReduceMax <keepdims = 0> (f)
        lit = Sign (peak)
        side0 = Mul (lit, many)
        side1 = Max (side0, unit)
        side = Reshape (side1, minus)
        square = Concat <axis = 0> (side, side)
        dims = Cast <to = 7> (square)
        nought = ConstantOfShape (dims)
        nothing = ReduceSum <keepdims = 0> (nought)
        g = Add (f, nothing)
        p4 = GlobalAveragePool (g)
        p = Flatten (p4)
        y = Gemm <transB = 1> (p, w, b)"""
    many, unit = np.array([150_000], np.float32), np.ones(1, np.float32)
    said = refusal(saved(classifier(end, minus=np.array([-1], np.int64), many=many, unit=unit), tmp_path))
    assert "it asks for 90.0 GB at once; models get" in said


def test_an_archive_that_inflates(tmp_path: Path) -> None:
    path = tmp_path / "network.keras"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("config.json", "w", force_zip64=True) as file,
    ):
        for _ in range(2100):
            file.write(bytes(2**20))
    assert path.stat().st_size < 4e6
    assert "inflates to 2.2 GB" in refusal(path)


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_weights_that_inflate(suffix: str, tmp_path: Path) -> None:
    """Chunks that were never written take no room, be they in a file or in an archive."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file.create_dataset(
            "layers/dense/vars/0", (50_000, 50_000), np.float32, chunks=(1000, 1000), compression="gzip"
        )
    path = tmp_path / f"network{suffix}"
    if suffix == ".h5":
        path.write_bytes(held.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5", held.getvalue())
    assert "inflates to 10.0 GB" in refusal(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("network.pt", b"PK\x03\x04", "boxless.from_torch"),
        ("network.pth", b"\x80\x02", "boxless.from_torch"),
        ("network.safetensors", b"{}", "boxless.from_torch"),
        ("network.tflite", b"TFL3", "attach the Keras model"),
        ("network.keras", b"PK\x03\x04 and no archive", "a damaged Keras file"),
        ("network.h5", b"\x89HDF\r\n\x1a\n and nothing", "a damaged Keras file"),
        ("network.keras", b"text", "no saved Keras model"),
    ],
)
def test_files_of_other_kinds(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal(tmp_path / name)
