"""Own classes from end to end, on real images."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from boxless import DatasetError, Localizer
from boxless._version import __version__
from boxless.datasets.boxed import BoxedImage, BoxedSet
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.notes import Notes
from boxless.datasets.split import read_split
from boxless.export.assemble import write_card
from boxless.imaging.read import images_in
from boxless.learning.finish import presets_for
from boxless.learning.head.fit import Fitted, _agreeing, fit
from boxless.models.model_file import ModelFile, find_model
from boxless.models.presets import Preset
from boxless.models.zoo import DEFAULT_MODEL

CLASSES = ("espresso", "goldfish", "school_bus", "sock")
LEARNED, HELD_OUT = 15, 10


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXLESS_CACHE", str(cache))


@pytest.fixture(scope="module")
def tiny(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelledImages, LabelledImages]:
    """Few images, for each takes a second: 60 to learn from, and 40 to measure on."""
    folder = tmp_path_factory.mktemp("tiny")
    for split, count in (("train", LEARNED), ("val", HELD_OUT)):
        for name in CLASSES:
            (folder / split / name).mkdir(parents=True)
            for path in images_in(data / "tiny10" / split / name)[:count]:
                shutil.copy(path, folder / split / name)
    return read_split(folder / "train", str(folder / "val"))


@contextmanager
def cached_in(folder: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXLESS_CACHE", str(folder))
        yield


@pytest.fixture(scope="module")
def fitted(
    tiny: tuple[LabelledImages, LabelledImages],
    tmp_path_factory: pytest.TempPathFactory,
    cache: Path,
) -> Fitted:
    with cached_in(cache):
        return fit(*tiny, tmp_path_factory.mktemp("fit") / "tiny.onnx")


@pytest.fixture(scope="module")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model with presets of its own, at a fifth of the pixels."""
    path, made = find_model(DEFAULT_MODEL), tmp_path_factory.mktemp("smaller") / "smaller.onnx"
    presets = {"quick": Preset((96,), 4, threshold=0.3), "thorough": Preset((96, 192), 4, threshold=0.4)}
    write_card(path, replace(ModelFile(path).card, name="smaller", presets=presets), made)
    return made


@pytest.fixture(scope="module")
def fitted_smaller(
    smaller: Path,
    tiny: tuple[LabelledImages, LabelledImages],
    tmp_path_factory: pytest.TempPathFactory,
    cache: Path,
) -> Fitted:
    with cached_in(cache):
        return fit(*tiny, tmp_path_factory.mktemp("fit") / "own.onnx", backbone=smaller)


def test_it_names_images_that_it_has_not_seen(fitted: Fitted) -> None:
    assert fitted.report.figures["accuracy"].value >= 85
    assert fitted.card.figures["accuracy"] == pytest.approx(fitted.report.figures["accuracy"].value, abs=0.06)
    assert f"{len(CLASSES) * HELD_OUT} held-out" in fitted.card.figures_on


def test_the_file_locates(fitted: Fitted, tiny: tuple[LabelledImages, LabelledImages], coffee: Path) -> None:
    found = Localizer(fitted.path).locate(coffee).predictions[0]
    assert found.label == "espresso"
    assert found.box is not None
    x, y = (found.box.x0 + found.box.x1) / 2, (found.box.y0 + found.box.y1) / 2
    assert 100 < x < 450, "the cup stands in the middle"
    assert 50 < y < 320
    assert fitted.card.labels == tiny[0].classes
    assert 1 < fitted.card.typical_activation < 100


def test_it_says_when_nothing_of_its_classes_is_there(
    fitted: Fitted, tiny: tuple[LabelledImages, LabelledImages]
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
    assert "held-out images" in localizer.preset.detection_set_on


def test_the_held_out_figures_are_those_of_the_head(fitted: Fitted) -> None:
    measured = fitted.report.held_out
    assert measured.probabilities.shape == (len(CLASSES) * HELD_OUT, len(CLASSES))
    assert measured.probabilities.sum(axis=1) == pytest.approx(np.ones(len(CLASSES) * HELD_OUT), abs=1e-4)
    left_out = fitted.report.left_out
    assert left_out is not None
    assert left_out.figures["accuracy"].value >= 80


def test_the_report_shows_where_it_looks(fitted: Fitted, tmp_path: Path) -> None:
    counts: list[int] = []
    page = fitted.report.write(ModelFile(fitted.path), "fast", tmp_path, counts.append)
    assert counts[-1] == fitted.report.heat_maps == 6 * len(CLASSES)
    text = page.read_text(encoding="utf-8")
    for words in (
        "Confusion matrix",
        "Heatmaps",
        "likely wrong",
        "school_bus",
        " pixels by ",
    ):
        assert words in text
    assert f"None of the {len(CLASSES) * HELD_OUT} held-out images nearly duplicates a training image" in text
    assert f"Made by boxless {__version__} on {date.today().isoformat()}" in text
    assert str(fitted.report.held_out.images.paths[0].parent) in text, "an image can be found by its caption"
    assert "prefers-color-scheme:dark" in text
    assert "How well its boxes fit" not in text, "there were no boxes"
    assert text.count("<img") >= 6 * len(CLASSES)


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
    fitted_smaller: Fitted,
    smaller: Path,
    tiny: tuple[LabelledImages, LabelledImages],
    data: Path,
    tmp_path: Path,
) -> None:
    boxes = json.loads((data / "tiny10/val/annotations.json").read_text(encoding="utf-8"))
    own = {each["id"] for each in boxes["categories"] if each["name"] in CLASSES}
    boxes["annotations"] = [each for each in boxes["annotations"] if each["category_id"] in own]
    shown = {each["image_id"] for each in boxes["annotations"]}
    boxes["images"] = [each for each in boxes["images"] if each["id"] in shown][::10]
    for image in boxes["images"]:
        image["file_name"] = str(data / "tiny10/val" / image["file_name"])
    kept = {image["id"] for image in boxes["images"]}
    boxes["annotations"] = [each for each in boxes["annotations"] if each["image_id"] in kept]
    (tmp_path / "boxes.json").write_text(json.dumps(boxes), encoding="utf-8")
    made = fit(*tiny, tmp_path / "boxed.onnx", backbone=smaller, localization_size=192, boxes=tmp_path / "boxes.json")
    assert made.cached == len(CLASSES) * (LEARNED + HELD_OUT), "the features of `fitted_smaller` are kept"
    thorough = made.card.preset("thorough")
    nothing = "chose nothing better" in dict(made.report.facts)["localizes"]
    assert thorough.set_on == ("probability of the localization head" if nothing else "boxed images, class by class")
    assert len(thorough.thresholds) == len(CLASSES)
    assert {each.preset for each in made.thresholds} == {"quick"}
    for each in made.thresholds:
        preset = made.card.preset(each.preset)
        assert preset.threshold == each.new
        assert each.classes is not None
        assert tuple(map(preset.threshold_of, range(len(CLASSES)))) == each.classes.new
        changed = each.new != each.old or bool(each.classes.changed)
        assert ("(20 images)" in preset.set_on) == changed
    assert [each["preset"] for each in made.report.as_dict()["thresholds"]] == ["quick"]
    assert "20 boxed images" in dict(made.report.facts)["localizes"]
    page = made.report.write(ModelFile(made.path), "quick", tmp_path).read_text(encoding="utf-8")
    table = page.partition("How well its boxes fit")[2].partition("</table>")[0]
    for each in made.thresholds:
        assert each.preset in table and f"{each.after.value:.1f}" in table


def test_larger_looks_follow() -> None:
    presets = {"fast": Preset((224,), 4), "balanced": Preset((224, 448), 4)}
    found = presets_for(presets, 448, "somewhere")
    assert [each.scales for each in found.values()] == [(448,), (448, 896)]
    assert found["fast"].set_on == "somewhere"


def test_a_backbone_says_at_what_size_it_looks(fitted_smaller: Fitted) -> None:
    quick, thorough = (fitted_smaller.card.preset(name) for name in ("quick", "thorough"))
    own = quick.scales[0]
    assert own in (96, 192), "its own size, or twice it, whichever names better"
    assert (quick.scales, thorough.scales) == ((own,), (own, 2 * own))
    assert quick.threshold == 0.3, "the backbone's own"
    assert fitted_smaller.report.figures["accuracy"].value > 60


def test_a_background_never_gets_a_box(data: Path, tmp_path: Path) -> None:
    paths = [
        *sorted((data / "tiny10/train/school_bus").iterdir())[:25],
        *sorted((data / "tiny10/train/sock").iterdir())[:25],
    ]
    targets = np.repeat(np.eye(2, dtype=np.float32), 25, axis=0)
    known = LabelledImages("buses", ("bus", "background"), tuple(paths), targets, False)
    order = np.random.default_rng(0).permutation(50)
    made = fit(known.only(order[:40]), known.only(order[40:]), tmp_path / "bus.onnx", side=96, localization_size=192)
    localizer = Localizer(made.path)
    bus, nothing = localizer.locate(paths[0]).predictions[0], localizer.locate(paths[-1]).predictions[0]
    assert (bus.label, nothing.label) == ("bus", "background")
    assert bus.box is not None
    assert nothing.box is None
    assert nothing.activation > 0
    assert localizer.preset.min_activation == 0  # ten images set no level, and the backbone's is for other classes
    assert localizer.locate(paths[-1]).draw().size == (320, 320)


def test_several_labels_a_image(data: Path, tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "labels"])
        for name, labels in (
            ("goldfish", "animal|fish"),
            ("monarch", "animal"),
            ("banana", "fruit"),
            ("sock", "background"),
        ):
            rows.writerows([path, labels] for path in images_in(data / "tiny10/train" / name)[:20])
    made = fit(*read_split(tmp_path / "labels.csv"), tmp_path / "several.onnx", side=128, localization_size=256)
    assert made.card.activation == "sigmoid"
    assert made.report.figures["F1"].value > 80
    found = Localizer(made.path).locate(images_in(data / "tiny10/val/goldfish")[0], top=2)
    assert {each.label for each in found.predictions} == {"animal", "fish"}


def test_too_many_damaged_images_stop(data: Path, tmp_path: Path) -> None:
    for name in ("goldfish", "sock"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for path in images_in(data / "tiny10/train" / name)[:10]:
            (tmp_path / "in" / name / path.name).write_bytes(path.read_bytes())
    training, validation = read_split(tmp_path / "in")
    for path in training.paths[:2]:
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"2 of 16 images cannot be read.*over 5%"):
        fit(training, validation, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_more_images_than_memory_holds(
    fitted_smaller: Fitted,
    smaller: Path,
    tiny: tuple[LabelledImages, LabelledImages],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("boxless.learning.head.head.STREAMED_FROM", 50)
    made = fit(*tiny, tmp_path / "own.onnx", backbone=smaller, localization_size=192)
    assert made.report.figures["accuracy"].value == pytest.approx(
        fitted_smaller.report.figures["accuracy"].value, abs=2
    )
    assert made.report.left_out is not None
    assert len(made.report.left_out.images) == len(tiny[0]) // 5
    assert "a fifth that was left out" in dict(made.report.facts)["head"]


def test_classes_that_cannot_be_told_apart_are_named(tmp_path: Path, coffee: Path) -> None:
    """The same image in both classes: the labels contradict each other, and nothing can be localized by them."""
    for label in ("one", "other"):
        (tmp_path / "train" / label).mkdir(parents=True)
        for i in range(12):
            shutil.copy(coffee, tmp_path / "train" / label / f"{i}.jpg")
    made = fit(*read_split(tmp_path / "train"), tmp_path / "out.onnx", side=64)
    notes = " ".join(made.report.notes)
    assert "are the same as others with different labels" in notes
    assert "cannot be told apart: the cross-validated loss is 0.69, and guessing has 0.69" in notes
    assert made.card.preset("balanced").localization == ()


def test_boxes_that_contradict_labels_are_left_out() -> None:
    box = np.array([[0, 0, 9, 9]], np.float32)
    paths = (Path("a.png"), Path("b.png"))
    learned = LabelledImages("some", ("cat", "dog"), paths, np.eye(2, dtype=np.float32), False)
    images = tuple(BoxedImage(Path(name), 0, box, (9, 9)) for name in ("a.png", "b.png", "unlabelled.png"))
    kept, notes = _agreeing(BoxedSet("few", images, Notes()), learned)
    assert [each.path.name for each in kept.images] == ["a.png", "unlabelled.png"]
    assert len(notes) == 1 and "1 boxed image " in notes[0] and "b.png: cat" in notes[0]
