"""From images to a model file by way of a trained network, and what is refused on the way."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow", reason="TensorFlow is not installed: pip install 'boxless[train]'")

from boxless import Localizer, ModelFile
from boxless.datasets.labelled import LabelledImages
from boxless.datasets.split import read_split
from boxless.errors import DatasetError, NetworkError, TrainingError
from boxless.learning.network.choice import Choice
from boxless.learning.network.plan import TrainingPlan
from boxless.learning.network.train import Trained, train
from boxless.learning.network.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CHOICE = Choice("nin_bn", size=16, width=0.05)
PLAN = TrainingPlan(epochs=8, batch=8, rate=1e-2, augment="none")


def save_patterns(root: Path, classes: tuple[str, ...] = ("across", "chequers", "down"), count: int = 8) -> Path:
    """A folder of stripes across, chequerboards, and stripes down, in random colours."""
    random = np.random.default_rng(0)
    rows, columns = np.indices((20, 20)) // 2 % 2
    shapes = dict(zip(("across", "chequers", "down"), (rows, rows ^ columns, columns), strict=True))
    for name in classes:
        (root / name).mkdir(parents=True)
        for index in range(count):
            light, dark = random.integers(128, 256, 3), random.integers(0, 100, 3)
            pixels = np.where(shapes[name][..., None], light, dark).astype(np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelledImages, LabelledImages]:
    return read_split(save_patterns(tmp_path_factory.mktemp("patterns")), "0.25")


@pytest.fixture(scope="module")
def trained(images: tuple[LabelledImages, LabelledImages], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(*images, tmp_path_factory.mktemp("own") / "own.onnx", CHOICE, PLAN, licence="MIT")


def test_a_model_file_comes_out(trained: Trained) -> None:
    model = ModelFile(trained.path)
    assert model.card == trained.card
    assert model.card.name == "own"
    assert model.card.labels == ("across", "chequers", "down")
    assert model.card.maps == "exact"
    assert model.card.licence == "MIT"
    assert model.card.source.startswith("nin_bn trained on 18 images")
    assert model.card.preset("fast").scales == (16,)
    assert model.card.size_multiple == 4
    assert model.card.figures["accuracy"] == pytest.approx(100.0)
    assert trained.parity.images == 6
    assert trained.parity.probabilities < 1e-5
    assert dict(trained.report.facts)["network"].startswith("nin_bn, width 0.05, head gap, from random weights; ")
    found = Localizer(trained.path).locate(trained.report.held_out.images.paths[0])
    assert found.predictions[0].label == "across"


def test_what_stays_beside_it(trained: Trained) -> None:
    folder = trained.path.with_suffix(".training")
    assert sorted(path.name for path in folder.iterdir()) == ["history.csv", "logs", "network.keras"]
    assert sorted(path.name for path in folder.parent.iterdir()) == ["own.onnx", "own.training"]
    with (folder / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(trained.history) == 8
    assert float(rows[-1]["val_accuracy"]) == trained.history[-1].val_accuracy


def test_the_keras_model_needs_no_boxless(trained: Trained) -> None:
    with zipfile.ZipFile(trained.network) as file:
        config = json.loads(file.read("config.json"))
    modules: set[str] = set()

    def collect(part: object) -> None:
        for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            collect(each)
        if isinstance(part, dict) and "class_name" in part:
            modules.add((part.get("module") or "keras").partition(".")[0])
            assert part.get("registered_name") in (None, "Functional"), part["class_name"]

    collect(config)
    assert modules == {"keras"}


class KilledAfter(Watch):
    """Pulls the plug after so many steps."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def stepped(self) -> None:
        self.steps -= 1
        if not self.steps:
            raise KeyboardInterrupt


def test_a_killed_training_ends_in_the_same_model(
    trained: Trained, images: tuple[LabelledImages, LabelledImages], tmp_path: Path
) -> None:
    out = tmp_path / "own.onnx"
    with pytest.raises(KeyboardInterrupt):
        train(*images, out, CHOICE, PLAN, licence="MIT", watch=KilledAfter(10))
    assert not out.exists()
    assert (tmp_path / "own.training" / "checkpoint.npz").exists()
    with pytest.raises(TrainingError, match=r"begun otherwise \(network nin_bn, width 0.05.*, now nin_bn, width 0.1"):
        train(*images, out, replace(CHOICE, width=0.1), PLAN)
    again = train(*images, out, CHOICE, PLAN, licence="MIT")
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    one, other = (ModelFile(path).run(pixels, size=(16, 16), top=3).logits for path in (trained.path, again.path))
    assert np.array_equal(one, other)
    assert not (tmp_path / "own.training" / "checkpoint.npz").exists()


def test_fine_tuning_on_other_classes(trained: Trained, tmp_path: Path) -> None:
    two = read_split(save_patterns(tmp_path / "two", ("across", "down")), "0.25")
    choice = replace(CHOICE, head="gmp", start=str(trained.network))
    made = train(*two, tmp_path / "two.onnx", choice, replace(PLAN, epochs=3, rate=3e-3))
    assert made.card.labels == ("across", "down")
    assert made.card.maps == "max-pooled"
    assert made.parity.maps is None
    assert "network.keras" in made.card.source
    other = Choice("darknet19", width=0.05, size=64, start=str(trained.network))
    with pytest.raises(NetworkError, match="no layer of nin_bn fits darknet19"):
        train(*two, tmp_path / "other.onnx", other, PLAN)


def test_several_labels(images: tuple[LabelledImages, LabelledImages], tmp_path: Path) -> None:
    learn, check = (replace(each, several=True) for each in images)
    made = train(learn, check, tmp_path / "several.onnx", CHOICE, replace(PLAN, epochs=1))
    assert made.card.activation == "sigmoid"
    assert set(made.report.figures) == {"all labels right", "F1"}


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    root = save_patterns(tmp_path / "broken")
    (root / "down" / "0.png").write_bytes(b"not an image")
    (root / "down" / "1.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="cannot be read"):
        train(*read_split(root, "0.25"), tmp_path / "own.onnx", CHOICE, PLAN)
    assert not (tmp_path / "own.onnx").exists()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "nin-net"}, "no network 'nin-net'.*nearest: nin"),
        ({"head": "fc"}, "no class maps, and no model file can be made of it: take --head gap"),
        ({"head": "mean"}, "no head 'mean'.*gap or gmp"),
        ({"size": 30}, "size 30 .*multiple of nin's 4, such as 32"),
        ({"width": 0.0}, "width 0"),
        ({"name": "resnet50", "width": 0.5}, "resnet50 has no width"),
        ({"start": "imagenet"}, "nin has no ImageNet weights .*efficientnet_lite0"),
        ({"start": "weights.h5"}, "no published weights"),
    ],
)
def test_choices_that_make_no_sense(wrong: dict[str, object], message: str) -> None:
    settings = {"name": "nin", **wrong}
    with pytest.raises((TrainingError, NetworkError), match=message):
        Choice(**settings)  # type: ignore[arg-type]
