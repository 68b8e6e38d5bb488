"""Own classes from end to end, on real pictures."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from boxless import DatasetError, Localizer
from boxless._version import __version__
from boxless.datasets.labelled import LabelledPictures
from boxless.datasets.split import read_split
from boxless.export.assemble import write_card
from boxless.imaging.read import pictures_in
from boxless.learning.finish import presets_for
from boxless.learning.head.fit import Fitted, fit
from boxless.models.model_file import ModelFile, find_model
from boxless.models.presets import Preset
from boxless.models.zoo import DEFAULT_MODEL

LEARNED, HELD_OUT = 30, 10


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(cache))


def some(pictures: LabelledPictures, a_class: int) -> LabelledPictures:
    classes = pictures.targets.argmax(axis=1)
    return pictures.only(np.concatenate([np.flatnonzero(classes == k)[:a_class] for k in range(classes.max() + 1)]))


@pytest.fixture(scope="module")
def tiny(data: Path) -> tuple[LabelledPictures, LabelledPictures]:
    training, validation = read_split(data / "tiny10/train", str(data / "tiny10/val"))
    return some(training, LEARNED), some(validation, HELD_OUT)


@pytest.fixture(scope="module")
def fitted(
    tiny: tuple[LabelledPictures, LabelledPictures],
    tmp_path_factory: pytest.TempPathFactory,
    cache: Path,
) -> Fitted:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXLESS_CACHE", str(cache))
        return fit(*tiny, tmp_path_factory.mktemp("fit") / "tiny.onnx")


def test_it_names_pictures_that_it_has_not_seen(fitted: Fitted) -> None:
    assert fitted.report.figures["accuracy"].value >= 85
    assert fitted.card.figures["accuracy"] == pytest.approx(fitted.report.figures["accuracy"].value, abs=0.06)
    assert f"{10 * HELD_OUT} held-out" in fitted.card.figures_on


def test_the_file_locates(fitted: Fitted, tiny: tuple[LabelledPictures, LabelledPictures], coffee: Path) -> None:
    found = Localizer(fitted.path).locate(coffee).predictions[0]
    assert found.label == "espresso"
    assert found.box is not None
    x, y = (found.box.x0 + found.box.x1) / 2, (found.box.y0 + found.box.y1) / 2
    assert 100 < x < 450, "the cup stands in the middle"
    assert 50 < y < 320
    assert fitted.card.labels == tiny[0].classes
    assert 1 < fitted.card.typical_activation < 100


def test_it_says_when_nothing_of_its_classes_is_there(
    fitted: Fitted, tiny: tuple[LabelledPictures, LabelledPictures]
) -> None:
    localizer = Localizer(fitted.path, "fast")
    grey = localizer.locate(np.full((200, 200, 3), 100, np.uint8))
    assert (grey.detected, grey.predictions[0].box) == ((), None)
    held_out, classes = tiny[1], range(len(fitted.card.labels))
    present = np.array(
        [[f.detected for f in localizer.locate(path, classes=classes).predictions] for path in held_out.paths]
    )
    shown = held_out.targets > 0
    assert present[shown].mean() >= 0.95
    assert present[~shown].mean() <= 0.05
    assert "held-out pictures" in localizer.preset.detection_set_on


def test_the_held_out_figures_are_those_of_the_head(fitted: Fitted) -> None:
    measured = fitted.report.held_out
    assert measured.probabilities.shape == (10 * HELD_OUT, 10)
    assert measured.probabilities.sum(axis=1) == pytest.approx(np.ones(10 * HELD_OUT), abs=1e-4)
    left_out = fitted.report.left_out
    assert left_out is not None
    assert left_out.figures["accuracy"].value >= 80


def test_the_report_shows_where_it_looks(fitted: Fitted, tmp_path: Path) -> None:
    counts: list[int] = []
    page = fitted.report.write(ModelFile(fitted.path), "fast", tmp_path, counts.append)
    assert counts[-1] == fitted.report.heat_maps == 60
    text = page.read_text(encoding="utf-8")
    for words in (
        "Confusion matrix",
        "Heatmaps",
        "likely wrong",
        "school_bus",
        " pixels by ",
    ):
        assert words in text
    assert "None of the 100 held-out pictures nearly duplicates a training picture" in text
    assert f"Made by boxless {__version__} on {date.today().isoformat()}" in text
    assert str(fitted.report.held_out.pictures.paths[0].parent) in text, "a picture can be found by its caption"
    assert "prefers-color-scheme:dark" in text
    assert "How well its boxes fit" not in text, "there were no boxes"
    assert text.count("<img") >= 60


def test_likely_wrong_labels_say_what_the_model_takes_them_for(fitted: Fitted) -> None:
    suspects = fitted.report.as_dict()["likely_wrong_labels"]
    assert suspects
    for each in suspects:
        assert Path(each["path"]).is_file()
        (said,), (probability,) = each["predicted"], each["probabilities"]
        assert [said] != each["labelled"]
        assert said in fitted.card.labels
        assert 0 < probability <= 1


def test_boxes_set_the_thresholds(
    fitted: Fitted, tiny: tuple[LabelledPictures, LabelledPictures], data: Path, tmp_path: Path
) -> None:
    boxes = json.loads((data / "tiny10/val/annotations.json").read_text(encoding="utf-8"))
    for image in boxes["images"]:
        image["file_name"] = str(data / "tiny10/val" / image["file_name"])
    boxes["images"] = boxes["images"][::25]
    kept = {image["id"] for image in boxes["images"]}
    boxes["annotations"] = [each for each in boxes["annotations"] if each["image_id"] in kept]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    made = fit(*tiny, tmp_path / "boxed.onnx", boxes=tmp_path / "boxes.json")
    assert made.cached == 10 * (LEARNED + HELD_OUT), "the features of `fitted` are kept"
    assert {each.preset for each in made.thresholds} == {"fast", "balanced", "best"}
    for each in made.thresholds:
        preset = made.card.preset(each.preset)
        assert preset.threshold == each.new
        assert each.classes is not None
        assert tuple(map(preset.threshold_of, range(10))) == each.classes.new
        changed = each.new != each.old or bool(each.classes.changed)
        assert ("(20 pictures)" in preset.set_on) == changed
    assert [each["preset"] for each in made.report.as_dict()["thresholds"]] == ["fast", "balanced", "best"]
    page = made.report.write(ModelFile(made.path), "fast", tmp_path).read_text(encoding="utf-8")
    table = page.partition("How well its boxes fit")[2].partition("</table>")[0]
    for each in made.thresholds:
        assert each.preset in table and f"{each.after.value:.1f}" in table


def test_larger_looks_follow() -> None:
    presets = {"fast": Preset((224,), 4), "balanced": Preset((224, 448), 4)}
    found = presets_for(presets, 448, "somewhere")
    assert [each.scales for each in found.values()] == [(448,), (448, 896)]
    assert found["fast"].set_on == "somewhere"


def test_a_backbone_says_at_what_size_it_looks(tiny: tuple[LabelledPictures, LabelledPictures], tmp_path: Path) -> None:
    path = find_model(DEFAULT_MODEL)
    smaller = replace(ModelFile(path).card, name="smaller", presets={"only": Preset((96,), 4, threshold=0.3)})
    write_card(path, smaller, tmp_path / "smaller.onnx")
    made = fit(*tiny, tmp_path / "own.onnx", backbone=tmp_path / "smaller.onnx")
    assert made.card.preset("only").scales in ((96,), (192,)), "its own size, or twice it, whichever names better"
    assert made.card.preset("only").threshold == 0.3, "the backbone's own"
    assert made.report.figures["accuracy"].value > 60


def test_a_background_never_gets_a_box(data: Path, tmp_path: Path) -> None:
    paths = [
        *sorted((data / "tiny10/train/school_bus").iterdir())[:25],
        *sorted((data / "tiny10/train/sock").iterdir())[:25],
    ]
    targets = np.repeat(np.eye(2, dtype=np.float32), 25, axis=0)
    known = LabelledPictures("buses", ("bus", "background"), tuple(paths), targets, False)
    order = np.random.default_rng(0).permutation(50)
    made = fit(known.only(order[:40]), known.only(order[40:]), tmp_path / "bus.onnx")
    localizer = Localizer(made.path)
    bus, nothing = localizer.locate(paths[0]).predictions[0], localizer.locate(paths[-1]).predictions[0]
    assert (bus.label, nothing.label) == ("bus", "background")
    assert bus.box is not None
    assert nothing.box is None
    assert nothing.activation > 0
    assert localizer.preset.min_activation == 0  # ten pictures set no level, and the backbone's is for other classes
    assert localizer.locate(paths[-1]).draw().size == (320, 320)


def test_several_labels_a_picture(data: Path, tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "labels"])
        for name, labels in (
            ("goldfish", "animal|fish"),
            ("monarch", "animal"),
            ("banana", "fruit"),
            ("sock", "background"),
        ):
            rows.writerows([path, labels] for path in pictures_in(data / "tiny10/train" / name)[:20])
    made = fit(*read_split(tmp_path / "labels.csv"), tmp_path / "several.onnx")
    assert made.card.activation == "sigmoid"
    assert made.report.figures["F1"].value > 80
    found = Localizer(made.path).locate(pictures_in(data / "tiny10/val/goldfish")[0], top=2)
    assert {each.label for each in found.predictions} == {"animal", "fish"}


def test_too_many_damaged_pictures_stop(data: Path, tmp_path: Path) -> None:
    for name in ("goldfish", "sock"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for path in pictures_in(data / "tiny10/train" / name)[:10]:
            (tmp_path / "in" / name / path.name).write_bytes(path.read_bytes())
    training, validation = read_split(tmp_path / "in")
    for path in training.paths[:2]:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"2 of 16 pictures cannot be read.*over 5%"):
        fit(training, validation, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_more_pictures_than_memory_holds(
    fitted: Fitted,
    tiny: tuple[LabelledPictures, LabelledPictures],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("boxless.learning.head.fit.STREAMED_FROM", 100)
    made = fit(*tiny, tmp_path / "own.onnx")
    assert made.report.figures["accuracy"].value == pytest.approx(fitted.report.figures["accuracy"].value, abs=2)
    assert made.report.left_out is not None
    assert len(made.report.left_out.pictures) == 10 * LEARNED // 5
    assert "a fifth that was left out" in dict(made.report.facts)["head"]


def test_classes_that_cannot_be_told_apart_are_named(tmp_path: Path, coffee: Path) -> None:
    """The same image in both classes: the labels contradict each other, and nothing can be localized by them."""
    for label in ("one", "other"):
        (tmp_path / "train" / label).mkdir(parents=True)
        for i in range(12):
            shutil.copy(coffee, tmp_path / "train" / label / f"{i}.jpg")
    made = fit(*read_split(tmp_path / "train"), tmp_path / "out.onnx")
    notes = " ".join(made.report.notes)
    assert "are the same as others with different labels" in notes
    assert "cannot be told apart: the cross-validated loss is 0.69, and guessing has 0.69" in notes
    assert made.card.preset("balanced").localization == ()
