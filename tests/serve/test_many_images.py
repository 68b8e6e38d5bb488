"""Many images on the page: the table, the progress, stopping, going on, and the keyboard."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.serve.browsing import awaited, drop, faults, held, opened, release
from tests.serve.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("coffee.jpg", "chelsea.jpg", "rocket.jpg")


@pytest.fixture
def many(page: Page, service: Running) -> Page:
    opened(page, f"http://127.0.0.1:{service.port}/")
    page.get_by_label("Heatmap")
    return page


def drop_all(page: Page, images: Path, *more: tuple[str, bytes]) -> None:
    drop(page, *((name, (images / name).read_bytes()) for name in NAMES), *more)


def rows(page: Page) -> list[list[str]]:
    return [row.split("\t") for row in page.locator("#table tbody tr").all_inner_texts()]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_the_table_says_what_is_in_all(many: Page, images: Path) -> None:
    drop_all(many, images, ("holiday.jpg", b"no picture"))
    many.locator("#tray .done").nth(2).wait_for()
    many.locator("#tray .failed").wait_for()
    table = rows(many)
    assert [row[0].strip() for row in table] == [*NAMES, "holiday.jpg"]
    assert table[0][1:5] == ["600 \u00d7 400", "espresso", "83 %", "1"]
    assert re.fullmatch(r"\d+\.\d\d s", table[0][5])
    assert table[3][2] == "could not be read"
    assert many.locator("#progress").inner_text() == "4 images, 1 failed"
    many.get_by_label("Order").select_option("doubtful first")
    assert rows(many)[0][0].strip() == "holiday.jpg"
    assert rows(many)[-1][0].strip() == "coffee.jpg"
    many.locator("#table").get_by_role("button", name="rocket.jpg").click()
    many.locator("#stage canvas[aria-label^='rocket.jpg']").wait_for()
    assert faults(many) == []


def test_two_at_a_time_stop_and_go_on(many: Page, images: Path) -> None:
    routes = held(many, "**/v1/locate")
    drop_all(many, images)
    waiting = [awaited(many, routes), awaited(many, routes)]
    many.wait_for_timeout(200)
    assert routes == [], "the third waits"
    assert many.locator("#progress").inner_text() == "0 of 3"
    for route in waiting:
        route.continue_()
    many.locator("#tray .done").nth(1).wait_for()
    assert many.locator("#progress").inner_text().startswith("2 of 3")
    many.get_by_role("button", name="Stop", exact=True).focus()
    many.keyboard.press("Enter")
    assert many.locator("#progress").inner_text() == "3 images, 1 stopped"
    assert rows(many)[2][2] == "stopped"
    many.locator("#tray .stopped").click()
    many.locator("#stage canvas[aria-label='rocket.jpg']").wait_for()
    assert many.locator("#stage").inner_text() == "Stopped before there was a result"
    routes.clear()
    many.get_by_role("button", name="Continue").focus()
    many.keyboard.press("Enter")
    release(many, routes)
    many.locator("#tray .done").nth(2).wait_for()
    assert focused(many) == "order", "the button is gone, and the focus is next to it"


def test_the_stage_keeps_its_height(many: Page, images: Path) -> None:
    drop_all(many, images, ("holiday.jpg", b"no picture"))
    many.locator("#tray .done").nth(2).wait_for()
    heights = set()
    for place in range(4):
        many.locator("#tray button").nth(place).click()
        many.wait_for_timeout(100)
        bounds = many.locator("#stage").bounding_box()
        assert bounds is not None
        heights.add(round(bounds["height"]))
    assert max(heights) - min(heights) <= 4, heights


def test_failed_ones_are_tried_again_together(many: Page, images: Path) -> None:
    many.route("**/v1/locate", lambda route: route.abort())
    drop_all(many, images)
    many.locator("#tray .failed").nth(2).wait_for()
    assert [row[2] for row in rows(many)] == ["failed"] * 3, "the images can be read"
    many.unroute("**/v1/locate")
    many.get_by_role("button", name="Retry failed").click()
    many.locator("#tray .done").nth(2).wait_for()
    assert many.locator("#progress").inner_text() == "3 images"


def test_a_class_is_searched_for_in_all(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()
    many.get_by_label("In all images").check()
    many.get_by_role("combobox", name="Search for a class").fill("tabby")
    many.keyboard.press("Enter")
    many.locator("#table tr.done", has_text="tabby").nth(2).wait_for()
    many.get_by_label("Order").select_option("most probable first")
    assert rows(many)[0][0].strip() == "chelsea.jpg"
    many.locator("#table").get_by_role("button", name="chelsea.jpg").click()
    many.keyboard.press("ArrowDown")
    assert many.evaluate("document.activeElement.dataset.name") == rows(many)[1][0].strip(), "arrows follow the order"


def test_a_class_that_cannot_be_searched_for_leaves_the_result(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()
    many.route("**/v1/locate", lambda route: route.abort())
    search = many.get_by_role("combobox", name="Search for a class")
    search.fill("tabby")
    search.press("Enter")
    trouble = many.get_by_role("alert").get_by_text("The service does not answer")
    trouble.wait_for()
    assert many.locator("#verdict .name").inner_text() == "espresso"
    assert many.locator("#tray .failed").count() == 0
    assert faults(many) == []
    many.unroute("**/v1/locate")
    many.get_by_role("radio", name="fast").check()
    many.get_by_role("radio", name="balanced").check()
    assert not trouble.is_visible(), "it was about something else"
    search.fill("tabby")
    search.press("Enter")
    many.locator("#verdict .name", has_text="tabby").wait_for()


def test_hundreds_are_listed_by_what_is_in_view(many: Page) -> None:
    many.route("**/v1/locate", lambda route: route.abort())
    drop(many, *((f"{number:03d}.jpg", b"no picture") for number in range(300)))
    many.locator("#progress", has_text="300 images, 300 failed").wait_for()
    assert many.locator("#table tbody tr").count() < 40
    assert many.locator("#tray li").count() < 40
    assert many.locator("#table table").get_attribute("aria-rowcount") == "301"
    many.locator("#table").evaluate("(table) => (table.scrollTop = table.scrollHeight)")
    many.locator("#table").get_by_role("button", name="299.jpg").click()
    many.locator("#tray [aria-current=true][title='299.jpg']").wait_for()
    many.get_by_label("Order").select_option("doubtful first")
    assert many.locator("#table").evaluate("(table) => table.scrollTop") == 0, "the first ones are seen"


def test_the_keyboard_goes_through_them(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()
    many.locator("#tray").get_by_role("button", name="coffee.jpg").focus()
    many.keyboard.press("ArrowRight")
    many.locator("#stage canvas[aria-label^='chelsea.jpg']").wait_for()
    assert many.evaluate("document.activeElement.title") == "chelsea.jpg"
    many.keyboard.press("Delete")
    many.locator("#stage canvas[aria-label^='rocket.jpg']").wait_for()
    assert many.evaluate("document.activeElement.title") == "rocket.jpg", "the focus is not lost"
    many.keyboard.press("ArrowLeft")
    many.locator("#stage canvas[aria-label^='coffee.jpg']").wait_for()
    many.get_by_role("button", name="Remove all").click()
    many.get_by_role("button", name="Choose images").wait_for()


def test_zoom(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()

    def zoom() -> float:
        return float(many.locator(".overlay").evaluate("(svg) => svg.getScreenCTM().a"))

    fit = zoom()
    many.get_by_role("button", name="Zoom in").click()
    assert zoom() == pytest.approx(1.5 * fit, rel=0.01)
    many.get_by_role("button", name="Fit").click()
    assert zoom() == pytest.approx(fit, rel=0.01)
    assert many.get_by_role("button", name="Zoom out").is_disabled()


def test_a_small_image_in_its_own_size(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()
    many.set_viewport_size({"width": 1600, "height": 1200})
    zoom = "(svg) => svg.getScreenCTM().a"
    fit = many.locator(".overlay").evaluate(zoom)
    assert fit > 1.1
    many.get_by_label("Boxes").uncheck()
    for _ in range(2):  # the second one changes nothing
        many.get_by_role("button", name="100 %").click()
    many.get_by_label("Boxes").check()
    assert many.locator(".overlay").evaluate(zoom) == pytest.approx(1, rel=0.01)
    assert many.get_by_role("button", name="Zoom out").is_disabled()
    many.get_by_role("button", name="Fit").click()
    assert many.locator(".overlay").evaluate(zoom) == pytest.approx(fit, rel=0.01)


def test_zoom_and_pan_by_keyboard(many: Page, images: Path) -> None:
    drop_all(many, images)
    many.locator("#tray .done").nth(2).wait_for()
    many.get_by_role("button", name="Zoom in").focus()
    many.keyboard.press("Enter")
    many.locator("#stage").focus()
    before = many.locator(".overlay").bounding_box()
    many.keyboard.press("ArrowRight")
    after = many.locator(".overlay").bounding_box()
    assert before is not None and after is not None and after["x"] < before["x"] - 20
    assert many.locator("#stage canvas").get_attribute("aria-label", timeout=1000).startswith("coffee.jpg")  # type: ignore[union-attr]
    many.get_by_role("button", name="Fit").focus()
    many.keyboard.press("Enter")
    assert focused(many) == "zoom-whole", "Fit is disabled now"
