"""From labelled images to a detector, killed and resumed on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from boxless import Localizer, ModelFile
from boxless.cli import app
from boxless.datasets.labelled import LabelledImages
from boxless.errors import DatasetError, ModelFileError, TrainingError, UnknownClassError, UnknownNetworkError
from boxless.learning.detector import train as rounds_of_training
from boxless.learning.detector.evidence import Evidence
from boxless.learning.detector.options import DetectorOptions
from boxless.learning.detector.pseudo_labels import PseudoLabels
from boxless.learning.detector.result import TrainedDetector, too_few
from boxless.learning.detector.scenes import Scenes, Variation, variation_for
from boxless.learning.detector.teacher import by_class_maps, load_pseudo_labels
from boxless.learning.detector.train import train_detector
from boxless.learning.network.examples import Store
from boxless.learning.network.history import Epoch
from boxless.learning.network.watch import Watch
from boxless.networks.detector import detector
from boxless.networks.detector_backbones import BACKBONES
from boxless.networks.framework import keras, layers

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = DetectorOptions("darknet19", size=64, width=0.02, rounds=2, epochs=2, batch=4, rate=1e-3)
BOX = np.array([[0.25, 0.5, 0.75, 1.0]], np.float32)


def small_trunk(*given: object, **settings: object) -> Any:  # noqa: ANN401
    """A layer for each stride: a real backbone takes TensorFlow half a minute to prepare, in every round."""
    features = image = keras.Input((None, None, 3), name="image")
    features = layers.Rescaling(1 / 128, -1)(features)
    for name in ("two", "four", *BACKBONES["darknet19"].taps):
        features = layers.Conv2D(8, 3, 2, padding="same", activation="relu", name=name)(features)
    return keras.Model(image, features)


@contextmanager
def small() -> Iterator[None]:
    """Detectors have that as their backbone, and a shallow head."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("boxless.networks.detector.build", small_trunk)
        patch.setattr("boxless.learning.detector.options.detector", partial(detector, channels=8, depth=1))
        yield


@pytest.fixture
def _small() -> Iterator[None]:
    with small():
        yield


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> LabelledImages:
    """Grey images with a red or a blue square where BOX is."""
    folder = tmp_path_factory.mktemp("squares")
    paths = []
    for i in range(6):
        pixels = np.full((40, 80, 3), 120, np.uint8)
        pixels[20:40, 20:60] = [(200, 20, 20), (20, 20, 200)][i % 2]
        paths.append(folder / f"{i}.png")
        Image.fromarray(pixels).save(paths[-1])
    targets = np.eye(2, dtype=np.float32)[np.arange(6) % 2]
    return LabelledImages("squares", ("blue", "red"), tuple(paths), targets[:, ::-1], several=True)


def taught(images: LabelledImages) -> list[PseudoLabels]:
    return [PseudoLabels.of_truth(BOX, np.array([int(row.argmax())]), 2) for row in images.targets]


@pytest.fixture(scope="module")
def whole(images: LabelledImages, tmp_path_factory: pytest.TempPathFactory) -> TrainedDetector:
    out = tmp_path_factory.mktemp("whole") / "squares.onnx"
    with small():
        return train_detector(images, images, out, TINY, taught(images))


def test_the_model_file_is_a_detector_with_a_card(whole: TrainedDetector, images: LabelledImages) -> None:
    card = ModelFile(whole.path).card
    assert card.detects
    assert card.labels == ("blue", "red")
    assert card.presets["balanced"].scales == (64,)
    assert card.presets["balanced"].threshold == whole.rounds[whole.kept - 1].evidence.threshold
    assert 0 <= card.figures["label_precision"] <= 100
    assert all(each.apart <= 1e-4 for each in whole.rounds)
    found = Localizer(whole.path).locate(images.paths[0], classes=["blue", "red"], include_absent=True)
    assert [prediction.label for prediction in found.predictions] == ["blue", "red"]
    words = dict(whole.facts)
    assert "MiB of memory" in words["trained"]
    assert not list(whole.path.parent.rglob("checkpoint.npz"))


def test_true_boxes_replace_pseudo_labels(images: LabelledImages, tmp_path: Path) -> None:
    """The size is chosen from the boxes, but no larger than the images are. With a real backbone."""
    coco = {
        "images": [{"id": 1, "file_name": str(images.paths[0]), "width": 80, "height": 40}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 20, 40, 20]}],
        "categories": [{"id": 1, "name": "red"}],
    }
    boxes, out = tmp_path / "few.json", tmp_path / "squares.onnx"
    boxes.write_text(json.dumps(coco))
    corner = np.array([[0.0, 0.0, 0.2, 0.4]], np.float32)
    wrong = [PseudoLabels.of_truth(corner, np.array([int(row.argmax())]), 2) for row in images.targets]
    made = train_detector(images, images, out, replace(TINY, rounds=1, epochs=1, size=None), wrong, boxes=boxes)
    assert "boxes on 1 of them" in dict(made.facts)["learned from"]
    assert "boxes on 1 of them" in made.card.source
    assert made.card.presets["balanced"].scales == (256,)
    (kept,) = out.with_suffix(".training").glob("boxes-1-*.npz")
    learned = load_pseudo_labels(kept)
    np.testing.assert_allclose(learned[0].boxes, BOX)
    np.testing.assert_allclose(learned[1].boxes, corner)


def test_boxes_of_other_images_are_refused_before_the_training(images: LabelledImages, tmp_path: Path) -> None:
    Image.new("RGB", (80, 40)).save(tmp_path / "other.png")
    boxes = tmp_path / "few.csv"
    boxes.write_text("path,label,x0,y0,x1,y1\nother.png,red,1,1,30,30\n")
    with pytest.raises(DatasetError, match="none of its images is a training image"):
        train_detector(images, images, tmp_path / "squares.onnx", TINY, taught(images), boxes=boxes)
    with pytest.raises(DatasetError, match="nowhere"):
        train_detector(images, images, tmp_path / "squares.onnx", TINY, taught(images), boxes=tmp_path / "nowhere.json")
    assert not (tmp_path / "squares.onnx").exists()


class KilledError(Exception):
    """Stands for a kill."""


class Killer(Watch):
    """Ends a training after so many epochs."""

    def __init__(self, epochs: int) -> None:
        self._left = epochs

    def begins(self, epochs: int, steps: int, done: int) -> None:
        self.stepped()  # a round of which nothing is stored yet

    def stepped(self) -> None:
        if not self._left:
            raise KilledError

    def finished(self, epoch: Epoch, best: bool) -> None:
        self._left -= 1


@pytest.mark.usefixtures("_small")
def test_a_killed_training_goes_on_bit_for_bit(whole: TrainedDetector, images: LabelledImages, tmp_path: Path) -> None:
    """Killed in the first round, and again as the second begins; in between something else does not go on."""
    out = tmp_path / "squares.onnx"
    with pytest.raises(KilledError):
        train_detector(images, images, out, TINY, taught(images), watch=Killer(1))
    assert not out.exists()
    with pytest.raises(TrainingError, match="begun otherwise"):
        train_detector(images, images, out, TINY, [PseudoLabels.nothing(2), *taught(images)[1:]])
    with pytest.raises(KilledError):
        train_detector(images, images, out, TINY, taught(images), watch=Killer(1))
    assert not out.exists()
    made = train_detector(images, images, out, TINY, taught(images))
    assert [epoch.loss for each in made.rounds for epoch in each.history] == [
        epoch.loss for each in whole.rounds for epoch in each.history
    ]
    pixels = np.asarray(Image.open(images.paths[0]).resize((64, 64)))
    one, other = (ModelFile(path, 1).detect(pixels, size=(64, 64)) for path in (out, whole.path))
    assert np.array_equal(one.logits, other.logits)
    assert np.array_equal(one.boxes, other.boxes)


@pytest.mark.usefixtures("_small")
def test_rounds_stop_when_held_out_labels_say_no_more(
    whole: TrainedDetector, images: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is trained and exported does not matter here."""
    told = iter([50.0, 60.0, 55.0, 99.0])
    monkeypatch.setattr(rounds_of_training, "_train_round", lambda *args: whole.rounds[0].history)
    monkeypatch.setattr(rounds_of_training, "export_detector", lambda _, out, *args: copy(whole.path, out) and 0.0)
    monkeypatch.setattr(rounds_of_training, "evidence_of", lambda *args: Evidence(next(told), f1=50.0, threshold=0.3))
    settings = replace(TINY, rounds=4)
    made = train_detector(images, images, tmp_path / "squares.onnx", settings, taught(images))
    assert len(made.rounds) == 3
    assert made.kept == 2
    assert made.card.figures["label_precision"] == 60


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(("before", "written"), [(59.0, True), (61.0, False)])
def test_a_detector_worse_than_its_teacher_model_replaces_nothing(
    before: float,
    written: bool,
    whole: TrainedDetector,
    images: LabelledImages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds_of_training, "_train_round", lambda *args: whole.rounds[0].history)
    monkeypatch.setattr(rounds_of_training, "export_detector", lambda _, out, *args: copy(whole.path, out) and 0.0)
    monkeypatch.setattr(rounds_of_training, "_held_out_accuracy", lambda *args: Evidence(60.0, f1=50.0, threshold=0.3))
    monkeypatch.setattr(rounds_of_training, "_teacher_accuracy", lambda *args: Evidence(before, 50.0, 0.3))
    out = tmp_path / "mine.onnx"
    out.write_text("the user's model")
    made = train_detector(images, images, out, replace(TINY, rounds=1), taught(images))
    assert (out.read_bytes() == b"the user's model") == (not written)
    assert (made.path == out) == written == (made.doubt is None) == made.as_dict()["written"]
    assert Localizer(made.path).card.labels == images.classes
    if made.doubt:
        assert str(made.path) in made.doubt and "61.0 %" in made.doubt


def test_a_threshold_that_separates_nothing_is_told(whole: TrainedDetector) -> None:
    last = whole.rounds[whole.kept - 1]
    for level, told in ((0.02, True), (0.3, False)):
        rounds = (replace(last, evidence=replace(last.evidence, threshold=level)),)
        assert (replace(whole, rounds=rounds, kept=1).warning is not None) == told


def test_few_taught_boxes_are_told_before_the_training(images: LabelledImages) -> None:
    sure = taught(images)
    doubtful = [PseudoLabels(each.boxes, each.candidates, 0 * each.weights) for each in sure]
    assert too_few(sure, images) is None
    words = too_few([*sure[:2], *doubtful[2:]], images)
    assert words is not None and words.startswith("2 boxes from 6 images: check the teacher model first")
    assert too_few(doubtful, replace(images, classes=("background", "nothing"))) is None


def test_scenes_are_repeatable_and_their_boxes_lie_on_what_they_show(images: LabelledImages) -> None:
    def scenes() -> Scenes:
        return Scenes(Store(images.paths, 80), [0.5] * 6, taught(images), 64, 4, Variation(colour=0), 3)

    for (pixels, targets), (again, others) in zip(scenes().epoch(1), scenes().epoch(1), strict=True):
        assert np.array_equal(pixels, again)
        assert all(np.array_equal(one, other) for one, other in zip(targets, others, strict=True))
    seen = 0
    for image in range(6):
        for epoch in range(10):
            pixels, found = scenes().scene(image, epoch)
            side = pixels.shape[0]
            assert pixels.shape == (side, side, 3)
            for box, candidates in zip(found.boxes, found.candidates, strict=True):
                x0, y0, x1, y1 = (box * side).tolist()
                if min(x1 - x0, y1 - y0) < 4:
                    continue
                colour = pixels[round((y0 + y1) / 2 - 0.5), round((x0 + x1) / 2 - 0.5)]
                # Blue is the first class, red the second.
                assert int(colour[[2, 0]].argmax()) == int(candidates.argmax())
                assert abs(float(colour[0] - colour[2])) > 100
                seen += 1
    assert seen > 60


def test_scenes_are_smooth_where_they_shrink(tmp_path: Path) -> None:
    """As passes are: stripes of one pixel, shrunk to less than half, are grey and not stripes of another width."""
    stripes = np.tile(np.array([0, 255], np.uint8), 160)[None, :, None]
    scenes = Scenes(
        Store(np.broadcast_to(stripes, (1, 320, 320, 3)).copy(), 320),
        [1.0],
        [PseudoLabels.nothing(1)],
        256,
        1,
        Variation(mosaic=0, part=1.0, scales=(0.4, 0.4), colour=0),
        0,
    )
    inside = scenes.scene(0, 0)[0]
    inside = inside[np.abs(inside - 114).max(axis=2) > 2]  # without the ground around the image
    assert np.abs(inside - 127).max() < 45


def test_scenes_show_large_things_whole() -> None:
    """A scene of a part of the image would teach that nothing is larger than it."""
    card = PseudoLabels.of_truth(np.array([[0.2, 0.2, 0.5, 0.6]]), np.array([0]), 1)
    cat = PseudoLabels.of_truth(np.array([[0.0, 0.1, 1.0, 0.9]]), np.array([0]), 1)
    assert variation_for([card] * 20).part < 1
    assert variation_for([card] * 20 + [cat]).part < 1
    assert variation_for([card] * 8 + [cat]).part == 1
    assert variation_for([PseudoLabels.nothing(1)]).part < 1
    doubtful = PseudoLabels(cat.boxes, cat.candidates, np.zeros(1, np.float32))
    assert variation_for([card, doubtful]).part < 1


def test_what_a_teacher_must_be(whole: TrainedDetector, images: LabelledImages) -> None:
    with pytest.raises(UnknownClassError, match="no class"):
        by_class_maps(ModelFile("efficientnet-lite0").path, images, lambda count: None)
    with pytest.raises(ModelFileError, match="a detector"):
        by_class_maps(whole.path, images, lambda count: None)


def test_a_teacher_that_was_fitted_on_others_is_not_taken(
    whole: TrainedDetector, images: LabelledImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have seen what is held out now. What is fitted and trained does not matter here."""
    fitted: list[Path] = []
    pseudo_labels_of: list[Path] = []

    def fit(training: object, validation: object, out: Path, **options: object) -> None:
        out.parent.mkdir(parents=True)
        fitted.append(Path(copy(whole.path, out)))

    def train(*given: Any, **options: object) -> TrainedDetector:  # noqa: ANN401
        pseudo_labels_of.append(given[4])
        return whole

    monkeypatch.setattr("boxless.learning.head.fit.fit", fit)
    monkeypatch.setattr(rounds_of_training, "train_detector", train)
    rows = [f"{path},{label}" for path, label in zip(images.paths, ["red", "blue"] * 3, strict=True)]
    listed = tmp_path / "squares.csv"
    for names, more in (("red", []), ("red", []), ("red", ["--seed", "1"]), ("red", ["--val", "0.5"]), ("rouge", [])):
        listed.write_text("path,label\n" + "\n".join(rows).replace("red", names))
        done = CliRunner().invoke(app, ["detector", str(listed), "--out", str(tmp_path / "own.onnx"), *more])
        assert done.exit_code == 0, done.output
    assert pseudo_labels_of == [fitted[0], *fitted]
    assert len(set(fitted)) == 4


def test_background_alone_says_nothing_of_a_detector(images: LabelledImages, tmp_path: Path) -> None:
    some = replace(images, classes=("background", "red"))
    nothing = some.only(np.flatnonzero(some.targets[:, 0] > 0))
    with pytest.raises(DatasetError, match=r"no held-out image shows red"):
        train_detector(some, nothing, tmp_path / "squares.onnx", TINY, taught(some))
    assert not list(tmp_path.iterdir())


def test_settings_that_cannot_be_are_refused() -> None:
    assert list(BACKBONES) == ["efficientnet_lite0", "darknet19"]
    with pytest.raises(UnknownNetworkError, match="expected efficientnet_lite0 or darknet19"):
        DetectorOptions("resnet50")
    with pytest.raises(TrainingError, match="such as 256"):
        DetectorOptions(size=250)
    with pytest.raises(TrainingError, match="rounds 0"):
        DetectorOptions(rounds=0)


def test_many_images_are_shown_fewer_times_unless_one_says() -> None:
    assert [DetectorOptions().epochs_of(1, count, 256) for count in (5, 750, 3000, 1_000_000)] == [40, 40, 10, 4]
    assert DetectorOptions().epochs_of(2, 3000, 256) == 5
    assert DetectorOptions().epochs_of(1, 750, 512) == 10  # as many pixels
    assert [DetectorOptions(epochs=7).epochs_of(number, 1_000_000, 768) for number in (1, 2, 3)] == [7, 3, 3]


def test_the_command_says_what_it_will_not_do(whole: TrainedDetector, images: LabelledImages, tmp_path: Path) -> None:
    run = CliRunner()
    folder = images.paths[0].parent
    maps = run.invoke(app, ["locate", str(folder), "--model", str(whole.path), "--save-maps", str(tmp_path)])
    assert isinstance(maps.exception, ModelFileError)
    assert "--save-maps" in str(maps.exception)
    out = tmp_path / "annotated"
    masks = run.invoke(app, ["annotate", str(folder), "--model", str(whole.path), "--out", str(out), "--masks"])
    assert isinstance(masks.exception, ModelFileError)
    assert "--masks" in str(masks.exception)
    assert not list(tmp_path.iterdir())  # not even what is begun
    printed = run.invoke(app, ["locate", str(images.paths[0]), "--model", str(whole.path), "--json"])
    assert printed.exit_code == 0
    assert '"maps": "none"' in printed.stdout
