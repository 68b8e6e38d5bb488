"""What is written is read back with other people's programs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.datasets.written import CLASSES, NAMES, SIZES, annotated, ring, write

from boxless import Card
from boxless.datasets.dataset import About
from boxless.datasets.formats import WRITTEN, read_any
from boxless.datasets.label_studio import brush_of
from boxless.datasets.labelme import outline_of
from boxless.evaluation import read_dataset
from boxless.maps.run_lengths import turns_of
from boxless.models.presets import PRESETS

SIMPLE = ("a.png", "b.png", "c d.png", "e.png")
"""Names that the other programs can be expected to take."""


@pytest.fixture
def card() -> Card:
    """A model of the classes of the annotations."""
    return Card("model", CLASSES, PRESETS, preprocessing="none", licence="Apache-2.0", source="a test")


@pytest.mark.parametrize("format_", list(WRITTEN))
@pytest.mark.parametrize("placed", [True, False])
def test_evaluate_reads_them(format_: str, placed: bool, card: Card, tmp_path: Path) -> None:
    images = write(format_, tmp_path / "out", placed=placed)
    where = None if placed else tmp_path / "images of mine"
    boxed = read_dataset(tmp_path / "out", card, images=where)
    assert boxed.notes.found.keys() <= {"several splits", "prediction"}
    assert {path.name for path in boxed.listed} == set(NAMES)
    read = {(each.path.name, each.class_index): each.boxes.tolist() for each in boxed.images}
    for image in images:
        for label in {thing.label for thing in image.annotations}:
            boxes = [list(thing.box or ()) for thing in image.annotations if thing.label == label]
            np.testing.assert_allclose(read.pop((image.name, CLASSES.index(label))), boxes, atol=1e-3)
    assert not read


@pytest.mark.parametrize("format_", list(WRITTEN))
def test_what_is_written_can_be_moved_and_read(format_: str, tmp_path: Path) -> None:
    """Boxes, splits, classes, and masks where the format has them."""
    masks = WRITTEN[format_].masks
    images = write(format_, tmp_path / "out", masks=masks, names=SIMPLE)
    (tmp_path / "out").rename(tmp_path / "moved")
    shutil.rmtree(tmp_path / "images of mine")
    read = {each.path.name: each for each in read_any(tmp_path / "moved").images}
    assert set(read) == set(SIMPLE)
    for image in images:
        found = read[image.name]
        assert found.path.is_file() and found.path.is_relative_to(tmp_path / "moved")
        assert found.split == ("" if format_ in ("labelstudio", "cvat", "labelme") else image.split)
        height, width = found.size or (image.height, image.width)
        assert found.labels == image.labels
        for old, new in zip(image.annotations, found.annotations, strict=True):
            scale = np.array([image.width / width, image.height / height] * 2)
            if not (masks and format_ in ("cvat", "labelme")):  # the box is that of the mask there
                np.testing.assert_allclose(np.array(new.box) * scale, np.array(old.box), atol=0.01)
            if masks and format_ != "labelme":  # whose outlines have no holes
                assert old.mask and new.mask
                size = (image.height, image.width)
                np.testing.assert_array_equal(new.mask.read(*size), old.mask.read(*size))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools with NumPy 2
def test_coco_with_masks(tmp_path: Path) -> None:
    pycocotools = pytest.importorskip(
        "pycocotools.coco", reason="pycocotools is not installed (boxless[dev] brings it)"
    )
    images = write("coco", tmp_path / "out", masks=True)
    sets = {split: pycocotools.COCO(tmp_path / f"out/annotations/instances_{split}.json") for split in ("train", "val")}
    for image in images:
        coco = sets[image.split]
        assert [each["name"] for each in coco.loadCats(coco.getCatIds())] == list(CLASSES)
        names = [each["file_name"] for each in coco.loadImgs(coco.getImgIds())]
        assert names == [each.name for each in images if each.split == image.split]
        number = coco.getImgIds()[names.index(image.name)]
        read = coco.loadAnns(coco.getAnnIds(imgIds=number))
        assert len(read) == len(image.annotations)
        for thing, each in zip(image.annotations, read, strict=True):
            mask = coco.annToMask(each).astype(bool)
            whole = ring(image.height, image.width)
            np.testing.assert_array_equal(mask, whole if thing is image.annotations[0] else ~whole)
            assert each["area"] == mask.sum() and each["score"] == thing.score
            x, y, w, h = each["bbox"]
            assert (x, y, x + w, y + h) == thing.box


@pytest.mark.parametrize("format_", ["coco", "yolo", "voc"])
def test_supervision_reads_them(format_: str, tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision", reason="supervision is not installed (boxless[supervision])")
    out = tmp_path / "out"
    images = write(format_, out, names=SIMPLE)
    if format_ == "coco":
        read = [
            supervision.DetectionDataset.from_coco(
                str(out / "images" / split), str(out / f"annotations/instances_{split}.json")
            )
            for split in ("train", "val")
        ]
    elif format_ == "voc":
        read = [supervision.DetectionDataset.from_pascal_voc(str(out / "JPEGImages"), str(out / "Annotations"))]
    else:
        read = [
            supervision.DetectionDataset.from_yolo(
                str(out / "images" / split), str(out / "labels" / split), str(out / "data.yaml")
            )
            for split in ("train", "val")
        ]
    found = {Path(path).name: (each.classes, detections) for each in read for path, _, detections in each}
    assert set(found) == set(SIMPLE)
    for image in images:
        classes, detections = found[image.name]
        np.testing.assert_allclose(
            detections.xyxy,
            np.reshape([thing.box for thing in image.annotations], (-1, 4)),
            atol=1.01 if format_ == "voc" else 0.01,
        )
        said = [classes[each] for each in detections.class_id]
        assert said == [thing.label.strip() for thing in image.annotations]


PANLABEL = {"coco": "coco", "yolo": "yolo", "voc": "voc", "labelstudio": "label-studio", "cvat": "cvat",
            "labelme": "labelme", "hf": "hf"}  # fmt: skip


@pytest.mark.parametrize("format_", list(PANLABEL))
def test_panlabel_reads_them(format_: str, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("panlabel")
    if not program.is_file():
        pytest.skip("panlabel is not installed (boxless[dev] brings it, for Linux on x86-64)")
    out = tmp_path / "out"
    images = write(format_, out, names=SIMPLE)
    if format_ == "labelstudio":  # panlabel looks for file names before the question mark, Label Studio after it
        tasks = (out / "tasks.json").read_text(encoding="utf-8")
        (out / "tasks.json").write_text(tasks.replace("/data/local-files/?d=", ""), encoding="utf-8")
    given = [out if format_ in ("yolo", "voc", "labelme", "hf") else out / WRITTEN[format_].main]
    if format_ == "coco":
        given = sorted(given[0].glob("*.json"))
    names: dict[Any, str] = {}
    read: dict[str, list[Any]] = {name: [] for name in SIMPLE}
    for place in given:
        command = [program, "convert", "--from", PANLABEL[format_], "--to", "ir-json", "-i", place]
        command += ["-o", tmp_path / "ir.json", "--allow-lossy"]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + done.stdout
        data = json.loads((tmp_path / "ir.json").read_text(encoding="utf-8"))
        mine = {each["id"]: Path(unquote(each["file_name"])).name for each in data["images"]}
        names |= {(place, key): name for key, name in mine.items()}
        classes = {each["id"]: each["name"] for each in data["categories"]}
        for each in data["annotations"]:
            corners = each["bbox"]
            edges = [corners[name] for name in ("xmin", "ymin", "xmax", "ymax")]
            read[mine[each["image_id"]]].append((classes[each["category_id"]], edges))
    assert sorted(names.values()) == sorted(SIMPLE)
    for image in images:
        expected = sorted((thing.label, list(thing.box or ())) for thing in image.annotations)
        for (label, box), (label_read, box_read) in zip(expected, sorted(read[image.name]), strict=True):
            assert label_read.strip() == label
            np.testing.assert_allclose(box_read, box, atol=1.01 if format_ == "voc" else 0.01)


def test_yolo_is_as_trainers_want_it(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    images = write("yolo", tmp_path / "out")
    data = yaml.safe_load((tmp_path / "out/data.yaml").read_text(encoding="utf-8"))
    assert data["names"] == dict(enumerate(CLASSES))
    assert "path" not in data  # then a trainer takes the folder of the file, wherever it was moved
    assert (tmp_path / "out" / data["val"]).is_dir() and (tmp_path / "out" / data["train"]).is_dir()
    for image in images:
        file = (tmp_path / "out/labels" / image.split / image.name).with_suffix(".txt")
        rows = [line.split() for line in file.read_text().splitlines()]
        assert len(rows) == len(image.annotations)
        assert all(len(row) == 5 and all(0 <= float(value) <= 1 for value in row[1:]) for row in rows)


@pytest.mark.parametrize("split", ["train", "val"])
def test_yolo_does_not_learn_what_is_to_test(split: str, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    splits = (split, "test", split, "test")
    images = [replace(each, split=its) for each, its in zip(annotated(False, tmp_path), splits, strict=True)]
    WRITTEN["yolo"].write(tmp_path, About("a model", "fast", "boxless", CLASSES, tmp_path, True), images)
    data = yaml.safe_load((tmp_path / "data.yaml").read_text(encoding="utf-8"))
    assert data["train"] == data["val"] == f"images/{split}"


def decoded(data: list[int]) -> list[int]:
    """Label Studio's decoder, as its converter has it."""
    bits = "".join(f"{byte:08b}" for byte in data)
    place = 0

    def read(count: int) -> int:
        nonlocal place
        place += count
        return int(bits[place - count : place], 2)

    total, size = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < total:
        run = read(1)
        length = 1 + read(sizes[read(2)])
        values += [read(size)] * length if run else [read(size) for _ in range(length)]
    return values


def test_label_studio_tasks_and_masks(tmp_path: Path) -> None:
    images = write("labelstudio", tmp_path / "out", masks=True)
    tasks = json.loads((tmp_path / "out/tasks.json").read_text(encoding="utf-8"))
    assert len(tasks) == len(images)
    config = ElementTree.parse(tmp_path / "out/label_config.xml")
    names = {each.get("name") for each in config.iter() if each.get("toName")}
    for image, task in zip(images, tasks, strict=True):
        assert unquote(task["data"]["image"]).endswith(f"?d=images/{image.name}")
        (prediction,) = task["predictions"]
        boxes = [each for each in prediction["result"] if each["type"] == "rectanglelabels"]
        masks = [each for each in prediction["result"] if each["type"] == "brushlabels"]
        assert len(boxes) == len(masks) == len(image.annotations)
        assert len({each["id"] for each in prediction["result"]}) == 2 * len(image.annotations)
        for number, (box, mask) in enumerate(zip(boxes, masks, strict=True)):
            thing, value = image.annotations[number], box["value"]
            assert thing.box
            assert {box["from_name"], mask["from_name"]} <= names
            assert value["x"] * image.width / 100 == pytest.approx(thing.box[0], abs=1e-3)
            assert (value["y"] + value["height"]) * image.height / 100 == pytest.approx(thing.box[3], abs=1e-3)
            assert value["rectanglelabels"] == mask["value"]["brushlabels"] == [thing.label]
            whole = ring(image.height, image.width)
            pixels = np.array(decoded(mask["value"]["rle"])).reshape(image.height, image.width, 4)
            np.testing.assert_array_equal(pixels[:, :, 3] == 255, ~whole if number else whole)
    labels = {each.get("value") for each in config.iter("Label")}
    assert labels == set(CLASSES)


def test_label_studios_run_lengths_of_long_runs() -> None:
    mask = np.zeros((500, 300), bool)
    mask[250:, 10:] = True
    values = np.array(decoded(brush_of(turns_of(mask.ravel()))))
    np.testing.assert_array_equal(values.reshape(500, 300, 4)[:, :, 0] == 255, mask)
    sdk = pytest.importorskip("label_studio_sdk.converter.brush", reason="label-studio-sdk wants another OpenCV beside")
    np.testing.assert_array_equal(sdk.decode_rle(brush_of(turns_of(mask.ravel()))), values)


def test_cvat_with_masks_and_names(tmp_path: Path) -> None:
    images = write("cvat", tmp_path / "out", masks=True)
    root = ElementTree.parse(tmp_path / "out/annotations.xml").getroot()
    assert root.findtext("version") == "1.1"
    assert [each.findtext("name") for each in root.iter("label")] == list(CLASSES)
    elements = root.findall("image")
    assert [each.get("name") for each in elements] == list(NAMES)
    for image, element in zip(images, elements, strict=True):
        for number, mask in enumerate(element.findall("mask")):
            left, top, width, height = (int(mask.get(name, "")) for name in ("left", "top", "width", "height"))
            counts = [int(each) for each in mask.get("rle", "").split(", ")]
            pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(height, width)
            whole = np.zeros((image.height, image.width), bool)
            whole[top : top + height, left : left + width] = pixels
            expected = ring(image.height, image.width)
            np.testing.assert_array_equal(whole, ~expected if number else expected)
            assert mask.findtext("attribute") == str(image.annotations[number].score)


CVAT_SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="annotations"><xs:complexType>
<xs:sequence><xs:element name="version" fixed="1.1"/><xs:element name="meta"/>
<xs:element name="image" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
<xs:sequence><xs:element name="box" minOccurs="0" maxOccurs="unbounded"><xs:complexType>
<xs:sequence><xs:element name="attribute" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute name="label" use="required"/><xs:attribute name="source"/><xs:attribute name="occluded" type="xs:boolean"
use="required"/><xs:attribute name="xtl" type="xs:decimal" use="required"/><xs:attribute name="ytl" type="xs:decimal"
use="required"/><xs:attribute name="xbr" type="xs:decimal" use="required"/><xs:attribute name="ybr" type="xs:decimal"
use="required"/><xs:attribute name="z_order" type="xs:integer"/></xs:complexType></xs:element></xs:sequence>
<xs:attribute name="id" type="xs:integer" use="required"/><xs:attribute name="name" use="required"/><xs:attribute
name="width" type="xs:positiveInteger" use="required"/><xs:attribute name="height" type="xs:positiveInteger"
use="required"/></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
"""CVAT publishes no schema; this is what its page on the format says of boxes."""


def test_cvat_is_of_the_form_that_its_page_says(tmp_path: Path) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed (boxless[dev] brings it)")
    write("cvat", tmp_path / "out")
    xmlschema.XMLSchema(CVAT_SCHEMA).validate(str(tmp_path / "out/annotations.xml"))


def test_labelme_with_outlines(tmp_path: Path) -> None:
    images = write("labelme", tmp_path / "out", masks=True, placed=False)
    for image in images:
        file = (tmp_path / "out" / image.name).with_suffix(".json")
        data = json.loads(file.read_text(encoding="utf-8"))
        assert (file.parent / data["imagePath"]).resolve() == image.path.resolve()
        assert (data["imageHeight"], data["imageWidth"]) == (image.height, image.width)
        assert [each["label"] for each in data["shapes"]] == [thing.label for thing in image.annotations]
        assert all(each["shape_type"] == "polygon" for each in data["shapes"])
    outline = np.array(outline_of(ring(40, 60)))
    assert outline.min(axis=0).tolist() == [3.5, 4.5] and outline.max(axis=0).tolist() == [11.5, 13.5]
    assert outline_of(np.zeros((4, 4), bool)) is None


def test_hugging_face(tmp_path: Path) -> None:
    images = write("hf", tmp_path / "out", masks=True)
    for split in ("train", "val"):
        text = (tmp_path / f"out/{split}/metadata.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
        assert {each["file_name"]: each["objects"]["categories"] for each in lines} == {
            each.name: [thing.label for thing in each.annotations] for each in images if each.split == split
        }


def test_hugging_face_reads_every_image_whatever_its_name(tmp_path: Path) -> None:
    # Names from which splits would be guessed.
    names = ("bullet_train__1.png", "val__2.png", "cat__3.png", "line\nbreak.png")
    images = write("hf", tmp_path / "out", names=names)
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    read = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {each["image"].size[::-1] for each in read["train"]} == {SIZES[0], *SIZES[2:]}
    assert sorted(len(each["objects"]["bbox"]) for each in read["train"]) == [0, 2, 2]
    (held_out,) = read["validation"]
    assert held_out["objects"]["categories"] == [thing.label for thing in images[1].annotations]


@pytest.mark.parametrize("format_", list(WRITTEN))
def test_thousands_of_boxes_in_a_image(format_: str, tmp_path: Path) -> None:
    one = annotated(False, tmp_path)[0]
    many = replace(one, annotations=one.annotations * 2500)
    WRITTEN[format_].write(tmp_path, About("a model", "fast", "boxless", CLASSES, tmp_path, True), [many])
    assert any(path.stat().st_size > 5000 * 10 for path in tmp_path.rglob("*") if path.is_file())
