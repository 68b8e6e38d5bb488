from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.command_line import boxless
from tests.export.small import EXACT, classifier, saved

from boxless import Localizer, ModelFile
from boxless.export import attach
from boxless.export.assemble import write_card
from boxless.models.zoo import DEFAULT_MODEL


@pytest.fixture
def boxed(images: Path, tmp_path: Path) -> Path:
    """A CSV of boxes on the images of the repository, with a class that no model has and an image that is gone."""
    rows = [
        "image,class,x0,y0,x1,y1",
        "coffee.jpg,espresso,100,20,500,380",
        "chelsea.jpg,tabby,60,0,420,300",
        "rocket.jpg,missile,280,60,360,360",
        "rocket.jpg,yeti,1,1,5,5",
        "gone.jpg,cup,1,1,5,5",
    ]
    file = tmp_path / "boxes.csv"
    file.write_text("\n".join(rows))
    return file


def test_a_table_with_notes(boxed: Path, images: Path) -> None:
    done = boxless("evaluate", boxed, "--images", images, "--preset", "fast")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "efficientnet-lite0, fast on boxes: 3 images, 3 boxes"
    assert lines[1].split() == ["%", "(95", "%", "interval)", "oracle", "deployable", "centre", "box"]
    assert any(line.startswith("Top-1 localization") for line in lines)
    assert (
        "note: 1 objects are of classes that the model lacks, by index, id and name; they are left out: yeti" in lines
    )
    assert any("gone.jpg" in line for line in lines)


def test_json_and_report(boxed: Path, images: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    options = ("--images", images, "--preset", "fast", "--json", "--report", report, "--faithful", 1)
    done = boxless("evaluate", boxed, *options)
    assert done.returncode == 0
    data = json.loads(done.stdout)
    assert data["counts"]["boxes"] == 3
    assert data["figures"]["completeness_error"]["deployable"]["value"] < 1e-3
    assert str(report / "index.html") in done.stderr
    assert "espresso" in (report / "index.html").read_text(encoding="utf-8")


def test_faithfulness_of_an_attached_model(images: Path, tmp_path: Path) -> None:
    attached = attach(saved(classifier(EXACT["softmax"]), tmp_path, "network"), tmp_path / "attached.onnx").path
    boxed = tmp_path / "boxes.csv"
    boxed.write_text("image,class,x0,y0,x1,y1\ncoffee.jpg,class 0,100,20,500,380\n")
    done = boxless(
        "evaluate", boxed, "--images", images, "--model", attached, "--preset", "fast", "--faithful", 1, "--json"
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert "insertion_auc" in figures and "completeness_error" not in figures


def test_methods_and_maps(boxed: Path, images: Path, tmp_path: Path) -> None:
    model = ("--model", DEFAULT_MODEL)

    def value(*options: object) -> float:
        done = boxless("evaluate", boxed, "--images", images, "--json", "--preset", "fast", *options)
        assert done.returncode == 0, done.stderr
        return float(json.loads(done.stdout)["figures"]["mean_iou"]["deployable"]["value"])

    walked = value()
    assert value("--method", "cam") == pytest.approx(walked, abs=1)
    assert value("--method", "eigencam", "--no-refine") != pytest.approx(walked, abs=0.5)
    model = ("--model", "efficientnet-lite0")  # whatever this processor runs best
    found = ("locate", images, "--preset", "fast", *model, "--save-maps", tmp_path / "maps")
    assert boxless(*found, "--class", "espresso", "--class", "tabby", "--class", "missile").returncode == 0
    threshold = Localizer(model[1], "fast").preset.threshold
    assert value("--maps", tmp_path / "maps", "--threshold", threshold) == pytest.approx(walked, abs=1)


def test_average_precision_of_two_models(boxed: Path, images: Path) -> None:
    models = ("--model", "efficientnet-lite0", "--model", "efficientnet-lite0-int8")
    done = boxless("evaluate", boxed, "--images", images, "--preset", "fast", "--ap", *models)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("average precision on boxes: 3 images, 3 boxes\nclasses known:")
    assert "classes unknown:" in done.stdout and "more than the first, AP at IoU 0.5" in done.stdout
    assert "efficientnet-lite0-int8, fast" in done.stdout and "yeti" in done.stdout
    assert "--ap" in boxless("evaluate", boxed, "--images", images, *models).stderr


def test_average_precision_of_classes_of_one_label(images: Path, tmp_path: Path) -> None:
    bird, machine = "n02012849", "n03126707"  # both are called crane
    boxed = tmp_path / "boxes.csv"
    boxed.write_text(
        f"image,class,x0,y0,x1,y1\ncoffee.jpg,{bird},100,20,500,380\nrocket.jpg,{machine},280,60,360,360\n"
    )
    done = boxless("evaluate", boxed, "--images", images, "--preset", "fast", "--ap", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == [bird, machine]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere.json"], "no data set 'nowhere.json'"),
        (["{boxed}", "--format", "yolo"], "no YOLO data set"),
        (["{boxed}", "--preset", "quick"], "no preset 'quick'"),
        (["{boxed}", "--method", "scorecam"], "no method 'scorecam'"),
        (["{boxed}", "--maps", "nowhere"], "no folder of maps"),
        (["{boxed}"], "--images"),
        (["{boxed}", "--no-refine"], "--method"),
    ],
)
def test_wrong_usage_is_status_two(boxed: Path, images: Path, options: list[str], said: str) -> None:
    given = [each.replace("{boxed}", str(boxed)) for each in options]
    folder = [] if given == [str(boxed)] else ["--images", images]
    done = boxless("evaluate", *given, *folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout


def test_calibrate_leaves_a_threshold_alone_that_nobody_uses(boxed: Path, images: Path, tmp_path: Path) -> None:
    card = ModelFile("efficientnet-lite0").card
    fast = replace(card.presets["fast"], threshold=0.95, thresholds=(0.3,) * len(card.labels), set_on="before")
    own, new = tmp_path / "own.onnx", tmp_path / "new.onnx"
    write_card(ModelFile("efficientnet-lite0").path, replace(card, presets={**card.presets, "fast": fast}), own)
    done = boxless("calibrate", boxed, "--images", images, "--model", own, "--preset", "fast", "--out", new)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fast: each class has its own threshold\n")
    assert ModelFile(new).card.presets["fast"].threshold == 0.95


def test_calibrate_writes_a_model_that_works(boxed: Path, images: Path, tmp_path: Path) -> None:
    new = tmp_path / "mine.onnx"
    options = ("--images", images, "--preset", "fast", "--out", new)
    done = boxless("calibrate", boxed, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fast: threshold ")
    assert f"written: {new}" in done.stdout
    old = ModelFile("efficientnet-lite0").card
    card = ModelFile(new).card
    assert card.labels == old.labels
    assert card.presets["best"] == old.presets["best"]
    before = new.read_bytes()
    refused = boxless("calibrate", boxed, *options)
    assert refused.returncode == 2 and "--force" in refused.stderr
    assert new.read_bytes() == before
    again = json.loads(boxless("calibrate", boxed, "--json", *options, "--model", new, "--force").stdout)
    assert again["presets"][0]["old"] == card.presets["fast"].threshold
    assert boxless("calibrate", boxed, *options[:2], "--preset", "quick", "--out", tmp_path / "x.onnx").returncode == 2
    assert not (tmp_path / "x.onnx").exists()
