"""What outlives a reload of the page, and what is not asked for twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.serve.browsing import PATIENCE, drop, opened
from tests.serve.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

NAMES = ("coffee.jpg", "chelsea.jpg")


@pytest.fixture
def two(page: Page, service: Running, images: Path) -> Page:
    """The page with two images, both done, and a box of the first one corrected."""
    opened(page, f"http://127.0.0.1:{service.port}/")
    drop(page, *((name, (images / name).read_bytes()) for name in NAMES))
    page.locator("#tray .done").nth(1).wait_for()
    page.locator(".overlay .box").first.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".overlay .corrected").wait_for()
    return page


def reloaded(page: Page) -> list[str]:
    """Opens the page anew; returns the requests that it makes, a list that grows."""
    kept = """() => new Promise((resolve) => {
        indexedDB.open(`boxless ${location.pathname}`).onsuccess = ({ target: { result } }) => {
            const all = result.transaction("records").objectStore("records").getAll();
            all.onsuccess = () => (result.close(), resolve(all.result.map((each) => each.corrections.size)));
        };
    })"""
    for _ in range(500):
        if sum(page.evaluate(kept)) > 0:
            break
        page.wait_for_timeout(20)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.reload()
    page.locator("body[data-ready]").wait_for()
    return asked


def test_images_results_and_corrections_outlive_a_reload(two: Page) -> None:
    box = two.locator(".overlay .corrected").get_attribute("aria-label")
    asked = reloaded(two)
    two.locator("#tray .done").nth(1).wait_for()
    assert [each.get_attribute("title") for each in two.locator("#tray button").all()] == list(NAMES)
    assert two.locator(".overlay .corrected").get_attribute("aria-label") == box
    assert two.locator("#verdict .name").inner_text() == "espresso"
    assert "locate" not in asked, "what is known is not asked for again"
    with two.expect_download() as download:
        two.get_by_role("button", name="COCO").click()
    told = json.loads(Path(download.value.path()).read_text())
    assert [each["file_name"] for each in told["images"]] == list(NAMES)
    assert sum(each.get("corrected", False) for each in told["annotations"]) == 1

    asked_before: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked_before.append(dialog.message)
        dialog.accept()

    two.once("dialog", agree)
    two.get_by_role("button", name="Remove all").click()
    assert asked_before == ["Remove all images, 1 of them with corrected boxes?"]
    two.get_by_role("button", name="Choose images").wait_for()
    two.wait_for_timeout(800)  # it is kept after a pause
    two.reload()
    two.locator("body[data-ready]").wait_for()
    assert two.get_by_role("button", name="Choose images").is_visible(), "cleared is cleared"


def test_a_preset_that_was_used_before_is_not_asked_for_again(two: Page) -> None:
    two.get_by_role("radio", name="fast").check()
    two.locator("#tray .done").nth(1).wait_for()
    asked: list[str] = []
    two.on("request", lambda request: asked.append(request.url))
    two.get_by_role("radio", name="balanced").check()
    assert two.locator("#tray .done").count() == 2
    assert two.locator(".overlay .corrected").count() == 1
    assert asked == []


def test_a_reload_in_the_middle_loses_no_image(page: Page, service: Running, images: Path) -> None:
    opened(page, f"http://127.0.0.1:{service.port}/")
    page.route("**/v1/locate", lambda route: None)  # never answered
    drop(page, *((name, (images / name).read_bytes()) for name in NAMES))
    page.locator("#tray .working").nth(1).wait_for()
    page.wait_for_timeout(300)
    page.unroute("**/v1/locate")
    page.reload()
    page.locator("#tray .done").nth(1).wait_for()
    assert [each.get_attribute("title") for each in page.locator("#tray button").all()] == list(NAMES)


def test_what_one_tab_removes_and_another_corrects_is_kept(two: Page) -> None:
    reloaded(two)
    other = two.context.new_page()
    other.set_default_timeout(PATIENCE)
    other.goto(two.url)
    other.locator("#tray .done").nth(1).wait_for()
    two.once("dialog", lambda dialog: dialog.accept())
    two.get_by_role("button", name="Remove all").click()
    two.get_by_role("button", name="Choose images").wait_for()
    two.wait_for_timeout(800)
    other.locator(".overlay .box").first.focus()
    other.keyboard.press("ArrowRight")
    other.wait_for_timeout(800)
    two.reload()
    two.locator("#tray .done").wait_for()
    assert [each.get_attribute("title") for each in two.locator("#tray button").all()] == ["coffee.jpg"]


@pytest.mark.parametrize("denied", ["indexedDB", "sessionStorage"])
def test_a_browser_that_keeps_nothing(page: Page, service: Running, coffee: Path, denied: str) -> None:
    refuse = "{ get() { throw new DOMException('denied', 'SecurityError'); } }"
    page.add_init_script(f"Object.defineProperty(window, '{denied}', {refuse})")
    opened(page, f"http://127.0.0.1:{service.port}/")
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    warned = page.get_by_role("alert").filter(visible=True)
    if denied == "indexedDB":
        assert "a reload loses the images and corrections" in warned.inner_text(), "it stays after images were added"
    else:
        assert warned.count() == 0
