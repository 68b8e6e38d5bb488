"""What comes in that is no image gets a sentence; folders and clips give their images."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.serve.browsing import drop, opened
from tests.serve.running import Running

from boxless.datasets.boxed import read_dataset
from boxless.models.model_file import ModelFile
from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve.app import WEB
from boxless.video.ffmpeg import ffmpeg_settings

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def empty(page: Page, service: Running) -> Page:
    opened(page, f"http://127.0.0.1:{service.port}/")
    return page


def said(page: Page) -> str:
    told = page.get_by_role("alert").filter(visible=True)
    told.wait_for()
    return told.inner_text()


def drop_text(page: Page, kind: str, text: str) -> None:
    page.evaluate(
        """([kind, text]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.setData(kind, text);
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [kind, text],
    )


def drop_paths(page: Page, *paths: Path) -> None:
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def test_each_gets_a_sentence(empty: Page) -> None:
    drop_text(empty, "text/plain", "a cup of coffee")
    assert "That is text" in said(empty)
    drop_text(empty, "text/uri-list", "https://example.org/cup.jpg")
    assert "save the image" in said(empty)
    drop(empty, ("report.pdf", b"%PDF"))
    assert "report.pdf is a PDF: export its pages" in said(empty)
    drop(empty, ("images.zip", b"PK"))
    assert "images.zip is an archive" in said(empty)
    drop(empty, ("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"))
    empty.locator("#tray .failed").wait_for()
    assert "convert it to JPEG" in empty.locator("#stage").inner_text()


def test_a_folder_gives_its_images(empty: Page, coffee: Path, tmp_path: Path) -> None:
    holiday = tmp_path / "holiday"
    (holiday / "first day").mkdir(parents=True)
    shutil.copyfile(coffee, holiday / "first day" / "cup.jpg")
    (holiday / "notes.txt").write_text("three cups")
    (tmp_path / "nothing").mkdir()
    drop_paths(empty, holiday, tmp_path / "nothing")
    empty.locator("#tray .done").wait_for()
    assert "nothing is a folder without images" in said(empty)
    assert empty.locator("#tray button").get_attribute("title") == "holiday/first day/cup.jpg"
    assert empty.locator("#tray img").count() == 1


def test_names_keep_their_folders(empty: Page, images: Path, tmp_path: Path) -> None:
    """Class folders have the same names in them, and data sets have to say which is which."""
    pets = tmp_path / "pets"
    for folder, name in (("cat", "chelsea.jpg"), ("cup", "coffee.jpg")):
        (pets / folder).mkdir(parents=True)
        shutil.copyfile(images / name, pets / folder / "1.jpg")
    (pets / "cup/2.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    drop_paths(empty, pets)
    empty.locator("#tray .done").nth(1).wait_for()
    empty.locator("#tray .failed[title='pets/cup/2.heic']").wait_for()
    with empty.expect_download() as download:
        empty.get_by_role("button", name="COCO").click()
    shutil.copyfile(download.value.path(), tmp_path / "boxless-coco.json")
    data = read_dataset(tmp_path / "boxless-coco.json", ModelFile(DEFAULT_MODEL, threads=1).card, images=pets)
    assert [each.path for each in data.images] == [pets / "cat/1.jpg", pets / "cup/1.jpg"]
    with empty.expect_download() as download:
        empty.get_by_role("button", name="YOLO").click()
    with zipfile.ZipFile(download.value.path()) as yolo:
        assert {"images/pets__cat__1.jpg", "labels/pets__cat__1.txt", "labels/pets__cup__1.txt"} < set(yolo.namelist())


def test_a_clip_gives_its_frames(empty: Page, images: Path, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    clip = tmp_path / "trip.webm"
    with ffmpeg_settings():
        writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"VP80"), 10, (300, 200))
    for name in ("coffee.jpg", "rocket.jpg"):
        for _ in range(20):
            writer.write(cv2.resize(cv2.imread(str(images / name)), (300, 200)))
    writer.release()
    empty.locator("#files").set_input_files(clip)
    empty.locator("#tray .done").nth(3).wait_for()
    names = [str(each.get_attribute("title")) for each in empty.locator("#tray button").all()]
    assert names == [f"trip 00-0{second}.50.jpg" for second in range(4)]
    empty.locator("#progress", has_text="4 images").wait_for()
    shots = [row.split("\t") for row in empty.locator("#shots tbody tr").all_inner_texts()]
    assert [row[0].strip() for row in shots] == ["0:00.5 to 0:01.5", "0:02.5 to 0:03.5"]
    assert shots[0][1:] == ["trip.webm", "espresso (2 of 2 frames)"]


def test_a_clip_that_cannot_be_played(empty: Page) -> None:
    drop(empty, ("bad.mp4", b"no clip"))
    assert said(empty).startswith("bad.mp4 could not be played in this browser: it is damaged, or of a kind")


def test_opened_by_a_double_click_it_says_how_to_serve_it(page: Page, tmp_path: Path) -> None:
    shutil.copytree(WEB, tmp_path / "site")
    page.goto((tmp_path / "site/index.html").as_uri())
    page.get_by_text("The page has not started").wait_for()
    assert "python -m http.server" in page.locator("#unstarted").inner_text()


def test_examples_are_offered(empty: Page) -> None:
    empty.get_by_role("button", name="coffee").click()
    empty.locator("#tray .done").wait_for()
    assert empty.locator("#verdict .name").inner_text() == "espresso"
    empty.get_by_role("button", name="Use the camera").first.wait_for()
