"""A folder on the service's machine: the routes, and the gallery on the page."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from tests.serve.browsing import faults, opened
from tests.serve.running import LIMITS, Running, running

from boxless.errors import ImageError
from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve.folder import Folder
from boxless.serve.models import Models

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def showing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that shows a folder of four images: two with something in them, an empty and a torn one."""
    images = Path(__file__).parent.parent.parent / "examples/pictures"
    folder = tmp_path_factory.mktemp("pictures") / "holiday"
    (folder / "sub").mkdir(parents=True)
    for name in ("chelsea.jpg", "coffee.jpg"):
        shutil.copyfile(images / name, folder / name)
    Image.fromarray(np.full((60, 80, 3), 255, np.uint8)).save(folder / "sub/wall.png")
    (folder / "torn.jpg").write_bytes((images / "coffee.jpg").read_bytes()[:3000])
    with running(LIMITS, preset="fast", folder=folder) as started:
        for _ in range(3000):
            if started.ask("/v1/folder").json["done"] == 4:
                break
            time.sleep(0.02)
        yield started


def test_it_lists_what_is_in_the_folder(showing: Running) -> None:
    told = showing.ask("/v1/folder").json
    assert (told["name"], told["images"], told["done"], told["preset"]) == ("holiday", 4, 4, "fast")
    assert {each["label"]: each["images"] for each in told["classes"]} == {"Egyptian cat": 1, "espresso": 1}
    listed = showing.ask("/v1/folder/images?limit=2&offset=1").json
    assert listed["total"] == 4
    assert [each["name"] for each in listed["images"]] == ["coffee.jpg", "sub/wall.png"]
    assert listed["images"][0]["label"] == "espresso" and listed["images"][0]["boxes"] == 1


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("class=espresso", ["coffee.jpg"]),
        ("show=none", ["sub/wall.png"]),
        ("show=failed", ["torn.jpg"]),
        ("show=detected", ["chelsea.jpg", "coffee.jpg"]),
    ],
)
def test_filters(showing: Running, query: str, names: list[str]) -> None:
    assert [each["name"] for each in showing.ask(f"/v1/folder/images?{query}").json["images"]] == names


def test_images_and_thumbnails(showing: Running, coffee: Path) -> None:
    assert showing.ask("/v1/folder/images/1").body == coffee.read_bytes()
    small = showing.ask("/v1/folder/images/1/thumbnail")
    with Image.open(io.BytesIO(small.body)) as image:
        assert image.size == (240, 160)


@pytest.mark.parametrize("path", ["images/4", "images/-1", "images/../../etc/passwd", "images?show=secret"])
def test_nothing_else_is_shown(showing: Running, path: str) -> None:
    answer = showing.ask(f"/v1/folder/{path}")
    assert answer.status in (404, 422)
    assert b"root:" not in answer.body


def test_without_a_folder_there_is_none(service: Running) -> None:
    assert service.ask("/v1/models").json["folder"] is None
    assert service.ask("/v1/folder").status == 404


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    models = Models([DEFAULT_MODEL], "fast", LIMITS.max_pixels)
    with pytest.raises(ImageError, match="a folder without images"):
        Folder(tmp_path, models)
    with pytest.raises(ImageError, match="no folder"):
        Folder(tmp_path / "missing", models)


def test_the_gallery(page: Page, showing: Running) -> None:
    opened(page, f"http://127.0.0.1:{showing.port}/")
    tiles = page.locator("#folder-images button")
    tiles.nth(3).wait_for()
    page.locator("#folder-images img").nth(2).wait_for()
    assert page.locator("#folder-progress").inner_text() == "4 images, preset fast"
    torn = page.get_by_role("button", name="torn.jpg: could not be read")
    assert torn.locator(".face").inner_text() == "!"
    assert faults(page) == []
    page.locator("#folder-class").select_option("espresso")
    page.locator("#folder-images li").nth(1).wait_for(state="detached")
    tiles.first.click()
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"
    page.get_by_role("button", name="Back to the folder").click()
    assert tiles.first.is_visible()
    page.locator("#folder-images [data-id='1']:focus").wait_for()
    assert faults(page) == []
    tiles.first.click()
    page.locator("#work").wait_for()
    assert page.locator("#tray button").count() == 1, "it is open already"
    page.get_by_role("button", name="Back to the folder").click()
    page.get_by_role("button", name="Opened images").click()
    page.locator("#stage canvas[aria-label^='coffee.jpg']").wait_for()
