"""Folders and CSVs of labelled images: what is read, and what is refused."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxless import DatasetError
from boxless.datasets.labelled import LabelledImages, read_labelled
from boxless.datasets.split import read_split


def image(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)
    return path


def folders(root: Path, **counts: int) -> Path:
    for name, count in counts.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            image(root / name / f"{i}.png")
    return root


def table(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_folder_a_class(tmp_path: Path) -> None:
    found = read_labelled(folders(tmp_path / "animals", dog=2, cat=3))[""]
    assert found.classes == ("cat", "dog")
    assert found.counts.tolist() == [3, 2]
    assert not found.several
    assert found.paths[0].parent.name == "cat"


def test_loose_images_are_mentioned(tmp_path: Path) -> None:
    image(folders(tmp_path, dog=1, cat=1) / "loose.jpg")
    assert "loose.jpg" in read_labelled(tmp_path)[""].notes[0]


def test_a_csv_of_one_label_a_image(tmp_path: Path) -> None:
    found = read_labelled(table(tmp_path / "a.csv", "path;label", "a.jpg;crack", "b.jpg;background"))[""]
    assert found.classes == ("background", "crack")
    assert found.background == (0,)
    assert found.paths[0] == tmp_path / "a.jpg"


@pytest.mark.parametrize("lines", [("a.jpg,x|y", "b.jpg,y"), ("a.jpg,x", "a.jpg,y", "b.jpg,y")])
def test_a_csv_of_several_labels(tmp_path: Path, lines: tuple[str, ...]) -> None:
    found = read_labelled(table(tmp_path / "a.csv", "File,Labels", *lines))[""]
    assert found.several
    assert found.targets.tolist() == [[1, 1], [0, 1]]


def test_the_split_of_a_csv(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", "path,label,split", "d,x,test", "a,x,train", "b,y,train", "c,y,val")
    training, validation = read_split(file)
    assert [path.name for path in training.paths] == ["a", "b"]
    assert [path.name for path in validation.paths] == ["c"]
    assert "test" in training.notes[0]
    assert [path.name for path in read_split(file, "test")[1].paths] == ["d"]


def test_a_fifth_of_each_class_is_held_out(tmp_path: Path) -> None:
    root = folders(tmp_path, dog=50, cat=10, rare=1)
    training, validation = read_split(root)
    assert validation.counts.tolist() == [2, 10, 0]
    assert training.counts.tolist() == [8, 40, 1]
    assert not set(training.paths) & set(validation.paths)
    assert read_split(root)[1].paths == validation.paths
    assert read_split(root, seed=1)[1].paths != validation.paths
    assert len(read_split(root, "0.5")[1]) == 30


def test_validation_classes_go_by_name(tmp_path: Path) -> None:
    training, validation = read_split(
        folders(tmp_path / "a", ape=1, bat=1, cat=1), str(folders(tmp_path / "b", bat=1, cat=2))
    )
    assert validation.classes == training.classes
    assert validation.targets.argmax(axis=1).tolist() == [1, 2, 2]


def test_a_validation_class_that_training_lacks(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"bee to validate on, but no image to learn from \(training has ape, bat"):
        read_split(folders(tmp_path / "a", ape=1, bat=1), str(folders(tmp_path / "b", bat=1, bee=2)))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "neither folders nor images"),
        ({"cat": 3, "dog": 0}, "no images in dog"),
        ({"cat": 3}, "one class, cat .*background"),
    ],
)
def test_refused_folders(tmp_path: Path, counts: dict[str, int], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read_labelled(folders(tmp_path, **counts))


def test_folders_of_folders(tmp_path: Path) -> None:
    folders(tmp_path / "photos", cat=1, dog=1)
    with pytest.raises(DatasetError, match=r"such as photos/cat/0.png.*--val"):
        read_labelled(tmp_path)


def test_folders_of_splits(tmp_path: Path) -> None:
    folders(tmp_path / "train", cat=2, dog=2)
    folders(tmp_path / "valid", cat=1, dog=1)
    training, validation = read_split(tmp_path)
    assert (len(training), len(validation)) == (4, 2)
    assert training.classes == validation.classes == ("cat", "dog")


def test_classes_that_are_called_as_splits(tmp_path: Path) -> None:
    found = read_labelled(folders(tmp_path, train=2, test=1, plane=3))
    assert list(found) == [""]
    assert found[""].classes == ("plane", "test", "train")
    both = read_labelled(folders(tmp_path / "two", train=2, test=1))
    assert list(both) == [""] and both[""].classes == ("test", "train")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("path,label", "a.jpg,x", "b.jpg,", "c.jpg"), r"2 lines lack a path or a label \(line 3, line 4\)"),
        (("x1,y1", "a.jpg,x"), "names x1, y1 .expected the columns path and label"),
        (("path,label",), "no lines"),
        (("",), "names nothing"),
        (("path,label,split", "a,x,train", "a,y,val"), "stands in two splits, train and val"),
    ],
)
def test_refused_csvs(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        read_labelled(table(tmp_path / "a.csv", *lines))


def test_no_such_things(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder or file"):
        read_labelled(tmp_path / "nowhere")
    root = folders(tmp_path, cat=2, dog=2)
    with pytest.raises(DatasetError, match="no images to validate on at 'vall'"):
        read_split(root, "vall")
    with pytest.raises(DatasetError, match="between 0 and 1"):
        read_split(root, "20")


def test_images_that_cannot_be_read(tmp_path: Path) -> None:
    found = read_labelled(folders(tmp_path, cat=30, dog=1))[""]
    left = found.without({3: "a damaged image"})
    assert len(left) == 30
    assert "1 of 31 images cannot be read" in left.notes[-1]
    assert f"{found.paths[3].name}: a damaged image" in left.notes[-1]
    with pytest.raises(DatasetError, match="over 5% is too many"):
        found.without(dict.fromkeys(range(3), "a damaged image"))
    with pytest.raises(DatasetError, match="no readable image is left of dog"):
        found.without({30: "a damaged image"})
    assert found.only(np.array([30])).paths == found.paths[30:]


def test_a_digest_tells_images_and_labels_apart() -> None:
    """That of a training which goes on: it must stay as it is."""
    images = LabelledImages("some", ("cat", "dog"), (Path("a.jpg"), Path("b.jpg")), np.eye(2, dtype="f4"), False)
    assert images.digest == hashlib.sha256(b"a.jpg\nb.jpg" + images.targets.tobytes()).hexdigest()[:8]
    assert replace(images, targets=images.targets[::-1]).digest != images.digest
    assert replace(images, paths=(Path("a.jpg"), Path(os.fsdecode(b"\xff.jpg")))).digest != images.digest
