from __future__ import annotations

import sys
from pathlib import Path

import pytest

from boxless import DatasetError
from boxless.annotation import read_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images (empty files will do) of troublesome names."""
    for name in (
        "cat/1.jpg",
        "dog/1.jpg",
        "dog/1.png",
        "cat__1.jpg",
        "dog/A.JPG",
        "dog/a.jpg",
        "train/x/line\nbreak.jpg",
    ):
        path = tmp_path / "my images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "my images"


def test_every_image_has_a_name_of_its_own(folder: Path) -> None:
    found = {each.name: each for each in read_inputs(folder)}
    assert found["cat/1.jpg"].labels is None
    stems = [Path(each.flat).stem.casefold() for each in found.values()]
    assert len(set(stems)) == len(stems) == 7
    assert found["dog/1.jpg"].flat == "dog__1.jpg" and found["dog/1.png"].flat == "dog__1-2.png"
    assert found["train/x/line\nbreak.jpg"].flat == "train__x__line_break.jpg"
    assert found["train/x/line\nbreak.jpg"].split == "train"


def test_a_file_of_one_image_stays_below_and_is_its_own(folder: Path, tmp_path: Path) -> None:
    stems = {each.name: each.stem for each in read_inputs(folder)}
    assert stems["cat/1.jpg"] == "cat/1" and stems["dog/1.jpg"] == "dog/1" and stems["dog/1.png"] == "dog__1-2"
    flat = [stem.replace("/", "__").casefold() for stem in stems.values()]
    assert len(set(flat)) == len(flat)
    (tmp_path / "lists").mkdir()
    table = tmp_path / "lists/list.csv"
    table.write_text(f"path\n{folder}/cat/1.jpg\n../my images/dog/1.jpg\n", encoding="utf-8")
    for each in read_inputs(table):
        assert "/" not in each.stem and each.stem.endswith("__1") and Path(each.name).name == "1.jpg"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_that_leads_in_a_circle_is_an_image_that_cannot_be_read(folder: Path) -> None:
    (folder / "cat/circle.jpg").symlink_to("circle.jpg")
    table = folder / "labels.csv"
    table.write_text("path,label\ncat/circle.jpg,cat\ncat/1.jpg,cat\n")
    assert [each.labels for each in read_inputs(folder / "cat", str(table))] == [("cat",), ("cat",)]


def test_names_of_folders_are_images_that_cannot_be_read(folder: Path) -> None:
    table = folder / "list.csv"
    table.write_text("path\n.\n/\n./\n..\ncat/1.jpg\n")
    assert [each.path.is_file() for each in read_inputs(table)] == [False, False, False, True]


def test_labels_of_folders_and_tables(folder: Path) -> None:
    assert {each.labels for each in read_inputs(folder / "dog", "folder")} == {("dog",)}
    table = folder / "labels.csv"
    table.write_text(
        'path,label,split\ncat/1.jpg,"cat|a ""b"", c",val\n"train/x/line\nbreak.jpg",dog,\n', encoding="utf-8"
    )
    first, second = read_inputs(table)
    assert first.labels == ("cat", 'a "b", c') and first.split == "val"
    assert second.path.is_file() and second.labels == ("dog",)
    assert {each.labels for each in read_inputs(table, "model")} == {None}
    with pytest.raises(DatasetError, match="5 images have no label there"):
        read_inputs(folder, str(table))
    with pytest.raises(DatasetError, match="no labels at 'nowhere'"):
        read_inputs(folder, "nowhere")
    table.write_text("path\ncat/1.jpg\n")
    assert read_inputs(table)[0].labels is None
    with pytest.raises(DatasetError, match="no column of labels"):
        read_inputs(folder, str(table))
    table.write_text("path,split\ncat/1.jpg,dev\n")
    with pytest.raises(DatasetError, match=r"cat/1.jpg: of the split 'dev' \(expected train, "):
        read_inputs(table)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_the_label_of_a_link_is_the_folder_that_it_stands_in(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "store.jpg").write_bytes(b"")
    (folder / "dog/link.jpg").symlink_to(tmp_path / "store.jpg")
    assert {each.labels for each in read_inputs(folder / "dog", "folder")} == {("dog",)}


def test_the_output_is_no_input(folder: Path) -> None:
    names = {each.name for each in read_inputs(folder, without=folder / "dog")}
    assert names == {"cat/1.jpg", "cat__1.jpg", "train/x/line\nbreak.jpg"}
    for place in (folder, folder.parent):
        with pytest.raises(DatasetError, match="the images are in there"):
            read_inputs(folder, without=place)
    with pytest.raises(DatasetError, match="no such folder"):
        read_inputs(folder / "nowhere")


def test_splits_stay_when_images_are_added(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.jpg").write_bytes(b"")
    splits = {each.name: each.split for each in read_inputs(tmp_path)}
    assert 5 < list(splits.values()).count("val") < 40
    (tmp_path / "new.jpg").write_bytes(b"")
    again = {each.name: each.split for each in read_inputs(tmp_path)}
    assert {name: again[name] for name in splits} == splits
