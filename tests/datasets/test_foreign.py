"""Data sets as other people's programs and machines leave them: each oddity in its smallest form."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import ExifTags, Image

from boxless import Card, DatasetError
from boxless.datasets.boxed import BoxedSet, check_boxes, read_dataset
from boxless.datasets.csv import Columns
from boxless.datasets.formats import read_any
from boxless.datasets.labelled import read_labelled
from boxless.datasets.masks import OBJECT
from boxless.datasets.split import read_split

BOX = [10, 5, 20, 30]
"""x, y, width and height of a box on a.png, which is 60 x 40."""


def coco_of(file: Path, *annotations: dict[str, Any], name: Any = "a.png", **image: Any) -> Path:  # noqa: ANN401
    """A COCO file of one image, with one box of a cat unless others are given."""
    one = {"id": 1, "file_name": name, "width": 60, "height": 40, **image}
    listed = annotations or ({"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX},)
    data = {"images": [one], "annotations": listed, "categories": [{"id": 1, "name": "cat"}]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


def boxes(boxed: BoxedSet) -> list[tuple[str, list[list[float]]]]:
    return [(each.path.name, each.boxes.tolist()) for each in boxed.images]


THE_BOX = [("a.png", [[10, 5, 30, 35]])]


@pytest.mark.parametrize(
    "name",
    [
        "images\\a.png",
        "C:\\Users\\me\\photos\\a.png",
        "/home/me/set/images/a.png",
        "/data/local-files/?d=set/images/a.png",
        "http://localhost:8080/data/local-files/?d=images%2Fa.png",
        "https://example.com/images/a.png?size=1",
        "a.jpg",
        "a",
        "A.PNG",
    ],
)
def test_names_of_another_machine(name: str, folder: Path, card: Card) -> None:
    assert boxes(read_dataset(coco_of(folder / "set.json", name=name), card)) == THE_BOX


def test_a_name_with_accents_from_an_archive_of_macos(folder: Path, card: Card) -> None:
    (folder / "images/a.png").rename(folder / unicodedata.normalize("NFC", "images/été.png"))
    named = unicodedata.normalize("NFD", "été.png")
    assert len(read_dataset(coco_of(folder / "set.json", name=named), card).images) == 1


def test_two_folders_with_the_same_names_are_not_mixed_up(folder: Path, card: Card) -> None:
    coco_of(folder / "set.json", name="/elsewhere/one/a.png")
    data = json.loads((folder / "set.json").read_text())
    data["images"].append({"id": 2, "file_name": "/elsewhere/two/a.png"})
    (folder / "set.json").write_text(json.dumps(data))
    with pytest.raises(DatasetError, match="none of the data set's images found"):
        read_dataset(folder / "set.json", card)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_with_a_byte_order_mark(encoding: str, folder: Path, card: Card) -> None:
    file = coco_of(folder / "set.json")
    file.write_text(file.read_text(encoding="utf-8"), encoding=encoding)
    assert boxes(read_dataset(folder, card)) == boxes(read_dataset(file, card)) == THE_BOX


def test_ids_as_text_and_flat_outlines_of_via(folder: Path, card: Card) -> None:
    outline = [10, 5, 30, 5, 30, 35, 10, 35]
    text = {"id": "0", "image_id": "1", "category_id": 1.0, "bbox": ["10", "5", "20", "30"], "segmentation": outline}
    boxed = read_dataset(coco_of(folder / "set.json", text), card)
    assert boxes(boxed) == THE_BOX and not boxed.notes.found
    assert boxed.images[0].mask is not None
    assert (boxed.images[0].mask.read(40, 60) == OBJECT).sum() == 600


def test_images_default_of_cvat(folder: Path, card: Card) -> None:
    (folder / "images").rename(folder / "default")
    (folder / "images").mkdir()
    (folder / "default").rename(folder / "images/default")
    coco_of(folder / "annotations/instances_default.json")
    assert boxes(read_dataset(folder, card)) == THE_BOX


def test_the_folder_above_the_splits(folder: Path, card: Card) -> None:
    for split in ("train", "valid"):
        shutil.copytree(folder / "images", folder / "export" / split)
        coco_of(folder / "export" / split / "_annotations.coco.json")
    boxed = read_dataset(folder / "export", card)
    assert boxes(boxed) == THE_BOX * 2
    assert boxed.notes.as_dict() == {"several splits": ["train (1 images)", "val (1 images)"]}
    assert read_any(folder / "export").splits == {"train": 1, "val": 1}


def test_coco_beside_labels_of_the_same_name(folder: Path) -> None:
    """As COCO itself has it: the file of instances counts, and a file for each split is one data set."""
    for name in ("instances_train2017", "instances_val2017", "captions_val2017"):
        coco_of(folder / "annotations" / f"{name}.json")
    assert len(read_any(folder).images) == 2


VOC = (
    "<annotation><folder>pics</folder><filename>{name}</filename><path>C:\\pics\\a.png</path>"
    "<size><width>60</width><height>40</height></size><object><name>cat</name><bndbox><xmin>11</xmin><ymin>6</ymin>"
    "<xmax>30</xmax><ymax>35</ymax></bndbox></object></annotation>"
)


@pytest.mark.parametrize("name", ["a", "a.jpg", "pics\\a.png", "", "C:\\pics\\a.png"])
def test_voc_names(name: str, folder: Path, card: Card) -> None:
    (folder / "a.xml").write_text(VOC.format(name=name))
    assert boxes(read_dataset(folder, card)) == THE_BOX


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_xml_with_a_byte_order_mark(encoding: str, folder: Path, card: Card) -> None:
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n' + VOC.format(name="a.png")
    (folder / "a.xml").write_text(text, encoding=encoding)
    assert boxes(read_dataset(folder, card)) == THE_BOX


@pytest.mark.parametrize(
    "heading", ["filepath;class_name", "image_path,class-name", "\ufeffImage Name\tCategory", "sep=;\nfile_name;Label"]
)
def test_headings_of_csv_files(heading: str, folder: Path) -> None:
    between = next(each for each in ";\t," if each in heading.splitlines()[-1])
    lines = [heading, f"images\\a.png{between}cat", f"images/b.png{between}dog"]
    (folder / "set.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read_labelled(folder / "set.csv")[""]
    assert found.classes == ("cat", "dog")
    assert [path.relative_to(folder).as_posix() for path in found.paths] == ["images/a.png", "images/b.png"]


@pytest.mark.parametrize(("mark", "name"), [(",", "commas"), (";", "semicolons")])
def test_other_separators_in_labels_are_asked_about(folder: Path, mark: str, name: str) -> None:
    file = folder / "set.csv"
    file.write_text(f'path,label\na.png,"red{mark}round"\nb.png,"blue{mark}round"\n')
    with pytest.raises(DatasetError, match=f'Labels contain {name}; use --separator "{mark}"'):
        read_split(file)
    apart = read_labelled(file, Columns(separator=mark))[""]
    assert apart.classes == ("blue", "red", "round") and apart.several
    assert read_labelled(file, Columns(separator="|"))[""].classes == (f"blue{mark}round", f"red{mark}round")
    file.write_text('path,label\na.png,"a, b|c"\nb.png,c\n')
    assert read_labelled(file)[""].classes == ("a, b", "c"), "a bar parts them, so the comma does not"


def test_columns_that_are_named(folder: Path) -> None:
    file = folder / "set.csv"
    file.write_text("where,what,label\na.png,cat,1\nb.png,dog,2\n")
    with pytest.raises(DatasetError, match="--path-column"):
        read_labelled(file)
    assert read_labelled(file, Columns(path="where", label="What"))[""].classes == ("cat", "dog")
    with pytest.raises(DatasetError, match=r"no column kind \(found where, what, label\)"):
        read_labelled(file, Columns(path="where", label="kind"))
    with pytest.raises(DatasetError, match="no CSV"):
        read_labelled(coco_of(folder / "set.json"), Columns(separator=","))


def test_rotated_boxes_of_cvat(folder: Path, card: Card) -> None:
    root = ElementTree.Element("annotations")
    image = ElementTree.SubElement(root, "image", name="a.png", width="60", height="40")
    edges = {"xtl": "20", "ytl": "10", "xbr": "40", "ybr": "20"}
    ElementTree.SubElement(image, "box", {"label": "cat", "rotation": "90", **edges})
    ElementTree.SubElement(image, "points", {"label": "cat", "points": "1,2"})
    ElementTree.SubElement(image, "polygon", {"label": "cup", "points": "1,2;11,2;11,12"})
    ElementTree.SubElement(image, "box", {"label": "cat", "xtl": "x"})
    ElementTree.ElementTree(root).write(folder / "annotations.xml")
    boxed = read_dataset(folder, card)
    cat, cup = (np.round(each.boxes, 3).tolist() for each in boxed.images)
    assert (cat, cup) == ([[25, 5, 35, 25]], [[1, 2, 11, 12]])
    assert boxed.notes.as_dict() == {
        "rotated box": ["a.png"],
        "other shape": ["a.png points"],
        "unreadable line": ["a.png box 3"],
    }


def turned(folder: Path, orientation: int, suffix: str = ".png") -> Path:
    """a.png, 60 x 40 as stored, which is displayed as 40 x 60."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = (folder / "images/a.png").with_suffix(suffix)
    (folder / "images/a.png").unlink()
    Image.new("RGB", (60, 40)).save(path, exif=exif)
    return path


def test_boxes_as_displayed_with_the_size_as_stored(folder: Path, card: Card) -> None:
    """As Label Studio's COCO export has them."""
    turned(folder, 6)
    low = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 45, 20, 12], "segmentation": [[5, 45, 25, 45, 25, 57]]}
    boxed = read_dataset(coco_of(folder / "set.json", low), card)
    assert boxes(boxed) == [("a.png", [[5, 45, 25, 57]])]
    assert boxed.notes.as_dict() == {"size as stored": ["a.png"]}
    mask = boxed.images[0].mask
    assert mask is not None and (mask.read(60, 40)[45:57, 5:25] == OBJECT).sum() == (mask.read(60, 40) == OBJECT).sum()


def test_boxes_that_fit_either_way_go_with_the_others(folder: Path, card: Card) -> None:
    turned(folder, 6)
    shutil.copy(folder / "images/a.png", folder / "images/d.png")
    small = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [5, 10, 20, 12]}
    file = coco_of(folder / "set.json", small)
    assert read_dataset(file, card).notes.as_dict() == {"turned box": ["a.png"]}
    data = json.loads(file.read_text())
    data["images"].append({"id": 2, "file_name": "d.png", "width": 60, "height": 40})
    data["annotations"].append({"id": 2, "image_id": 2, "category_id": 1, "bbox": [5, 45, 20, 12]})
    file.write_text(json.dumps(data))
    boxed = read_dataset(file, card)
    assert boxes(boxed) == [("a.png", [[5, 10, 25, 22]]), ("d.png", [[5, 45, 25, 57]])]
    assert boxed.notes.count("size as stored") == 2


def test_yolo_as_roboflow_exports_it(folder: Path, card: Card) -> None:
    for split in ("train", "valid"):
        shutil.copytree(folder / "images", folder / f"export/{split}/images")
        (folder / f"export/{split}/labels").mkdir()
        (folder / f"export/{split}/labels/a.txt").write_text("1 0.5 0.5 0.5 0.5\n0 0 0 1 0 1 1\nx\n9 .5 .5 .1 .1\n")
    yaml = "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [cat, golden retriever]\n"
    (folder / "export/data.yaml").write_text(yaml)
    boxed = read_dataset(folder / "export", card)
    assert boxes(boxed) == [("a.png", [[15, 10, 45, 30]]), ("a.png", [[0, 0, 60, 40]])] * 2
    assert boxed.notes.count("unreadable line") == 2
    assert boxed.notes.as_dict()["unknown class"] == ["9", "9"], "a number without a name is no index"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_yolo_whose_images_lead_nowhere(folder: Path, card: Card) -> None:
    (folder / "images/circle.png").symlink_to("circle.png")
    (folder / "images/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "list.txt").write_text("images/a.png\nimages/circle.png\nimages/a\0b.png\nimages\\a.png\n/\n.\n")
    (folder / "data.yaml").write_text("train: list.txt\nnames: [cat]\n")
    boxed = read_dataset(folder, card)
    assert boxes(boxed) == [("a.png", [[15, 10, 45, 30]])]
    assert boxed.notes.count("missing file") == 4
    (folder / "data.yaml").write_text("train: images\nnames: [cat]\n")
    assert read_dataset(folder, card).notes.as_dict()["missing file"] == ["images/circle.png"]


def test_yolo_with_names_that_are_none(folder: Path, card: Card) -> None:
    (folder / "labels").mkdir()
    (folder / "labels/a.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0.5 0.5 0.5 0.5\n")
    (folder / "data.yaml").write_text('train: images\nnames: {0: cat, 1: "a\\0", x: cup, 2: null}\n')
    boxed = read_dataset(folder, card)
    assert boxes(boxed) == [("a.png", [[15, 10, 45, 30]])]
    assert boxed.notes.as_dict()["unreadable line"] == [f"name of class {key}" for key in (1, "x", 2)]


@pytest.mark.parametrize("places", ["x" * 300, "a\0b"])
def test_yolo_with_a_place_that_no_disk_takes(places: str, folder: Path, card: Card) -> None:
    (folder / "data.yaml").write_text(json.dumps({"train": places, "names": ["cat"]}), encoding="utf-8")
    with pytest.raises(DatasetError):
        read_dataset(folder / "data.yaml", card)


def test_yolo_nested_without_end_is_given_up_at_once(folder: Path, card: Card) -> None:
    (folder / "data.yaml").write_text("train: " + 20_000 * "[", encoding="utf-8")
    before = time.process_time()
    with pytest.raises(DatasetError, match="no YOLO data set"):
        read_dataset(folder / "data.yaml", card)
    assert time.process_time() - before < 1


def test_yolo_beside_the_images(folder: Path, card: Card) -> None:
    (folder / "labels").mkdir()
    (folder / "labels/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (folder / "classes.txt").write_text("cat\n")
    assert boxes(read_dataset(folder, card)) == [("a.png", [[15, 10, 45, 30]])]


def test_label_studio_as_it_exports(folder: Path, card: Card) -> None:
    value = {"x": 25.0, "y": 25.0, "width": 50.0, "height": 50.0, "rotation": 0, "rectanglelabels": ["cat"]}
    result = {"type": "rectanglelabels", "value": value, "original_width": 60, "original_height": 40, "id": "x"}
    image = {"image": "/data/upload/1/a.png"}
    tasks = [
        {"id": 1, "data": image, "annotations": [{"result": [result, {"type": "rectanglelabels"}]}]},
        {"id": 2, "data": {"image": "/data/upload/1/b.png"}, "annotations": [], "predictions": [{"result": [result]}]},
        {"data": {"image": None}, "annotations": [{"result": []}]},
    ]
    (folder / "export.json").write_text(json.dumps(tasks))
    boxed = read_dataset(folder, card)
    assert boxes(boxed) == [("a.png", [[15, 10, 45, 30]])]
    assert boxed.notes.as_dict() == {
        "unreadable line": ["/data/upload/1/a.png result 2", "task 3"],
        "not annotated": ["task 2"],
    }


def test_labelme_of_windows(folder: Path, card: Card) -> None:
    shapes = [
        {"label": "cat", "points": [[30, 35], [10, 5]], "shape_type": "rectangle"},
        {"label": "cup", "points": [[20, 20], [20, 30]], "shape_type": "circle"},
        {"label": "cat", "points": [[1, 1]], "shape_type": "point"},
        {"label": None, "points": [[1, 1]]},
    ]
    data = {"shapes": shapes, "imagePath": "..\\images\\a.png", "imageHeight": 40, "imageWidth": 60}
    (folder / "labels").mkdir()
    (folder / "labels/a.json").write_text(json.dumps(data))
    boxed = read_dataset(folder / "labels", card)
    assert boxes(boxed) == [*THE_BOX, ("a.png", [[10, 10, 30, 30]])]
    assert boxed.notes.as_dict() == {"other shape": ["a.json 3"], "unreadable line": ["a.json shape 4"]}


def test_hugging_face_with_labels_only(folder: Path) -> None:
    lines = [{"file_name": "a.png", "label": "cat"}, {"file_name": "b.png", "label": "dog"}, ["x"]]
    (folder / "images/metadata.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n{")
    found = read_labelled(folder / "images")[""]
    assert found.classes == ("cat", "dog") and "line 3, line 4" in found.notes[0]
    lines = [{"file_name": name, "label": "cat"} for name in ("images/a.png", "./", "train/b.png", "./val/c.png")]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert [each.split for each in read_any(folder / "metadata.jsonl").images] == ["", "", "train", "val"]


def test_fit_reads_annotations(folder: Path) -> None:
    data = json.loads(coco_of(folder / "set.json").read_text())
    data["images"] += [{"id": 2, "file_name": "b.png"}, {"id": 3, "file_name": "c.png", "split": "val"}]
    data["categories"] += [{"id": 2, "name": "cup"}]
    boxed = [(3, 1, 1), (3, 2, 2), (1, 1, 3)]
    data["annotations"] += [{"image_id": i, "category_id": c, "bbox": [1, 1, n, 1]} for i, c, n in boxed]
    (folder / "set.json").write_text(json.dumps(data))
    found = read_labelled(folder / "set.json")
    assert found[""].classes == ("background", "cat", "cup") and found[""].several
    assert found[""].targets.tolist() == [[0, 1, 0], [1, 0, 0]] and found["val"].targets.tolist() == [[0, 1, 1]]


def test_labels_in_data_are_no_indices(folder: Path, card: Card) -> None:
    data = json.loads(coco_of(folder / "set.json").read_text())
    data["categories"][0]["name"] = "0"
    (folder / "set.json").write_text(json.dumps(data))
    with pytest.raises(DatasetError, match=r"classes that the model lacks, by index, id and name.*: 0"):
        read_dataset(folder / "set.json", card)


def test_names_that_differ_in_case_only(folder: Path, card: Card) -> None:
    both = replace(card, labels=("Cat", "cat", "cup"))
    assert [each.class_index for each in read_dataset(coco_of(folder / "set.json"), both).images] == [1]
    for place in ("t/Cat/1.png", "t/Cat/2.png", "t/cat/1.png", "t/cat/2.png"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "images/a.png", folder / place)
    training, validation = read_split(folder / "t", "0.5")
    assert training.classes == validation.classes == ("Cat", "cat")
    _, other = read_split(folder / "t", str(folder / "t"))
    assert other.targets.sum(axis=0).tolist() == [2, 2]


def test_names_that_look_the_same_are_one_class(folder: Path) -> None:
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD", "NFC")
    for form, name in zip(forms, "123", strict=True):
        place = folder / "t" / unicodedata.normalize(form, "été") / f"{name}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "images/a.png", place)
    (folder / "t/cup").mkdir()
    shutil.copy(folder / "images/a.png", folder / "t/cup")
    found = read_labelled(folder / "t")[""]
    assert found.classes == ("cup", unicodedata.normalize("NFC", "été")) and found.counts.tolist() == [1, 3]


BAD = 10**400
DEEP = "[" * 100_000


@pytest.mark.parametrize(
    "change",
    [
        {"image_id": None},
        {"image_id": [1]},
        {"image_id": True},
        {"category_id": None},
        {"category_id": {}},
        {"bbox": None},
        {"bbox": [0, 0, BAD, 1]},
        {"bbox": [0, 0, "NaN", 1]},
        {"bbox": [0, 0, float("inf"), 1]},
        {"bbox": [1, 2]},
        {"bbox": {"x": 1}},
        {"bbox": [[1], 2, 3, 4]},
    ],
    ids=str,
)
def test_one_bad_record_is_one_note(change: dict[str, Any], folder: Path, card: Card) -> None:
    good = {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX}
    boxed = read_dataset(coco_of(folder / "set.json", good, {**good, "id": 2, **change}), card)
    assert boxes(boxed) == THE_BOX
    assert boxed.notes.as_dict() == {"unreadable line": ["annotation 2"]}


@pytest.mark.parametrize(
    "mask",
    [
        {"counts": "@@@@###", "size": [40, 60]},
        {"counts": [10**12], "size": [10**6, 10**6]},
        {"counts": [-5, 2405], "size": [40, 60]},
        {"counts": [2400], "size": [40]},
        {"counts": None, "size": [40, 60]},
        {"counts": "o" * 5000, "size": [40, 60]},
        [[1, 2]],
        [[1e300, 2, 3, 4, 5, 6]],
        [[1, 2, 3, 4, 5, 6, 7]],
        [None],
        "abc",
        [["x"] * 6],
    ],
    ids=lambda mask: str(mask)[:40],
)
def test_a_bad_mask_is_one_note_and_its_box_counts(mask: Any, folder: Path, card: Card) -> None:  # noqa: ANN401
    one = {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX, "segmentation": mask}
    boxed = read_dataset(coco_of(folder / "set.json", one), card)
    assert boxes(boxed) == THE_BOX and boxed.images[0].mask is None
    assert boxed.notes.as_dict() == {"damaged mask": ["segmentation of annotation 1"]}


@pytest.mark.parametrize("image", [{"width": "a", "height": "b"}, {"width": -1}, {"height": BAD}, {"width": [60]}])
def test_a_bad_size_is_one_note_and_the_box_counts(image: dict[str, Any], folder: Path, card: Card) -> None:
    boxed = read_dataset(coco_of(folder / "set.json", **image), card)
    assert boxes(boxed) == THE_BOX
    assert boxed.notes.as_dict() == {"unreadable line": ["size of a.png"]}


@pytest.mark.parametrize("name", [None, 3.5, "", "a\0b.png", "\ud800", ["a.png"], ".", "/", "x" * 300, "../" * 3000])
def test_an_image_with_a_bad_name_is_one_note(name: Any, folder: Path, card: Card) -> None:  # noqa: ANN401
    data = json.loads(coco_of(folder / "set.json").read_text())
    data["images"].append({"id": 2, "file_name": name})
    (folder / "set.json").write_text(json.dumps(data))
    boxed = read_dataset(folder / "set.json", card)
    assert boxes(boxed) == THE_BOX
    assert sum(map(len, boxed.notes.as_dict().values())) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("set.json", DEEP),
        ("set.json", '{"images": ' + DEEP),
        ("set.json", '{"images": {"a": 1}, "annotations": []}'),
        ("set.json", '{"images": [], "annotations": null}'),
        ("data.yaml", "names: " + DEEP),
        ("data.yaml", "names: &a [*a]\ntrain: images\n"),
        ("annotations.xml", "<annotations>" + "<a>" * 100_000),
        ("annotations.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotations/>'),
        ("metadata.jsonl", DEEP + "\n"),
    ],
)
def test_what_never_ends_is_refused(name: str, text: str, folder: Path, card: Card) -> None:
    (folder / name).write_text(text)
    with pytest.raises(DatasetError):
        read_dataset(folder / name, card)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_is_not_waited_for(folder: Path, card: Card) -> None:
    for name in ("set.json", "a.xml", "images/p.png", "data.yaml", "labels.csv"):
        os.mkfifo(folder / name)
    with pytest.raises(DatasetError, match="neither a file nor a folder"):
        read_dataset(folder / "set.json", card)
    (folder / "set.json").unlink()
    data = coco_of(folder / "set.json", name="p.png")
    with pytest.raises(DatasetError):
        read_dataset(data, card)
    assert boxes(read_dataset(coco_of(folder / "set.json"), card)) == THE_BOX


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_mean_the_same_and_none_is_lost(folder: Path, card: Card) -> None:
    root = folder / "classes"
    (root / "cat").mkdir(parents=True)
    (root / "cup").symlink_to(folder / "images")
    (root / "cat/one.png").symlink_to(folder / "images/a.png")
    (root / "cat/gone.png").symlink_to(folder / "nowhere.png")
    (root / "cat/above").symlink_to(root)
    names = {path.relative_to(root).as_posix() for path in read_labelled(root)[""].paths}
    assert names == {"cat/one.png", "cat/gone.png", "cat/above", "cup/a.png", "cup/b.png", "cup/c.png"}
    boxed = read_dataset(root, card)
    assert len(boxed.listed) == 4
    assert sorted(boxed.notes.as_dict()["missing file"]) == ["cat/above", "cat/gone.png"]


def test_broken_boxes_are_refused_before_the_work(folder: Path) -> None:
    check_boxes(coco_of(folder / "set.json"), ("Cat", "dog"))
    with pytest.raises(DatasetError, match=r"no boxes of the classes that are learned \(found cat; expected cup"):
        check_boxes(folder / "set.json", ("cup", "dog"))
    data = json.loads((folder / "set.json").read_text())
    for each in data["annotations"]:
        each["bbox"] = [10_000, 5, 10, 10]
    (folder / "set.json").write_text(json.dumps(data))
    with pytest.raises(DatasetError, match="none of the boxes can be used"):
        check_boxes(folder / "set.json", ("cat",))
    (folder / "set.json").write_text("{")
    with pytest.raises(DatasetError, match="not a COCO file"):
        check_boxes(folder / "set.json", ("cat",))


def test_a_class_name_that_no_model_takes(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(f"path,label\na.png,cat\nb.png,{'x' * 1001}\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"a class name of 1,001 characters, 'x{40}'\.\.\. \(expected at most"):
        read_labelled(tmp_path / "labels.csv")
