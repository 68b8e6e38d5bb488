"""Boxes corrected by hand on the page, and what the downloads then hold."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from PIL import Image
from tests.serve.browsing import drop, faults, opened
from tests.serve.running import Running

from boxless.datasets.boxed import read_dataset
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Page

NAMES = ("coffee.jpg", "chelsea.jpg", "rocket.jpg")


@pytest.fixture
def editing(page: Page, service: Running, images: Path) -> Page:
    """The page with three images, all done, the first of them shown."""
    opened(page, f"http://127.0.0.1:{service.port}/")
    drop(page, *((name, (images / name).read_bytes()) for name in NAMES))
    page.locator("#tray .done").nth(2).wait_for()
    page.locator("#stage canvas[aria-label^='coffee.jpg']").wait_for()
    return page


def box(page: Page, label: str = "espresso") -> Locator:
    return page.locator(f".overlay [role=button][aria-label^='{label}']")


def edges(element: Locator) -> list[int]:
    """left, top, right, bottom of a box, in pixels of the image, as a screen reader hears them."""
    said = element.get_attribute("aria-label")
    assert said is not None
    return [int(word.rstrip(",")) for word in said.rpartition("from ")[2].split() if word.rstrip(",").isdigit()]


def drag(page: Page, start: tuple[float, float], by: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + by[0] / 2, start[1] + by[1] / 2)
    page.mouse.move(start[0] + by[0], start[1] + by[1])
    page.mouse.up()


def middle(element: Locator) -> tuple[float, float]:
    place = element.bounding_box()
    assert place is not None
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def saved(page: Page, kind: str) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=kind, exact=True).click()
    return Path(download.value.path())


def test_corners_and_boxes_are_dragged_and_undone(editing: Page) -> None:
    page, espresso = editing, box(editing)
    before = edges(espresso)
    espresso.click()
    assert espresso.get_attribute("aria-pressed") == "true"
    zoom = page.locator(".overlay").evaluate("(svg) => svg.getScreenCTM().a")
    drag(page, middle(page.locator(".handle.se")), (60 * zoom, -40 * zoom))
    corrected = box(page, "espresso ✓")
    corrected.wait_for()
    assert edges(corrected) == pytest.approx([*before[:2], before[2] + 60, before[3] - 40], abs=2)
    drag(page, middle(corrected), (-20 * zoom, 10 * zoom))
    moved = edges(corrected)
    assert moved == pytest.approx([before[0] - 20, before[1] + 10, before[2] + 40, before[3] - 30], abs=2)
    assert "corrected by you" in page.locator("#verdict").inner_text()
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    assert edges(box(page)) == before
    assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_click_corrects_nothing(editing: Page) -> None:
    box(editing).click()
    box(editing).click()
    assert editing.get_by_role("button", name="Undo").is_disabled()
    assert box(editing, "espresso ✓").count() == 0


def test_boxes_are_drawn_deleted_and_given_a_class(editing: Page) -> None:
    page = editing
    page.get_by_role("button", name="Add a box").click()
    place = page.locator(".overlay").bounding_box()
    assert place is not None
    drag(page, (place["x"] + place["width"] * 0.55, place["y"] + place["height"] * 0.6), (90, 70))
    box(page, "espresso ✓").wait_for()
    assert box(page).count() == 2
    field = page.get_by_role("combobox", name="Class of the box")
    field.fill("wooden spoon")
    field.press("Enter")
    spoon = box(page, "wooden spoon ✓")
    spoon.wait_for()
    assert box(page).count() == 1, "the other one keeps its class"
    box(page).click(position={"x": 5, "y": 40})
    page.get_by_role("button", name="Delete box").click()
    assert box(page).count() == 0
    assert spoon.count() == 1
    assert faults(page) == []


def test_boxes_by_keyboard(editing: Page) -> None:
    page, espresso = editing, box(editing)
    before = edges(espresso)
    espresso.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    after = edges(box(page))
    assert after == pytest.approx([before[0] + 6, before[1], before[2] + 6, before[3] - 4], abs=1)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("espresso"), "the focus stays"
    page.keyboard.press("Delete")
    assert box(page).count() == 0
    page.keyboard.press("Control+z")
    assert edges(box(page)) == after


def test_a_box_is_added_by_keyboard(editing: Page) -> None:
    page = editing
    page.get_by_role("button", name="Add a box").focus()
    page.keyboard.press("Enter")
    added = box(page, "espresso ✓")
    assert edges(added) == [225, 150, 375, 250], "in the middle"
    for keys in ("ArrowLeft", "Control+ArrowUp", "Control+Shift+ArrowRight"):
        page.keyboard.press(keys)
    assert edges(added) == [219, 149, 370, 249]
    page.keyboard.press("Delete")
    assert box(page).count() == 1
    page.keyboard.press("Control+z")
    assert box(page).count() == 2
    for _ in range(5):
        page.keyboard.press("Control+z")
    assert box(page, "espresso ✓").count() == 0


def test_the_focus_is_not_lost(editing: Page) -> None:
    page = editing
    box(page).focus()
    page.keyboard.press("Delete")
    assert page.evaluate("document.activeElement.id") == "box-undo"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "box-add", "there is nothing more to undo"


def test_corrections_are_not_removed_unasked(editing: Page) -> None:
    page = editing
    asked: list[str] = []

    def refuse(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    box(page).focus()
    page.keyboard.press("ArrowRight")
    page.locator("#tray").get_by_role("button", name="coffee.jpg").focus()
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Remove all").click()
    assert asked == ["Remove this image with corrected boxes?", "Remove all images, 1 of them with corrected boxes?"]
    assert page.locator("#tray button").count() == 3


def test_corrected_images_alone(editing: Page) -> None:
    page = editing
    only = page.get_by_label("Corrected images only")
    assert not only.is_visible()
    box(page).focus()
    page.keyboard.press("ArrowRight")
    only.check()
    told = json.loads(saved(page, "COCO").read_text())
    assert [each["file_name"] for each in told["images"]] == ["coffee.jpg"]
    assert [each["corrected"] for each in told["annotations"]] == [True]


def test_corrections_stay_with_their_image_and_preset(editing: Page) -> None:
    page = editing
    box(page).focus()
    page.keyboard.press("ArrowRight")
    corrected = edges(box(page, "espresso ✓"))
    page.get_by_role("radio", name="fast").check()
    page.locator("#tray .done").nth(2).wait_for()
    page.locator("#tray").get_by_role("button", name="chelsea.jpg").click()
    page.locator("#stage canvas[aria-label^='chelsea.jpg']").wait_for()
    assert box(page).count() == 0
    page.locator("#tray").get_by_role("button", name="coffee.jpg").click()
    page.locator("#stage canvas[aria-label^='coffee.jpg']").wait_for()
    assert edges(box(page, "espresso ✓")) == corrected


def test_downloads_hold_corrected_boxes(editing: Page, images: Path, tmp_path: Path) -> None:
    """Three corrected boxes, and every format says what the page shows; boxless itself reads three of them."""
    page = editing
    expected = {}
    for name in NAMES:
        page.locator("#tray").get_by_role("button", name=name).click()
        page.locator(f"#stage canvas[aria-label^='{name}']").wait_for()
        first = page.locator(".overlay [role=button]").first
        if name == "rocket.jpg":  # its box is deleted, and somebody draws what is there
            first.focus()
            page.keyboard.press("Delete")
            assert page.locator(".overlay [role=button]").count() == 0
            page.get_by_role("button", name="Add a box").click()
            place = page.locator(".overlay").bounding_box()
            assert place is not None
            drag(page, (place["x"] + place["width"] * 0.4, place["y"] + place["height"] * 0.3), (80, 120))
        first.focus()
        page.keyboard.press("Shift+ArrowLeft")
        page.locator(".overlay [role=button][aria-label*='✓']").wait_for()
        expected[name] = edges(page.locator(".overlay [role=button]").first)

    told = json.loads(saved(page, "JSON").read_text())
    assert {each["image"]: [round(edge) for edge in each["predictions"][0]["box"]] for each in told} == {
        name: pytest.approx(found, abs=1) for name, found in expected.items()
    }
    assert all(
        each["predictions"][0]["boxes"][0] | {"box": 0} == {"box": 0, "score": None, "corrected": True} for each in told
    )

    coco = json.loads(saved(page, "COCO").read_text())
    assert [each["corrected"] for each in coco["annotations"]] == [True] * 3
    assert not any("score" in each for each in coco["annotations"])

    rows = list(csv.DictReader(io.StringIO(saved(page, "CSV").read_text())))
    assert [(row["image"], row["corrected"]) for row in rows] == [(name, "true") for name in NAMES]

    with zipfile.ZipFile(saved(page, "YOLO")) as yolo:
        assert yolo.testzip() is None
        assert yolo.read("images/coffee.jpg") == (images / "coffee.jpg").read_bytes()
        assert {"labels/coffee.txt", "labels/chelsea.txt", "labels/rocket.txt", "data.yaml"} < set(yolo.namelist())
        about = yolo.read("data.yaml").decode()
        assert about.startswith("train: images\nval: images\nnames:\n"), "with a path Ultralytics would look elsewhere"
        names = re.findall(r"^  (\d+): (.*)$", about, re.MULTILINE)
        assert [int(number) for number, _ in names] == list(range(1000)), "Ultralytics refuses gaps"
        assert len({name for _, name in names}) == 1000
        assert ("967", '"espresso"') in names
    with zipfile.ZipFile(saved(page, "VOC")) as voc:
        voc.extractall(tmp_path / "voc")
    tree = ElementTree.parse(tmp_path / "voc/Annotations/coffee.xml")
    assert tree.findtext("object/name") == "espresso"
    assert [int(edge.text or "") for edge in tree.iterfind("object/bndbox/*")], "whole pixels"
    assert (tmp_path / "voc/ImageSets/Main/default.txt").read_text().split() == ["coffee", "chelsea", "rocket"]
    with zipfile.ZipFile(saved(page, "Drawings")) as drawings:
        assert drawings.namelist() == ["coffee_found.jpg", "chelsea_found.jpg", "rocket_found.jpg"]
        with Image.open(io.BytesIO(drawings.read("coffee_found.jpg"))) as image:
            assert image.size == (600, 400)

    card = ModelFile(DEFAULT_MODEL, threads=1).card
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    for data in (read_dataset(tmp_path / "coco.json", card, images=images), read_dataset(tmp_path / "voc", card)):
        read = {each.path.name: [round(float(edge)) for edge in each.boxes[0]] for each in data.images}
        assert read == {name: pytest.approx(found, abs=1) for name, found in expected.items()}
