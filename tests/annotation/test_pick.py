"""Images to draw boxes on: a typical one of each class, and then such as differ from those before."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from boxless.annotation import read_inputs

pytest.importorskip("onnx", reason="needs the extra graph")

from boxless.annotation.pick import farthest_points, picked
from boxless.errors import DatasetError
from boxless.models.zoo import DEFAULT_MODEL


def test_the_typical_comes_first_and_each_group_once() -> None:
    random = np.random.default_rng(0)
    centres = np.array([[0, 0], [9, 9], [-9, -9], [9, -9]])
    points = np.concatenate([random.normal(0, 0.1, (20, 2)) + each for each in centres])
    taken = farthest_points(points.astype(np.float32), 4)
    assert sorted(each // 20 for each in taken) == [0, 1, 2, 3]
    assert taken[0] // 20 == 0


def test_there_are_never_more_than_there_are_nor_one_twice() -> None:
    assert sorted(farthest_points(np.ones((3, 2), np.float32), 10)) == [0, 1, 2]


@pytest.fixture
def folder(images: Path, tmp_path: Path) -> Path:
    """Coffee three times, one of them upside down, a cat, an image of nothing, and one that cannot be read."""
    for place in ("espresso/1.jpg", "espresso/2.jpg", "tabby/1.jpg"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        shutil.copyfile(images / f"{'chelsea' if 'tabby' in place else 'coffee'}.jpg", tmp_path / place)
    ImageOps.flip(Image.open(images / "coffee.jpg")).save(tmp_path / "espresso/flipped.jpg")
    (tmp_path / "espresso/broken.jpg").write_bytes(b"no image")
    (tmp_path / "background").mkdir()
    Image.new("RGB", (80, 60), (128, 128, 128)).save(tmp_path / "background/grey.png")
    return tmp_path


def test_labels_say_what_images_show(folder: Path) -> None:
    found = {each.name for each in picked(read_inputs(folder, "folder"), DEFAULT_MODEL, 2)}
    assert "tabby/1.jpg" in found
    assert "espresso/flipped.jpg" in found, "it differs from the other two"
    assert len(found) == 3


def test_without_labels_the_model_says(folder: Path) -> None:
    shutil.rmtree(folder / "background")
    found = [each.name for each in picked(read_inputs(folder), DEFAULT_MODEL, 1)]
    assert "tabby/1.jpg" in found
    assert any(name.startswith("espresso") for name in found)
    assert "espresso/broken.jpg" not in found


def test_what_cannot_be_picked_is_said(folder: Path) -> None:
    with pytest.raises(DatasetError, match="expected 1 or more"):
        picked(read_inputs(folder), DEFAULT_MODEL, 0)
    for each in ("espresso", "tabby"):
        shutil.rmtree(folder / each)
    with pytest.raises(DatasetError, match="no image that can be read shows a class"):
        picked(read_inputs(folder, "folder"), DEFAULT_MODEL, 1)
