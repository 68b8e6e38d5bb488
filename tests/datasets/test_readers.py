from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from boxless import Card, DatasetError
from boxless.datasets.boxed import read_dataset
from boxless.datasets.masks import IGNORED, OBJECT
from boxless.datasets.notes import Notes
from boxless.imaging.read import read_image


def save(folder: Path, data: dict[str, Any]) -> Path:
    file = folder / "boxes.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    return file


VOC = """<annotation><filename>{name}</filename><size><width>60</width><height>40</height></size>
<object><name>cat</name><difficult>0</difficult>
<bndbox><xmin>11</xmin><ymin>6</ymin><xmax>30</xmax><ymax>35</ymax></bndbox></object>
<object><name>cup</name><difficult>1</difficult>
<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object></annotation>"""


def test_coco_by_name_in_pixels_of_the_image(folder: Path, coco: dict[str, Any], card: Card) -> None:
    boxed = read_dataset(save(folder, coco), card)
    assert [(each.path.name, each.class_index, each.size) for each in boxed.images] == [
        ("a.png", 1, (40, 60)),
        ("b.png", 0, (40, 40)),
    ]
    assert boxed.images[0].boxes.tolist() == [[10, 5, 30, 35]]
    # b.png is 40 x 40, and its boxes were drawn on one of 80 x 80.
    assert boxed.images[1].boxes.tolist() == [[0, 20, 40, 40]]
    assert not list(boxed.notes)


def test_coco_by_index_and_id(folder: Path, coco: dict[str, Any], card: Card) -> None:
    coco["categories"] = [{"id": 17, "name": "?", "class_index": 2}, {"id": 18, "name": "??", "wnid": "n02"}]
    assert [each.class_index for each in read_dataset(save(folder, coco), card).images] == [1, 2]
    coco["images"][0]["class_index"] = 2  # the image's own counts before its boxes' categories
    assert [each.class_index for each in read_dataset(save(folder, coco), card).images] == [2, 2]


def test_everything_wrong_is_counted_and_the_rest_is_read(folder: Path, coco: dict[str, Any], card: Card) -> None:
    (folder / "images/broken.png").write_bytes(b"not an image")
    coco["images"] += [
        {"id": 9, "file_name": "gone.png"},
        {"id": 10, "file_name": "broken.png"},
        {"id": 11, "file_name": "a.png"},
    ]
    coco["annotations"] += [
        {"id": 3, "image_id": 7, "category_id": 19, "bbox": [0, 0, 5, 5]},
        {"id": 4, "image_id": 7, "category_id": 18, "bbox": [10, 5, 20, 30]},
        {"id": 5, "image_id": 7, "category_id": 18, "bbox": [100, 5, 20, 30]},
        {"id": 6, "image_id": 7, "category_id": 18, "bbox": [50, 30, 100, 100]},
        {"id": 7, "image_id": 7, "category_id": 18, "bbox": [5, 5, 0, 3]},
        {"id": 8, "image_id": 7, "category_id": 18, "bbox": [5, 5, 9, 3], "iscrowd": 1},
        {"id": 9, "image_id": 99, "category_id": 18, "bbox": [1, 1, 2, 2]},
        {"id": 10, "image_id": 7, "category_id": 18, "bbox": "x"},
        {"id": 11, "image_id": 9, "category_id": 18, "bbox": [1, 1, 2, 2]},
        {"id": 12, "image_id": 10, "category_id": 18, "bbox": [1, 1, 2, 2]},
    ]
    boxed = read_dataset(save(folder, coco), card)
    assert len(boxed.images) == 2
    assert boxed.images[0].boxes.tolist() == [[10, 5, 30, 35], [50, 30, 60, 40]]
    counts = {kind: len(names) for kind, names in boxed.notes.as_dict().items()}
    assert counts == {
        "listed twice": 2, "unknown class": 1, "box off the image": 1, "box over the edge": 1, "empty box": 1,
        "difficult": 1, "unreadable line": 2, "missing file": 1, "damaged file": 1,
    }  # fmt: skip
    assert any("yeti" in line and "lacks" in line for line in boxed.notes)


def test_coco_records_that_are_damaged_are_noted(folder: Path, coco: dict[str, Any], card: Card) -> None:
    coco["images"] += [{"file_name": "c.png"}, {"id": 9, "file_name": "c.png", "class_index": "x"}]
    coco["categories"] += [{"name": "cup"}]
    box = {"image_id": 7, "category_id": 18, "bbox": [1, 1, 5, 5]}
    coco["annotations"] += [
        {**box, "id": 3, "segmentation": [[1, 1, 5, 1, 5]]},
        {**box, "id": 4, "bbox": [2, 1, 5, 5], "segmentation": [[]]},
    ]
    boxed = read_dataset(save(folder, coco), card)
    boxes = {tuple(box) for each in boxed.images for box in each.boxes.tolist()}
    assert boxes == {(10, 5, 30, 35), (0, 20, 40, 40), (1, 1, 6, 6), (2, 1, 7, 6)}, "the box of a bad outline counts"
    outlines = [f"segmentation of annotation {number}" for number in (3, 4)]
    unreadable = ["category without an id", "image c.png", "class_index of c.png"]
    assert boxed.notes.as_dict() == {"unreadable line": unreadable, "damaged mask": outlines}


def test_predictions_that_nobody_corrected_are_noted(folder: Path, coco: dict[str, Any], card: Card) -> None:
    for annotation, more in zip(coco["annotations"], ({"score": 0.8}, {"score": 0.7, "corrected": True}), strict=True):
        annotation.update(more)
    boxed = read_dataset(save(folder, coco), card)
    assert boxed.notes.found == {"prediction": ["a.png"]}
    assert len(boxed.images) == 2


def test_coco_masks(folder: Path, coco: dict[str, Any], card: Card) -> None:
    coco["annotations"][0]["segmentation"] = [[10, 5, 30, 5, 30, 35, 10, 35]]
    # Column after column on 4 x 3: two rows of background, two of object, in the first column; then background.
    coco["annotations"][1]["segmentation"] = {"size": [4, 3], "counts": [2, 2, 8]}
    first, second = (each.mask for each in read_dataset(save(folder, coco), card).images)
    assert first is not None and second is not None
    outlined = first.read(40, 60)
    assert outlined[5:35, 10:30].all() and outlined.sum() == 600
    assert second.read(4, 3).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]]
    coco["annotations"][1]["segmentation"] = {"size": [4, 3], "counts": "228"}  # the same in COCO's letters
    packed = read_dataset(save(folder, coco), card).images[1].mask
    assert packed is not None
    assert packed.read(4, 3).sum() == 2


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_on_a_image_as_stored_are_turned_with_it(
    orientation: int, folder: Path, coco: dict[str, Any], card: Card
) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[5:35, 10:20] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(pixels).save(folder / "images/a.png", exif=exif)
    coco["annotations"][0] |= {"bbox": [10, 5, 10, 30], "segmentation": [[10, 5, 20, 5, 20, 35, 10, 35]]}
    image = read_dataset(save(folder, coco), card).images[0]
    displayed = read_image(folder / "images/a.png").pixels[..., 0] > 0
    assert image.size == displayed.shape == (60, 40)
    ((x0, y0, x1, y1),) = image.boxes.astype(int).tolist()
    assert displayed[y0:y1, x0:x1].all() and displayed.sum() == (y1 - y0) * (x1 - x0)
    assert image.mask is not None
    assert (image.mask.read(*image.size) == displayed).all()


def test_voc_whose_first_image_is_gone(folder: Path, card: Card) -> None:
    (folder / "Annotations").mkdir()
    for name in ("Gone", "a"):
        (folder / f"Annotations/{name}.xml").write_text(VOC.format(name=f"{name}.png"))
    boxed = read_dataset(folder, card)
    assert [each.path.name for each in boxed.images] == ["a.png"]
    assert boxed.notes.as_dict()["missing file"] == ["Gone.png"]


def test_voc(folder: Path, card: Card) -> None:
    (folder / "Annotations").mkdir()
    (folder / "Annotations/a.xml").write_text(VOC.format(name="a.png"))
    (folder / "Annotations/z.xml").write_text("<annotation>")
    (folder / "Annotations/y.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><annotation/>')
    (folder / "SegmentationClass").mkdir()
    mask = Image.new("P", (60, 40), 0)
    mask.putpalette([value for i in range(256) for value in (i, i, 255 - i)])
    mask.paste(8, (10, 5, 30, 35))
    mask.paste(255, (30, 5, 32, 35))
    mask.save(folder / "SegmentationClass/a.png")
    boxed = read_dataset(folder, card)
    (only,) = boxed.images
    assert only.class_index == 0
    assert only.boxes.tolist() == [[10, 5, 30, 35]]
    assert only.mask is not None
    read = only.mask.read(40, 60)
    assert (read == OBJECT).sum() == 600 and (read == IGNORED).sum() == 60
    assert boxed.notes.count("difficult") == 1
    assert boxed.notes.count("unreadable line") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image,class,x0,y0,x1,y1\na.png,cat,1,2,11,12\n", [[1, 2, 11, 12]]),
        ("Filename;Label;X;Y;Width;Height\na.png;CAT;1;2;10;10\n", [[1, 2, 11, 12]]),
        ("path\twnid\txmin\tymin\txmax\tymax\na.png\tn01\t1\t2\t11\t12\n", [[1, 2, 11, 12]]),
        ("\ufefffile,class_index,x1,y1,x2,y2\na.png,0,1,2,11,12\na.png,0,3,3,9,9\n", [[1, 2, 11, 12], [3, 3, 9, 9]]),
        ("image,class,x0,y0,x1,y1\na.png,cat,,,,\n", []),
    ],
)
def test_csv(folder: Path, card: Card, text: str, expected: list[list[float]]) -> None:
    (folder / "boxes.csv").write_text(text, encoding="utf-8")
    (only,) = read_dataset(folder / "boxes.csv", card).images
    assert only.class_index == 0
    assert only.boxes.tolist() == expected


def test_csv_lines_that_are_not_understood(folder: Path, card: Card) -> None:
    text = "image,class,x0,y0,x1,y1\na.png,cat,1,2,11,12\na.png,cat,1,2,11,12\nb.png,,1,2,3,4\nb.png,cup,1,2,x,4\n"
    (folder / "boxes.csv").write_text(text)
    notes = read_dataset(folder, card).notes
    assert notes.as_dict() == {"listed twice": ["a.png (line 3)"], "unreadable line": ["line 4", "line 5"]}


def test_wsol(folder: Path, card: Card) -> None:
    (folder / "class_labels.txt").write_text("a.png,0\nb.png,1\nc.png,2\ngone.png,1\n" + "n" * 300 + ".png,1\n")
    (folder / "image_sizes.txt").write_text("a.png,120,80\nb.png,40,40\n")
    (folder / "localization.txt").write_text("a.png,20,10,60,70\na.png,0,0,10,10\nb.png,1,2,3,4\nb.png,1,2,3,4\n")
    boxed = read_dataset(folder, card)
    assert [each.boxes.tolist() for each in boxed.images] == [[[10, 5, 30, 35], [0, 0, 5, 5]], [[1, 2, 3, 4]], []]
    counts = {kind: len(names) for kind, names in boxed.notes.as_dict().items()}
    assert counts == {"listed twice": 1, "missing file": 2, "no boxes": 1}


def test_wsol_masks(folder: Path, card: Card) -> None:
    for name, box in (("m1", (0, 0, 10, 10)), ("m2", (5, 5, 20, 20)), ("i1", (0, 0, 30, 30))):
        mask = Image.new("L", (60, 40), 0)
        mask.paste(255, box)
        mask.save(folder / f"images/{name}.png")
    (folder / "class_labels.txt").write_text("a.png,0\n")
    (folder / "localization.txt").write_text("a.png,m1.png,i1.png\na.png,m2.png,\n")
    (only,) = read_dataset(folder, card).images
    assert only.mask is not None
    read = only.mask.read(40, 60)
    assert (read == OBJECT).sum() == 100 + 225 - 25
    assert (read == IGNORED).sum() == 900 - 300


def test_folders_of_classes(tmp_path: Path, card: Card) -> None:
    for name in ("cup/1.png", "n02/2.png", "yeti/3.png"):
        (tmp_path / name).parent.mkdir()
        Image.new("RGB", (9, 9)).save(tmp_path / name)
    boxed = read_dataset(tmp_path, card)
    assert [each.class_index for each in boxed.images] == [2, 1]
    assert boxed.notes.as_dict()["unknown class"] == ["yeti"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("boxes.json", "{", "not a COCO file"),
        ("boxes.json", "[1]", "not a COCO file"),
        ("boxes.json", '{"images": [], "annotations": []}', "names none"),
        ("boxes.json", '{"images": [{"id": 1, "file_name": "no.png"}], "annotations": []}', "--images"),
        ("boxes.csv", "image,x0,y0,x1,y1\n", "no column for the class"),
        ("boxes.csv", "image,class,x0\n", "no column for the box"),
        ("boxes.csv", "", "no column for the image"),
        ("boxes.csv", "image,class,x0,y0,x1,y1\na.png,yeti,1,2,3,4\n", "model lacks"),
        ("boxes.csv", 'image,class,x0,y0,x1,y1\n"a.png,' + 70_000 * "b\n", "a quote that is not closed"),
        ("boxes.txt", "", "not a data set that is known"),
    ],
)
def test_what_is_no_data_set_is_refused_in_one_line(folder: Path, card: Card, name: str, text: str, said: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(DatasetError) as refusal:
        read_dataset(folder / name, card)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_other_refusals(folder: Path, card: Card) -> None:
    with pytest.raises(DatasetError, match="no data set"):
        read_dataset(folder / "nowhere", card)
    with pytest.raises(DatasetError, match="no format"):
        read_dataset(folder, card, "spss")
    with pytest.raises(DatasetError, match="no Pascal VOC annotations"):
        read_dataset(folder, card, "voc")
    with pytest.raises(DatasetError, match=r"no class_labels\.txt"):
        read_dataset(folder, card, "wsol")
    for name in ("class_labels.txt", "localization.txt"):
        (folder / name).write_bytes(b"\xff.png,0\n")
    with pytest.raises(DatasetError, match=r"class_labels\.txt: not text in UTF-8"):
        read_dataset(folder, card)
    with pytest.raises(DatasetError, match="no folder of images"):
        read_dataset(folder, card, images=folder / "nowhere")
    (folder / "localization.txt").unlink()
    for name in ("one.json", "two.json"):
        (folder / name).write_text("{}")
    with pytest.raises(DatasetError, match=r"2 files .*one\.json, two\.json"):
        read_dataset(folder, card)


def test_notes_name_a_few_and_count_all() -> None:
    notes = Notes()
    for i in range(8):
        notes.add("missing file", f"{i}.png")
    (line,) = notes
    assert line.startswith("8 images") and "4.png, and 3 more" in line
    for _ in range(2):
        notes.add("damaged file", "0.png")
    assert notes.count("damaged file") == 1
    with pytest.raises(ValueError, match="no kind of note"):
        notes.add("moon", "x")


def test_the_real_ones(data: Path) -> None:
    from boxless import ModelFile

    card = ModelFile("efficientnet-lite0").card
    ilsvrc = read_dataset(data / "ilsvrc-dev", card)
    assert len(ilsvrc.images) == 650
    assert sum(len(each.boxes) for each in ilsvrc.images) == 1018
    tiny = read_dataset(data / "tiny10/val", card)
    assert len(tiny.images) == 500
    assert {card.labels[each.class_index] for each in tiny.images} >= {"espresso", "goldfish", "school bus"}
    for each in (*ilsvrc.images, *tiny.images):
        assert (each.boxes[:, :2] < each.boxes[:, 2:]).all()
        assert (each.boxes[:, 2:] <= np.array(each.size[::-1]) + 1e-3).all()
