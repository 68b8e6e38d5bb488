"""The Open Inference Protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serve.running import Answer, Running, running
from tests.small_detector import write_detector

from boxless.export.anomaly import Gaussian
from boxless.export.assemble import write_model
from boxless.export.backbone import Backbone, with_head
from boxless.export.localization_head import LocalizationHead
from boxless.imaging.read import read_picture, resize_pixels
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

IMAGE = {"name": "image", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": [0] * 12}


def infer(service: Running, *inputs: dict[str, Any], **more: object) -> Answer:
    body = json.dumps({"inputs": list(inputs), **more}).encode()
    return service.ask(f"/v2/models/{DEFAULT_MODEL}/infer", body, content_type="application/json")


def test_the_graph_says_what_it_says_here(service: Running, coffee: Path) -> None:
    pixels = resize_pixels(read_picture(coffee).pixels, 128, 192)
    image = {"name": "image", "datatype": "UINT8", "shape": [1, *pixels.shape], "data": pixels.ravel().tolist()}
    answer = infer(
        service,
        image,
        {"name": "size", "datatype": "INT64", "shape": [2], "data": [128, 192]},
        {"name": "classes", "datatype": "INT64", "shape": [1], "data": [968]},
        {"name": "top", "datatype": "INT64", "shape": [1], "data": [1]},
        id="seven",
    )
    assert answer.status == 200, answer.body
    assert answer.json["id"] == "seven"
    made = {each["name"]: np.array(each["data"], np.float32).reshape(each["shape"]) for each in answer.json["outputs"]}
    expected = ModelFile(DEFAULT_MODEL, 1).run(pixels, size=(128, 192), classes=[968], top=1)
    assert made["chosen"].tolist() == [expected.chosen.tolist()]
    np.testing.assert_allclose(made["logits"][0], expected.logits, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(made["class_maps"][0], expected.class_maps, rtol=1e-3, atol=1e-3)
    assert expected.affinity is not None
    np.testing.assert_allclose(made["affinity"][0], expected.affinity, rtol=1e-3, atol=1e-4)


def test_settings_may_be_left_out_and_outputs_chosen(service: Running) -> None:
    half_a_letter = json.loads(r'"\ud800"')
    answer = infer(service, IMAGE, outputs=[{"name": "chosen"}], id=half_a_letter).json
    assert [each["name"] for each in answer["outputs"]] == ["chosen"]
    assert answer["outputs"][0]["shape"] == [1, 1]
    assert answer["id"] == half_a_letter


def test_metadata_and_health(service: Running) -> None:
    assert service.ask("/v2").json["name"] == "boxless"
    assert service.ask("/v2/health/live").status == service.ask("/v2/health/ready").status == 200
    assert service.ask(f"/v2/models/{DEFAULT_MODEL}/ready").json["ready"]
    model = service.ask(f"/v2/models/{DEFAULT_MODEL}").json
    assert [each["name"] for each in model["inputs"]] == ["image", "size", "classes", "top"]
    assert [each["name"] for each in model["outputs"]] == ["logits", "chosen", "class_maps", "affinity"]
    assert service.ask("/v2/models/resnet").kind == "unknown-model"


def setting(name: str, *values: object) -> dict[str, Any]:
    return {"name": name, "datatype": "INT64", "shape": [len(values)], "data": list(values)}


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "no input 'image'"),
        ([{"name": "picture"}], "none of image, size, classes, top"),
        (["image"], "none of image"),
        ([{"name": []}], "none of image"),
        ([{**IMAGE, "shape": [1, 10**4000, 10**4000, 3]}], "at most"),
        ([{**IMAGE, "data": [10**400] * 12}], "not numbers"),
        ([{**IMAGE, "datatype": "FP32"}], "expected UINT8"),
        ([{**IMAGE, "shape": [1, 2, 3]}], "expected [1, -1, -1, 3]"),
        ([{**IMAGE, "shape": [1, 0, 2, 3]}], "shape"),
        ([{**IMAGE, "shape": [1, -2, -2, 3]}], "shape"),
        ([{**IMAGE, "shape": [1, 100_000, 100_000, 3]}], "at most"),
        ([{**IMAGE, "data": [0] * 11}], "11 values"),
        ([{**IMAGE, "data": [256] * 12}], "do not fit"),
        ([{**IMAGE, "data": ["a"] * 12}], "not numbers"),
        ([IMAGE, setting("size", 33, 32)], "multiples of 32"),
        ([IMAGE, setting("size", 10_240, 10_240)], "at most 1024"),
        ([IMAGE, setting("top", 0)], "expected 1 to 20"),
        ([IMAGE, setting("classes", 1000)], "no class 1000"),
    ],
)
def test_bad_tensors_are_refused(service: Running, inputs: list[Any], said: str) -> None:
    answer = infer(service, *inputs)
    assert answer.kind in ("bad-tensor", "unknown-class")
    assert said in answer.json["detail"]


def test_an_output_that_is_no_name_is_refused(service: Running) -> None:
    answer = infer(service, IMAGE, outputs=[{"name": []}])
    assert (answer.status, answer.kind) == (400, "bad-tensor")
    assert "no output [] (there are logits, chosen" in answer.json["detail"]


def test_a_model_gives_the_outputs_that_it_has(coffee: Path, tmp_path: Path) -> None:
    trunk = Backbone(DEFAULT_MODEL)
    pixels = resize_pixels(read_picture(coffee).pixels, 64, 64)
    layer = trunk.cells(read_picture(coffee).pixels, (128, 160)).layers[trunk.anomaly_layer]
    head = np.zeros((2, trunk.width), np.float32), np.zeros(2, np.float32)
    usual = Gaussian.of(layer.reshape(len(layer), -1).T)
    probable = LocalizationHead(tuple(np.ones((2, width), np.float32) for width in trunk.layer_widths), head[1])
    for name, added in (("localizing", (probable, usual)), ("plain", (None, None))):
        card = replace(trunk.card, name=name, labels=("a", "b"), class_ids=())
        write_model(with_head(DEFAULT_MODEL, *head, card, *added), tmp_path / f"{name}.onnx")
    image = {"name": "image", "datatype": "UINT8", "shape": [1, *pixels.shape], "data": pixels.ravel().tolist()}
    body = json.dumps({"inputs": [image, {"name": "size", "datatype": "INT64", "shape": [2], "data": [64, 64]}]})
    with running(models=[str(file) for file in tmp_path.glob("*.onnx")]) as service:
        for name, more in (("localizing", ["anomaly", "localization_maps"]), ("plain", [])):
            told = [each["name"] for each in service.ask(f"/v2/models/{name}").json["outputs"]]
            answer = service.ask(f"/v2/models/{name}/infer", body.encode(), content_type="application/json")
            made = {each["name"]: each for each in answer.json["outputs"]}
            assert list(made) == told == ["logits", "chosen", "class_maps", "affinity", *more]
            expected = ModelFile(tmp_path / f"{name}.onnx", 1).run(pixels, size=(64, 64))
            for output in more:
                value = getattr(expected, output)
                assert made[output]["shape"] == [1, *value.shape]
                np.testing.assert_allclose(made[output]["data"], value.ravel(), rtol=1e-3)


def test_a_detector_has_boxes_in_place_of_maps(tmp_path: Path) -> None:
    file = write_detector(tmp_path / "tiny.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    image = {"name": "image", "datatype": "UINT8", "shape": [1, *pixels.shape], "data": pixels.ravel().tolist()}
    size = {"name": "size", "datatype": "INT64", "shape": [2], "data": [64, 96]}
    with running(models=[str(file)]) as service:
        told = service.ask("/v2/models/tiny").json
        assert [each["name"] for each in told["inputs"]] == ["image", "size"]
        body = json.dumps({"inputs": [image, size]}).encode()
        answer = service.ask("/v2/models/tiny/infer", body, content_type="application/json")
        assert answer.status == 200, answer.body
        classes = {"name": "classes", "datatype": "INT64", "shape": [1], "data": [0]}
        refused = service.ask(
            "/v2/models/tiny/infer", json.dumps({"inputs": [image, classes]}).encode(), content_type="application/json"
        )
        assert refused.kind == "bad-tensor"
    outputs = answer.json["outputs"]
    assert [each["name"] for each in outputs] == [each["name"] for each in told["outputs"]]
    made = {each["name"]: np.array(each["data"]).reshape(each["shape"]) for each in outputs}
    expected = ModelFile(file, 1).detect(pixels, size=(64, 96))
    assert len(expected.boxes)
    np.testing.assert_allclose(made["boxes"][0], expected.boxes, atol=0.01)
    np.testing.assert_allclose(made["box_scores"][0], expected.scores, atol=1e-4)
    assert made["box_classes"][0].tolist() == expected.classes.tolist()
