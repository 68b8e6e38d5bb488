from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.export.small import EXACT, classifier, saved

import boxless
from boxless import ModelFile
from boxless.errors import ArgumentError, DatasetError, NetworkError, OutputError, TrainingError, UnknownPresetError
from boxless.evaluation import read_dataset
from boxless.evaluation.calibrate import calibrate_presets


@pytest.fixture(scope="module")
def labelled(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops of a cat and of an espresso, twelve each, a folder a class."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, file in (("cat", "chelsea.jpg"), ("espresso", "coffee.jpg")):
        (folder / name).mkdir()
        with Image.open(images / file) as image:
            for i in range(12):
                image.crop((5 * i, 3 * i, 360 + 5 * i, 240 + 3 * i)).resize((96, 64)).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def learned(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> boxless.Learned:
    pytest.importorskip("sklearn", reason="needs the extra fit")
    folder = tmp_path_factory.mktemp("model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOXLESS_CACHE", str(folder / "cache"))
        return boxless.fit(labelled, folder / "mine.onnx", size=64, localization_size=64)


def test_fit_says_what_a_script_wants(learned: boxless.Learned, labelled: Path) -> None:
    assert learned.classes == ("cat", "espresso")
    assert learned.metrics["accuracy"] == 100.0
    assert "</html>" in learned.report.read_text(encoding="utf-8")
    report = json.loads((learned.report.parent / "report.json").read_text(encoding="utf-8"))
    assert report["figures"]["accuracy"]["value"] == learned.metrics["accuracy"]
    found = boxless.Localizer(learned.model).locate(labelled / "cat/3.png")
    assert found.predictions[0].label == "cat"


def test_evaluate_gives_plain_numbers(learned: boxless.Learned, labelled: Path, tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.csv"
    rows = [f"{name}/{i}.png,{name},0,0,96,64" for name in ("cat", "espresso") for i in range(3)]
    boxes.write_text("\n".join(["image,class,x0,y0,x1,y1", *rows]))
    seen: list[tuple[str, int, int]] = []
    measured = boxless.evaluate(boxes, learned.model, images=labelled, on_progress=lambda *told: seen.append(told))
    assert seen[-1] == ("images", 6, 6)
    assert measured.counts["boxes"] == 6
    for key, numbers in measured.metrics.items():
        assert set(numbers) <= {"deployable", "oracle"}, key
        assert all(np.isfinite(value) for value in numbers.values())
    assert measured.metrics["top1"]["deployable"] == 100.0


@pytest.fixture
def boxes_of_dogs(labelled: Path) -> Iterator[Path]:
    """Boxes of a class that is not learned."""
    file = labelled / "boxes.csv"
    file.write_text("image,class,x0,y0,x1,y1\ncat/1.png,dog,1,2,3,4\n")
    yield file
    file.unlink()


def test_mistakes_are_refused_before_the_work(labelled: Path, boxes_of_dogs: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere"):
        boxless.fit(labelled / "nowhere", tmp_path / "x.onnx")
    with pytest.raises(DatasetError, match="between 0 and 1"):
        boxless.fit(labelled, tmp_path / "x.onnx", val=2)
    with pytest.raises(DatasetError, match=r"no boxes of the classes that are learned \(found dog; expected cat"):
        boxless.fit(labelled, tmp_path / "x.onnx", boxes=boxes_of_dogs)
    with pytest.raises(UnknownPresetError, match="bestest"):
        boxless.fit(labelled, tmp_path / "x.onnx", preset="bestest")
    with pytest.raises(NetworkError, match="no such file"):
        boxless.attach("nowhere.keras", tmp_path / "x.onnx")
    with pytest.raises(DatasetError, match="seed -1"):
        boxless.fit(labelled, tmp_path / "x.onnx", seed=-1)
    with pytest.raises(ArgumentError, match=r"fit: size is 8 \(expected 32 to 1024 pixels\)"):
        boxless.fit(labelled, tmp_path / "x.onnx", size=8)
    with pytest.raises(OutputError, match="is a folder"):
        boxless.fit(labelled, tmp_path)
    with pytest.raises(OutputError, match=r"labelled\d*/cat/1\.png is a file \(expected a folder, for x\.onnx"):
        boxless.fit(labelled, labelled / "cat/1.png/models/x.onnx")
    with pytest.raises(OutputError, match=r"is a file \(expected a folder, for index\.html"):
        boxless.fit(labelled, tmp_path / "x.onnx", report=labelled / "cat/1.png")
    with pytest.raises(OutputError, match="is a folder"):
        boxless.attach("nowhere.onnx", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("task", "given", "words"),
    [
        ("fit", {"size": "224"}, "fit: size is '224' (expected a whole number or None)"),
        ("fit", {"out": None}, "fit: out is None (expected a text or a path)"),
        ("train", {"network": 3}, "train: network is 3 (expected a text)"),
        ("evaluate", {"on_progress": True}, "evaluate: on_progress is True (expected a function)"),
        ("attach", {"input_size": 224}, "attach: input_size is 224 (expected (height, width) or None)"),
        ("attach", {"labels": "names.txt"}, "labels is 'names.txt' (expected a list, each item a text or None)"),
        ("attach", {"activation": "relu"}, "(expected 'softmax' or 'sigmoid' or 'none' or None)"),
        ("from_torch", {"example_size": 224}, "from_torch: example_size is 224 (expected (height, width))"),
    ],
)
def test_arguments_of_another_type_are_named(task: str, given: dict[str, Any], words: str) -> None:
    usual = {"images": "a", "boxes": "a", "model": "a.onnx", "module": None, "network": "nin", "out": "x.onnx"}
    wanted = inspect.signature(getattr(boxless, task)).parameters
    needed = {name for name, each in wanted.items() if each.default is each.empty and each.kind is not each.VAR_KEYWORD}
    with pytest.raises(ArgumentError, match=re.escape(words)):
        getattr(boxless, task)(**{name: usual[name] for name in needed} | given)


def test_attach_takes_files_and_modules(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    pooled = (torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 3))
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, stride=2), torch.nn.ReLU(), *pooled)
    made = boxless.attach(module, tmp_path / "mine.onnx", example_size=(64, 64))
    assert boxless.Localizer(made.path).card.maps == "exact"


def test_attach_sets_thresholds_on_boxes(images: Path, tmp_path: Path) -> None:
    network, out, boxes = saved(classifier(EXACT["gemm"]), tmp_path), tmp_path / "out.onnx", tmp_path / "boxes.csv"
    rows = ("coffee.jpg,100,20,500,380", "chelsea.jpg,60,0,420,300", "rocket.jpg,280,60,360,360")
    lines = [f"{images / name},class {k},{box}" for k, (name, _, box) in enumerate(r.partition(",") for r in rows)]
    boxes.write_text("\n".join(["image,class,x0,y0,x1,y1", *lines]))
    stages = set()
    made = boxless.attach(network, out, boxes=boxes, on_progress=lambda stage, *_: stages.add(stage))
    assert stages
    assert made.path == out
    assert ModelFile(out).card == made.card
    plain = ModelFile(boxless.attach(network, tmp_path / "plain.onnx").path)
    found, _ = calibrate_presets(plain, read_dataset(boxes, plain.card))
    assert {name: preset.threshold for name, preset in made.card.presets.items()} == {e.preset: e.new for e in found}
    assert any(each.new != each.old for each in found)

    before = out.read_bytes()
    boxes.write_text("image,class,x0,y0,x1,y1\ngone.jpg,class 0,1,1,5,5")
    with pytest.raises(DatasetError):
        boxless.attach(network, out, boxes=boxes)
    with pytest.raises(NetworkError, match="the classifier itself"):
        boxless.attach(network, network, boxes=boxes)
    assert out.read_bytes() == before
    assert {each.name for each in tmp_path.iterdir()} == {network.name, "out.onnx", "plain.onnx", "boxes.csv"}


def test_training_settings_are_checked_before_the_work(labelled: Path, boxes_of_dogs: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="needs the extra train")
    with pytest.raises(TrainingError, match="epochs"):
        boxless.train(labelled, tmp_path / "x.onnx", "nin", epochs=0)
    with pytest.raises(ArgumentError, match=r"epochs is 1\.5 \(expected a whole number\)"):
        boxless.train(labelled, tmp_path / "x.onnx", "nin", epochs=1.5)
    with pytest.raises(UnknownPresetError, match="bestest"):
        boxless.train(labelled, tmp_path / "x.onnx", "nin", preset="bestest")
    with pytest.raises(DatasetError, match="no boxes of the classes that are learned"):
        boxless.train(labelled, tmp_path / "x.onnx", "nin", boxes=boxes_of_dogs)
    assert not list(tmp_path.iterdir())
