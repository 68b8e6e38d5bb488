from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from tests.command_line import boxless
from tests.export.small import EXACT, REFUSED, classifier, saved

from boxless import ModelFile
from boxless.export.preprocessing import WAYS


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return saved(classifier(EXACT["softmax"]), tmp_path, "network")


@pytest.mark.parametrize("way", WAYS)
def test_attach_shows_what_it_found(way: str, network: Path, tmp_path: Path) -> None:
    out, labels = tmp_path / "out.onnx", tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\ne\n")
    options = ("--out", out, "--labels", labels, "--preprocess", way, "--input-size", 64, 96, "--layout", "nchw")
    done = boxless("attach", network, *options)
    assert done.returncode == 0, done.stderr
    for said in ("GlobalAveragePool", "then softmax", "exact", "bit for bit", "completeness", str(WAYS[way])):
        assert said in done.stdout
    card = ModelFile(out).card
    assert card.labels == tuple("abcde")
    assert card.activation == "softmax"


def test_what_is_attached_locates(network: Path, tmp_path: Path, coffee: Path) -> None:
    out = tmp_path / "out.onnx"
    assert boxless("attach", network, "--out", out).returncode == 0
    done = boxless("locate", coffee, "--model", out)
    assert done.returncode == 0, done.stderr
    assert "class " in done.stdout


def test_a_refusal_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    path = saved(classifier(REFUSED["flattened"][0]), tmp_path)
    done = boxless("attach", path, "--out", tmp_path / "out.onnx")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "(24, 5)" in done.stderr
    assert "boxless train --network vgg16_gap" in done.stderr
    assert list(tmp_path.iterdir()) == [path]


def test_a_classifier_is_sent_to_attach(network: Path, coffee: Path) -> None:
    done = boxless("locate", coffee, "--model", network)
    assert done.returncode == 2
    assert f"boxless attach {network} --out" in done.stderr


def test_inspect_a_classifier_and_what_it_became(network: Path, tmp_path: Path) -> None:
    said = "f -> GlobalAveragePool -> Flatten -> Gemm -> logits"
    first = boxless("inspect", network)
    assert said in first.stdout
    assert list(tmp_path.iterdir()) == [network]
    boxless("attach", network, "--out", tmp_path / "out.onnx")
    second = boxless("inspect", tmp_path / "out.onnx")
    for line in (
        said,
        "class maps     exact",
        "completeness",
        "parameters",
        "multiplications at 224 x 224",
        "map 14 x 14",
    ):
        assert line in first.stdout
        assert line in second.stdout


def test_inspect_takes_what_attach_takes(tmp_path: Path) -> None:
    model = classifier(EXACT["gemm"])
    model.graph.output.append(onnx.helper.make_tensor_value_info("p", onnx.TensorProto.FLOAT, ["N", 6]))
    path = saved(model, tmp_path)
    assert "choose one with --output" in boxless("inspect", path).stderr
    assert "logits" in boxless("inspect", path, "--output", "y", "--input-size", 64, 64).stdout


def test_inspect_the_embedded_model() -> None:
    done = boxless("inspect", "efficientnet-lite0")
    assert done.returncode == 0
    assert "0.39 billion multiplications" in done.stdout


def test_inspect_what_is_not_there() -> None:
    assert "no model 'nowhere.onnx'" in boxless("inspect", "nowhere.onnx").stderr
