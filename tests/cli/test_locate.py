from __future__ import annotations

import inspect
import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.command_line import boxless

from boxless import Localizer
from boxless.cli.locate import locate
from boxless.export.assemble import write_card
from boxless.locate_options import LocateOptions
from boxless.models.model_file import ModelFile


def test_prints_what_and_where(coffee: Path) -> None:
    done = boxless("locate", coffee, "--preset", "fast")
    assert done.returncode == 0
    heading, row = done.stdout.splitlines()
    assert heading.split()[:2] == ["image", "class"]
    assert "coffee.jpg" in row and "espresso" in row and "%" in row


def test_json_is_one_object_a_line_and_nothing_else(images: Path, localizer: Localizer) -> None:
    done = boxless("locate", images, "--json", "--top", 2, "--model", localizer.card.name)
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(each["image"]).name for each in found] == ["chelsea.jpg", "coffee.jpg", "rocket.jpg"]
    assert found[1] == localizer.locate(str(images / "coffee.jpg"), top=2).to_dict()


def test_named_classes(coffee: Path) -> None:
    done = boxless("locate", coffee, "--json", "--class", "cup", "--class", "285", "--preset", "fast")
    assert [prediction["label"] for prediction in json.loads(done.stdout)["predictions"]] == ["cup", "Egyptian cat"]


def test_what_is_not_there_is_said_and_boxed_only_when_asked(images: Path) -> None:
    rocket = (images / "rocket.jpg", "--class", "tabby", "--preset", "fast")
    assert boxless("locate", *rocket).stdout.splitlines()[1].endswith("not detected")
    (found,) = json.loads(boxless("locate", *rocket, "--json").stdout)["predictions"]
    assert (found["detected"], found["box"], found["boxes"]) == (False, None, [])
    (boxed,) = json.loads(boxless("locate", *rocket, "--json", "--include-absent").stdout)["predictions"]
    assert not boxed["detected"]
    assert boxed["boxes"][0]["score"] < 0.01


def test_standard_input(coffee: Path) -> None:
    done = boxless("locate", "-", "--json", "--preset", "fast", stdin=coffee.read_bytes())
    found = json.loads(done.stdout)
    assert found["image"] == "-"
    assert found["predictions"][0]["label"] == "espresso"


def test_writes_drawings_maps_and_a_sheet(images: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    shutil.copy(images / "coffee.jpg", again / "coffee.jpg")
    out = tmp_path / "out"
    sheet = tmp_path / "sheet.png"
    done = boxless(
        "locate", images, again, "--preset", "fast", "--save", out, "--save-maps", out / "maps", "--sheet", sheet
    )  # fmt: skip
    assert done.returncode == 0
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.jpg"))
    assert names == [
        "again/coffee_found.jpg",
        "pictures/chelsea_found.jpg",
        "pictures/coffee_found.jpg",
        "pictures/rocket_found.jpg",
    ]
    with Image.open(out / "pictures/coffee_found.jpg") as drawn:
        assert drawn.size == (600, 400)
    score_map = np.load(out / "maps/pictures/coffee_map_967.npy")
    assert score_map.shape == (400, 600)
    assert score_map.dtype == np.float32
    assert score_map.max() == pytest.approx(1)
    with Image.open(sheet) as drawn:
        assert min(drawn.size) > 600


def test_failures_are_told_and_the_rest_is_done(coffee: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("text")
    empty = tmp_path / "empty"
    empty.mkdir()
    done = boxless("locate", broken, "missing.jpg", empty, coffee, "--json", "--preset", "fast")
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["error"] is None for each in found] == [False, False, False, True]
    said = done.stderr.splitlines()
    assert len(said) == 3
    assert said[0].startswith(f"{broken}: not an image, or of a kind that is not read (JPEG, ")
    assert said[1] == "missing.jpg: no such file"
    assert said[2].startswith(f"{empty}: a folder without images")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--class", "tabbi"], "nearest: tabby"),
        (["--preset", "quick"], "fast, balanced, best"),
        (["--model", "resnet"], "efficientnet-lite0"),
        (["--top", "0"], "--top"),
        (["--min-probability", "2"], "--min-probability"),
        (["--nms", "0"], "--nms"),
        (["clip.mp4"], "boxless video clip.mp4"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage(coffee: Path, arguments: list[str], said: str) -> None:
    done = boxless("locate", coffee, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_where_nothing_can_be_written(coffee: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = boxless("locate", coffee, "--preset", "fast", "--save", tmp_path / "file" / "folder")
    assert done.returncode == 2
    assert str(tmp_path / "file") in done.stderr


def test_nothing_as_probable_as_asked(coffee: Path) -> None:
    done = boxless("locate", coffee, "--min-probability", "0.99", "--preset", "fast")
    assert done.returncode == 0
    assert "no class as probable as asked" in done.stdout


def test_the_defaults_are_those_of_the_python_interface() -> None:
    line = inspect.signature(locate).parameters
    for field in fields(LocateOptions):
        assert line[field.name].default == field.default
    assert line["model"].default == inspect.signature(Localizer).parameters["model"].default
    assert line["preset"].default == Localizer().preset_name


def test_every_detected_class_of_several_labels_is_a_row(coffee: Path, tmp_path: Path) -> None:
    network = ModelFile("efficientnet-lite0")
    card = replace(network.card, activation="sigmoid")
    write_card(network.path, card, tmp_path / "several.onnx")
    done = boxless("locate", coffee, "--preset", "fast", "--model", tmp_path / "several.onnx", "--json")
    found = json.loads(done.stdout)["predictions"]
    assert len(found) > 1 and all(each["detected"] and each["boxes"] for each in found)
