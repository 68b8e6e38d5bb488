"""boxless fit, as people call it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.command_line import boxless

from boxless import Localizer, ModelFile
from boxless.imaging.read import images_in


@pytest.fixture
def images_of_two(data: Path, tmp_path: Path) -> Path:
    for name in ("goldfish", "sock"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for path in images_in(data / "tiny10/train" / name)[:15]:
            (tmp_path / "mine" / name / path.name).write_bytes(path.read_bytes())
    return tmp_path / "mine"


def test_two_commands(images_of_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "mine.onnx"
    done = boxless("fit", images_of_two, "--out", model)
    assert done.returncode == 0
    assert "learned from         24 images of mine" in done.stdout
    assert "accuracy" in done.stdout
    page = tmp_path / "mine.report" / "index.html"
    assert f"report               {page}" in done.stdout
    text = page.read_text(encoding="utf-8")
    assert "Heatmaps" in text
    assert f"boxless fit {images_of_two} --out {model}" in text, "the command that made it"
    located = boxless("locate", images_in(images_of_two)[0], "--model", model, "--json")
    assert json.loads(located.stdout)["predictions"][0]["label"] == "goldfish"

    before = model.read_bytes()
    refused = boxless("fit", images_of_two, "--out", model)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert model.read_bytes() == before

    small = ("--size", "64", "--localization-size", "64")
    forced = boxless("fit", images_of_two, "--out", model, "--force", "--json", "--report", tmp_path / "r", *small)
    assert model.read_bytes() != before
    data = json.loads(forced.stdout)
    assert data["figures"]["accuracy"]["value"] > 80
    assert json.loads((tmp_path / "r/report.json").read_text(encoding="utf-8"))["title"] == data["title"]


def test_what_is_wrong_is_said_before_the_work(images_of_two: Path, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text("{")
    refused = boxless("fit", images_of_two, "--out", tmp_path / "mine.onnx", "--boxes", tmp_path / "boxes.json")
    assert refused.returncode == 2 and "not a COCO file" in refused.stderr
    (tmp_path / "labels.csv").write_text('where,what\na.png,"red,round"\nb.png,"blue,round"\n')
    named = ("--path-column", "where", "--label-column", "what", "--out", tmp_path / "mine.onnx")
    refused = boxless("fit", tmp_path / "labels.csv", *named)
    assert refused.returncode == 2 and 'use --separator ","' in refused.stderr
    refused = boxless("fit", tmp_path / "labels.csv", *named, "--separator", ",")
    assert refused.returncode == 2 and "too few to hold" in refused.stderr
    assert not (tmp_path / "mine.onnx").exists()


def test_a_localization_size_that_was_asked_for(
    images_of_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "cache"))
    model = tmp_path / "mine.onnx"
    done = boxless("fit", images_of_two, "--out", model, "--size", "64", "--localization-size", "128")
    assert done.returncode == 0, done.stderr
    assert "all classes at 128 pixels by a localization head" in done.stdout
    card = ModelFile(model).card
    (how,) = card.preset("balanced").localization
    assert (how.scale, how.classes, how.source) == (128, (0, 1), "head")
    assert not card.preset("fast").localization
    found = Localizer(model).locate(images_in(images_of_two)[0], include_absent=True).predictions[0]
    assert found.box


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--backbone", "resnet9000"), "no model 'resnet9000'"),
        (("--preset", "bestest"), "no preset 'bestest'"),
        (("--val", "elsewhere"), "no images to validate on at 'elsewhere'"),
        (("--size", "9"), "--size"),
    ],
)
def test_refusals(images_of_two: Path, tmp_path: Path, options: tuple[str, str], words: str) -> None:
    done = boxless("fit", images_of_two, "--out", tmp_path / "out.onnx", *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(tmp_path / "cache"))
    mine = tmp_path / os.fsdecode(b"m\xffine")
    try:
        for name in ("goldfish", "sock"):
            (mine / os.fsdecode(b"\xfe" + name.encode())).mkdir(parents=True)
            for i, path in enumerate(images_in(data / "tiny10/train" / name)[:10]):
                copy = mine / os.fsdecode(b"\xfe" + name.encode()) / os.fsdecode(b"\xff%d.jpg" % i)
                copy.write_bytes(path.read_bytes())
    except OSError:
        pytest.skip("a file system that takes text only")
    small = ("--size", "64", "--localization-size", "64")
    done = boxless("fit", mine, "--out", tmp_path / "mine.onnx", *small, "--json")
    assert done.returncode == 0, done.stderr
    assert ModelFile(tmp_path / "mine.onnx").card.labels == (r"\udcfegoldfish", r"\udcfesock")
    page = (tmp_path / "mine.report/index.html").read_text(encoding="utf-8")
    assert r"\udcfegoldfish/\udcff" in page
    stored = json.loads((tmp_path / "mine.report/report.json").read_text(encoding="utf-8"))
    assert stored["classes"] == json.loads(done.stdout)["classes"]
