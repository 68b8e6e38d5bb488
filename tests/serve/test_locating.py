"""POST /v1/locate: what comes in, what goes out, what is refused."""

from __future__ import annotations

import base64
import inspect
import io
import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.serve.running import LIMITS, Running, form, running
from typer.testing import CliRunner

from boxless import Localizer
from boxless.cli import app
from boxless.cli.locate import locate
from boxless.cli.serve import serve
from boxless.locate_options import LocateOptions
from boxless.models.presets import DEFAULT_PRESET
from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve.options import Options


@pytest.fixture(scope="module")
def told(localizer: Localizer, coffee: Path) -> dict[str, object]:
    """What the library says of the picture, two classes of it."""
    return localizer.locate(coffee, top=2).to_dict() | {"image": "coffee.jpg"}


def test_every_door_gives_what_the_library_gives(service: Running, coffee: Path, told: dict[str, object]) -> None:
    content = coffee.read_bytes()
    in_json = json.dumps({"image": base64.b64encode(content).decode(), "top": 2}).encode()
    answers = {
        "form": service.ask("/v1/locate", **form(content, "coffee.jpg", top="2")),
        "form and query": service.ask("/v1/locate?top=2", **form(content, "coffee.jpg")),
        "raw": service.ask("/v1/locate?top=2", content, content_type="image/jpeg"),
        "raw without a type": service.ask("/v1/locate?top=2", content),
        "json": service.ask("/v1/locate", in_json, content_type="application/json"),
    }
    for name, answer in answers.items():
        assert answer.status == 200, answer.body
        assert {**answer.json, "image": "coffee.jpg"} == told, name
    assert answers["form"].json["image"] == "coffee.jpg"
    assert "locate;dur=" in answers["form"].headers["server-timing"]


def test_options(service: Running, coffee: Path, localizer: Localizer) -> None:
    content = coffee.read_bytes()
    asked = service.ask("/v1/locate?class=cup&class=tabby&preset=fast", content).json
    assert [each["label"] for each in asked["predictions"]] == ["cup", "tabby"]
    assert asked["preset"] == "fast"
    in_json = {"image": base64.b64encode(content).decode(), "class": ["cup", 281], "preset": "fast"}
    again = service.ask("/v1/locate", json.dumps(in_json).encode(), content_type="application/json").json
    assert again == asked | {"image": "bytes"}
    assert service.ask("/v1/locate?min_probability=0.99", content).json["predictions"] == []
    absent, boxed = (
        service.ask(f"/v1/locate?class=plate&include_absent={always}", content).json["predictions"][0]
        for always in "01"
    )
    assert not absent["detected"] and not absent["boxes"]
    assert not boxed["detected"] and boxed["boxes"]


def test_maps_come_with_the_data(service: Running, coffee: Path, localizer: Localizer) -> None:
    prediction = service.ask("/v1/locate?maps=true", coffee.read_bytes()).json["predictions"][0]
    values = np.frombuffer(base64.b64decode(prediction["class_map"]["data"]), "<f4")
    expected = localizer.locate(coffee).predictions[0].class_map
    assert expected is not None
    np.testing.assert_allclose(values.reshape(prediction["class_map"]["shape"]), expected, rtol=1e-5)


def test_drawn_image_and_map(service: Running, coffee: Path, localizer: Localizer) -> None:
    content = coffee.read_bytes()
    drawn = service.ask("/v1/locate", content, accept="image/jpeg")
    assert drawn.headers["content-type"] == "image/jpeg"
    found = localizer.locate(coffee)
    with Image.open(io.BytesIO(drawn.body)) as image:
        difference = np.abs(np.asarray(image, np.float32) - np.asarray(found.draw(), np.float32))
    assert difference.mean() < 3
    scores = service.ask("/v1/locate", content, accept="image/png;q=0.9, text/html;q=0.5")
    with Image.open(io.BytesIO(scores.body)) as image:
        assert image.mode == "L"
        np.testing.assert_allclose(np.asarray(image) / 255, found.predictions[0].score_map, atol=0.01)
    assert service.ask("/v1/locate", content, accept="text/html").kind == "not-acceptable"


def test_images_drawn_large_are_made_smaller(coffee: Path, localizer: Localizer) -> None:
    with running(replace(LIMITS, drawn_pixels=60_000)) as modest:
        drawn = modest.ask("/v1/locate", coffee.read_bytes(), accept="image/jpeg")
        scores = modest.ask("/v1/locate", coffee.read_bytes(), accept="image/png")
    with Image.open(io.BytesIO(scores.body)) as image:
        assert image.size == (300, 200)
        expected = localizer.locate(coffee).predictions[0].score_map[::2, ::2]
        np.testing.assert_allclose(np.asarray(image) / 255, expected, atol=0.05)
    with Image.open(io.BytesIO(drawn.body)) as image:
        assert image.width == 320, "small pictures are drawn enlarged"


@pytest.mark.parametrize(
    ("query", "status", "kind", "said"),
    [
        ("top=0", 422, "bad-option", "expected 1 to 20"),
        ("top=two", 422, "bad-option", "'two'"),
        ("min_probability=nan", 422, "bad-option", "from 0 to 1"),
        ("preset=slow", 422, "unknown-preset", "fast, balanced, best"),
        ("class=zebr", 422, "unknown-class", "zebra"),
        ("&".join(f"class={i}" for i in range(30)), 422, "bad-option", "30 classes"),
        ("path=/etc/passwd", 422, "unknown-option", "path"),
        ("url=http://127.0.0.1/", 422, "unknown-option", "url"),
        ("model=../../x", 404, "unknown-model", DEFAULT_MODEL),
    ],
)
def test_bad_options_are_named(service: Running, coffee: Path, query: str, status: int, kind: str, said: str) -> None:
    answer = service.ask(f"/v1/locate?{query}", coffee.read_bytes())
    assert (answer.status, answer.kind) == (status, kind)
    assert said in answer.json["detail"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "kind"),
    [
        (b"", "image/jpeg", 422, "unreadable-image"),
        (b"no picture", "image/jpeg", 422, "unreadable-image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/jpeg", 422, "unreadable-image"),
        (b"/etc/passwd", "text/plain", 415, "unknown-media-type"),
        (b"{", "application/json", 400, "broken-json"),
        (b"[" * 100_000, "application/json", 400, "broken-json"),
        (b'{"image": "http://127.0.0.1/cat.jpg"}', "application/json", 422, "no-image"),
        (b'{"image": "", "min_probability": 1' + b"0" * 400 + b"}", "application/json", 422, "bad-option"),
        (b'{"image": "", "\\ud800": 1}', "application/json", 422, "unknown-option"),
        (b'{"image": 7}', "application/json", 422, "no-image"),
        (b"x", "multipart/form-data", 400, "broken-form"),
        (b"--b\r\nnonsense", "multipart/form-data; boundary=b", 400, "broken-form"),
        (b"--b\r\n\r\n\r\n" * 300, "multipart/form-data; boundary=b", 400, "broken-form"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 422, "no-image"),
    ],
    ids=str,
)
def test_bad_bodies_are_refused(service: Running, body: bytes, content_type: str, status: int, kind: str) -> None:
    answer = service.ask("/v1/locate", body, content_type=content_type)
    assert (answer.status, answer.kind) == (status, kind)


def test_a_truncated_image(service: Running, coffee: Path) -> None:
    answer = service.ask("/v1/locate", **form(coffee.read_bytes()[:3000], "holiday.jpg"))
    assert answer.kind == "unreadable-image"
    assert answer.json["detail"].startswith("holiday.jpg: a damaged image")


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..\\..\\x", "..", "", "C:\\x"])
def test_file_names_are_no_paths(service: Running, coffee: Path, name: str) -> None:
    answer = service.ask("/v1/locate?preset=fast", **form(coffee.read_bytes(), name.replace("\\", "\\\\")))
    assert answer.status == 200
    assert answer.json["image"] in ("x", "passwd", "bytes")


def test_a_huge_image_is_refused_before_it_is_decoded(service: Running) -> None:
    file = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(file, "PNG")
    answer = service.ask("/v1/locate", file.getvalue())
    assert answer.kind == "unreadable-image"
    assert "too large: 13000 x 13000" in answer.json["detail"]


def test_one_set_of_defaults(service: Running) -> None:
    """Library, command line, service and page (which asks the service) start from the same."""
    terminal = inspect.signature(locate).parameters
    served = service.ask("/v1/models").json["models"][0]
    page = served["defaults"]
    assert terminal["model"].default is inspect.signature(serve).parameters["models"].default is None
    assert (
        page["preset"]
        == Localizer().preset_name
        == terminal["preset"].default
        == inspect.signature(serve).parameters["preset"].default
        == DEFAULT_PRESET
    )
    assert Options().locate == LocateOptions(), "which Localizer.locate starts from"
    for name, value in asdict(LocateOptions()).items():
        assert terminal[name].default == page[name] == value, name


def test_options_are_those_of_the_command_line(service: Running) -> None:
    help_text = CliRunner().invoke(app, ["locate", "--help"]).stdout
    parameters = service.ask("/openapi.json").json["paths"]["/v1/locate"]["post"]["parameters"]
    names = {each["name"] for each in parameters} - {"maps"}  # a client gets maps in the answer, a terminal as files
    for name in names:
        assert f"--{name.replace('_', '-')}" in help_text, f"{name} is an option of one only"
    of_locating = {"class" if field.name == "classes" else field.name for field in fields(LocateOptions)}
    assert of_locating <= names


def test_models_and_labels(service: Running) -> None:
    models = service.ask("/v1/models").json
    assert models["limits"]["body_bytes"] == service.service.limits.body_bytes
    labels = service.ask(f"/v1/models/{DEFAULT_MODEL}/labels").json
    assert labels["labels"][967] == "espresso"
    assert len(labels["labels"]) == len(labels["class_ids"]) == models["models"][0]["classes"]
    assert service.ask("/v1/models/x/labels").kind == "unknown-model"
