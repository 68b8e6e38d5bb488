"""The page, in a real browser."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import numpy_helper
from PIL import Image
from tests.serve.browsing import CAMERA, PATIENCE, awaited, chromium, drop, faults, held, opened, release
from tests.serve.running import LIMITS, Running, running
from tests.small_detector import card, network, write_detector

from boxless import Localizer
from boxless.export.assemble import write_model
from boxless.export.detector import detector_model
from boxless.models.zoo import DEFAULT_MODEL, EIGHT_BIT_MODEL
from boxless.networks.detector_backbones import STRIDES

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Route


@pytest.fixture
def address(service: Running) -> str:
    return f"http://127.0.0.1:{service.port}/"


def drawn(page: Page) -> np.ndarray:
    """The pixels (H, W, 3) on the stage."""
    data = page.evaluate("document.querySelector('#stage canvas').toDataURL('image/png').split(',')[1]")

    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB"), np.float32)


def test_drop_a_image_and_see_class_map_and_box(page: Page, address: str, coffee: Path, localizer: Localizer) -> None:
    asked = opened(page, address)
    assert page.get_by_role("heading", name="Drop images here").is_visible()
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#classes").get_by_role("button", name="espresso").wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"
    prediction = localizer.locate(coffee).predictions[0]
    assert "as strong as usual" in page.locator("#verdict").inner_text()
    assert f"{prediction.activation:.1f} logits" in str(page.locator("#verdict .activation").get_attribute("title"))
    assert prediction.box is not None
    left, top, right, bottom = map(round, prediction.box.xyxy)
    said = page.locator("#stage canvas").get_attribute("aria-label")
    assert said == f"coffee.jpg: espresso, 83 %, from left {left}, top {top} to right {right}, bottom {bottom}"

    # Heat warms the cup and leaves the corner alone; without it the picture is there.
    with_heat = drawn(page)
    page.get_by_label("Boxes").uncheck()
    page.get_by_label("Heatmap").evaluate("(slider) => { slider.value = 0; slider.dispatchEvent(new Event('input')); }")
    bare = drawn(page)
    scale = bare.shape[1] / 600
    cup, corner = (
        (slice(int(150 * scale), int(170 * scale)), slice(int(260 * scale), int(290 * scale))),
        (slice(-9, -1),) * 2,
    )
    assert np.abs(with_heat[cup] - bare[cup]).mean() > 30
    assert np.abs(with_heat[corner] - bare[corner]).mean() < 5
    with Image.open(coffee) as image:
        resized = np.asarray(image.resize((bare.shape[1], bare.shape[0])), np.float32)
    assert np.abs(bare - resized).mean() < 4

    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {address.split("/")[2]}


def test_images_that_come_before_the_page_is_ready(page: Page, address: str, coffee: Path, images: Path) -> None:
    page.set_default_timeout(PATIENCE)
    routes = held(page, "**/v1/models")
    page.goto(address)
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.get_by_text("The image waits for the model").wait_for()
    chosen(page, page.get_by_role("button", name="Choose images").click, images / "chelsea.jpg")
    page.get_by_text("2 images wait for the model").wait_for()
    release(page, routes)
    page.locator("#tray .done").nth(1).wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"
    assert page.locator("#tray").get_by_role("button", name="chelsea.jpg").is_visible()


def test_a_page_that_cannot_start_says_why(page: Page, address: str, coffee: Path) -> None:
    page.set_default_timeout(PATIENCE)
    page.route("**/labels", lambda route: route.abort())
    page.goto(address)
    told = page.get_by_role("alert").filter(visible=True)
    told.get_by_text("The service does not answer").wait_for()
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    assert "The service does not answer" in told.inner_text()
    assert not page.get_by_text("waits for the model").is_visible()


def chosen(page: Page, press: Callable[[], None], file: Path) -> None:
    """Gives the page a file once a press has asked for one, without the dialog, which Chromium misses at times."""
    page.evaluate("""document.getElementById("files").addEventListener(
        "click",
        (event) => {
            event.preventDefault();
            document.body.dataset.asked = "true";
        },
        { once: true },
    )""")
    press()
    page.locator("body[data-asked]").wait_for()
    page.evaluate("delete document.body.dataset.asked")
    page.locator("#files").set_input_files(file)


def test_other_classes_by_keyboard_alone(page: Page, address: str, coffee: Path) -> None:
    opened(page, address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Choose images"
    chosen(page, lambda: page.keyboard.press("Enter"), coffee)
    page.locator("#classes").get_by_role("button", name="espresso").wait_for()

    reached: list[str] = []
    while not page.evaluate("document.activeElement.closest('#classes') !== null"):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent + document.activeElement.id"))
        assert len(reached) < 40, reached
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("#verdict .name").inner_text() == "Perhaps cup", "5 % is no certainty"

    page.get_by_role("combobox", name="Search for a class").focus()
    page.keyboard.type("cat")
    assert page.locator("#matches").get_by_role("option").all_inner_texts()[0] == "tiger cat", "no catamaran"
    page.keyboard.press("Escape")
    page.keyboard.type("tabb")
    assert page.locator("#matches").get_by_role("option").all_inner_texts()[0] == "tabby"
    page.keyboard.press("Enter")
    page.locator("#verdict").get_by_text("not located").wait_for()
    assert page.get_by_role("button", name="tabby").get_attribute("aria-pressed") == "true"
    assert page.locator("#stage canvas").get_attribute("aria-label") == "coffee.jpg: tabby, < 1 %, not located"

    page.get_by_role("radio", name="balanced").focus()
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("radio", name="fast").is_checked()
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "tabby"


def test_nothing_here(page: Page, address: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (320, 240), "white").save(file, "JPEG")
    opened(page, address)
    drop(page, ("wall.jpg", file.getvalue()))
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "No class detected"


def test_two_classes_side_by_side(page: Page, address: str, coffee: Path) -> None:
    opened(page, address)
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    page.get_by_label("Compare with").select_option("a second class")
    assert page.locator("#stage figcaption").all_inner_texts() == ["espresso 83 %", "cup 5 %"]
    page.locator("#classes").get_by_role("button").nth(2).click()
    assert page.locator("#stage figure").count() == 2
    page.get_by_label("Compare with").select_option("nothing")
    assert page.locator("#stage figure").count() == 1


def test_two_presets_side_by_side(page: Page, address: str, coffee: Path, localizer: Localizer) -> None:
    opened(page, address)
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    page.get_by_label("Compare with").select_option("preset fast")
    page.locator("#stage figcaption", has_text="fast: espresso").wait_for()
    assert page.locator("#stage figcaption").first.inner_text() == "balanced: espresso 83 %"
    fast = Localizer(DEFAULT_MODEL, "fast").locate(coffee).predictions[0]
    assert fast.box is not None
    left, top, right, bottom = map(round, fast.box.xyxy)
    said = page.locator("#stage canvas").nth(1).get_attribute("aria-label")
    assert said is not None and said.endswith(f"from left {left}, top {top} to right {right}, bottom {bottom}")
    page.locator("#classes").get_by_role("button").nth(1).click()
    page.locator("#stage figcaption", has_text="fast: cup").wait_for()


def test_large_images_are_sent_smaller(page: Page, address: str, coffee: Path, localizer: Localizer) -> None:
    with Image.open(coffee) as image:
        pixels = np.asarray(image.resize((3000, 2000), Image.Resampling.LANCZOS), np.int16)
    noise = np.random.default_rng(0).normal(0, 5, (2000, 3000, 1)).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    opened(page, address)
    with page.expect_request("**/v1/locate") as sent:
        drop(page, ("cup.jpg", file.getvalue()))
    page.locator("#tray .done").wait_for()
    assert 10_000 < int(sent.value.all_headers()["content-length"]) < len(file.getvalue()) / 4
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    told = json.loads(Path(download.value.path()).read_text())
    assert (told["width"], told["height"]) == (3000, 2000)
    whole = localizer.locate(file.getvalue()).predictions[0]
    assert told["predictions"][0]["probability"] == pytest.approx(whole.probability, abs=0.02)
    assert whole.box is not None
    assert told["predictions"][0]["box"] == pytest.approx(whole.box.xyxy, abs=0.01 * 3000)


def test_broken_images_are_told_and_the_rest_goes_on(page: Page, address: str, coffee: Path, images: Path) -> None:
    opened(page, address)
    content = coffee.read_bytes()
    drop(page, ("holiday.jpg", b"no picture"), ("half.jpg", content[:5000]), ("coffee.jpg", content))
    page.locator("#tray .done").wait_for()
    told = page.get_by_role("alert").filter(visible=True)
    assert "This image could not be read" in told.inner_text()
    assert "holiday.jpg: not an image" in told.inner_text()
    page.get_by_role("button", name="Remove it").click()
    page.locator("#tray").get_by_role("button", name="half.jpg").click()
    assert "half.jpg: a damaged image" in told.inner_text()
    page.locator("#tray").get_by_role("button", name="coffee.jpg").click()
    assert page.locator("#verdict .name").inner_text() == "espresso"


def test_kinds_that_browsers_do_not_show(page: Page, address: str, coffee: Path) -> None:
    file = io.BytesIO()
    with Image.open(coffee) as image:
        image.save(file, "TIFF")
    opened(page, address)
    drop(page, ("coffee.tiff", file.getvalue()))
    page.locator("#tray .done").wait_for()
    assert page.locator("#stage canvas").count() == 1
    assert page.locator("#verdict .name").inner_text() == "espresso"


def test_a_detector_shows_such_kinds_without_its_boxes(page: Page, coffee: Path, tmp_path: Path) -> None:
    sure = network()
    for bias in sure.graph.initializer:
        if bias.name.startswith("b"):
            values = numpy_helper.to_array(bias).copy()
            values[0] = 50  # of probability 1
            bias.CopyFrom(numpy_helper.from_array(values, bias.name))
    write_model(detector_model(sure, STRIDES, card()), tmp_path / "sure.onnx")
    file = io.BytesIO()
    with Image.open(coffee) as image:
        image.save(file, "TIFF")
    with running(LIMITS, models=[str(tmp_path / "sure.onnx")]) as detecting:
        opened(page, f"http://127.0.0.1:{detecting.port}/")
        drop(page, ("coffee.tiff", file.getvalue()))
        page.locator("#tray .done").wait_for()
        assert "100 % probable" in page.locator("#verdict").inner_text()
        page.get_by_label("Boxes").uncheck()
        bare = drawn(page)
    with Image.open(coffee) as image:
        resized = np.asarray(image.resize((bare.shape[1], bare.shape[0])), np.float32)
    assert np.abs(bare - resized).mean() < 4


def test_another_preset_at_once(page: Page, address: str, coffee: Path) -> None:
    opened(page, address)
    routes = held(page, "**/v1/locate")
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    awaited(page, routes)  # and never answered: what is not wanted any more is not waited for
    page.get_by_role("radio", name="fast").check()
    release(page, routes)
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"


def test_only_the_image_on_the_page_is_kept_decoded(page: Page, address: str, images: Path) -> None:
    page.add_init_script(
        """window.decoded = 0;
        const make = createImageBitmap;
        window.createImageBitmap = (...given) => make(...given).then((image) => (decoded++, image));
        const close = ImageBitmap.prototype.close;
        ImageBitmap.prototype.close = function () { if (this.width) decoded--; close.call(this); };"""
    )
    opened(page, address)
    names = ("coffee.jpg", "chelsea.jpg", "rocket.jpg")
    drop(page, *((name, (images / name).read_bytes()) for name in names))
    page.locator("#tray .done").nth(2).wait_for()
    for name in reversed(names):
        page.locator("#tray").get_by_role("button", name=name).click()
        page.locator(f"#stage canvas[aria-label^='{name}']").wait_for()
        assert page.evaluate("decoded") == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="This image", exact=True).click()
    with Image.open(download.value.path()) as image:
        assert image.size == (600, 400)
    assert page.evaluate("decoded") == 1


def test_images_may_be_taken_away_again(page: Page, address: str, images: Path) -> None:
    opened(page, address)
    drop(page, *((name, (images / name).read_bytes()) for name in ("coffee.jpg", "chelsea.jpg")))
    page.locator("#tray .done").nth(1).wait_for()
    remove = page.get_by_role("button", name="Remove image")
    remove.click()
    page.locator("#stage canvas[aria-label^='chelsea.jpg']").wait_for()
    assert page.locator("#tray").get_by_role("button", name="coffee.jpg").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assert json.loads(Path(download.value.path()).read_text())["image"] == "chelsea.jpg"
    remove.click()
    page.get_by_role("button", name="Choose images").wait_for()


def test_what_goes_on_elsewhere_disturbs_nobody(page: Page, address: str, images: Path) -> None:
    opened(page, address)
    drop(page, ("coffee.jpg", (images / "coffee.jpg").read_bytes()))
    page.locator("#tray .done").wait_for()
    routes = held(page, "**/v1/locate")
    drop(page, ("chelsea.jpg", (images / "chelsea.jpg").read_bytes()))
    page.locator("#tray").get_by_role("button", name="coffee.jpg").click()
    page.locator("#stage canvas[aria-label^='coffee.jpg']").wait_for()
    page.locator(".overlay .box").wait_for()
    page.evaluate(
        """window.told = 0;
        const watch = new MutationObserver((changes) => (told += changes.length));
        for (const id of ["verdict", "stage", "classes"])
            watch.observe(document.getElementById(id), { subtree: true, childList: true, characterData: true });"""
    )
    tile = page.locator("#tray").get_by_role("button", name="chelsea.jpg")
    tile.hover()
    page.mouse.down()
    release(page, routes)
    page.locator("#tray .done").nth(1).wait_for()
    assert page.evaluate("told") == 0
    page.mouse.up()
    page.locator("#tray [aria-current=true][title='chelsea.jpg']").wait_for()

    page.locator("#tray").get_by_role("button", name="coffee.jpg").focus()
    page.keyboard.press("Enter")
    page.locator("#tray [aria-current=true][title='coffee.jpg']").wait_for()
    assert page.evaluate("document.activeElement.title") == "coffee.jpg"


def test_a_file_that_went_away(page: Page, address: str, coffee: Path, tmp_path: Path) -> None:
    short_lived = tmp_path / "coffee.jpg"
    short_lived.write_bytes(coffee.read_bytes())
    page.set_default_timeout(PATIENCE)
    routes = held(page, "**/v1/models")
    page.goto(address)
    page.locator("#files").set_input_files(short_lived)
    short_lived.unlink()
    release(page, routes)
    page.get_by_text("This file could not be read").wait_for()
    assert "coffee.jpg" in page.locator("#stage").inner_text()


def test_models_that_change_quickly(page: Page, coffee: Path, tmp_path: Path) -> None:
    models = [DEFAULT_MODEL, EIGHT_BIT_MODEL, str(write_detector(tmp_path / "tiny.onnx"))]
    with running(LIMITS, models=models) as serving:
        opened(page, f"http://127.0.0.1:{serving.port}/")
        drop(page, ("coffee.jpg", coffee.read_bytes()))
        choice = page.get_by_label("Model")
        routes = held(page, "**/tiny/labels")
        choice.select_option("tiny")
        choice.select_option(EIGHT_BIT_MODEL)
        page.locator("footer", has_text=EIGHT_BIT_MODEL).wait_for()
        with page.expect_response("**/tiny/labels"):
            release(page, routes)
        page.locator("#tray .done").wait_for()
        assert page.get_by_role("radio", name="fast").is_visible(), "a preset that the small detector has not"
        assert page.locator("#verdict .name").inner_text() == "espresso"

        page.unroute("**/tiny/labels")
        page.route("**/tiny/labels", lambda route: route.abort())
        choice.select_option("tiny")
        page.get_by_role("alert").get_by_text("The service does not answer").wait_for()
        assert choice.input_value() == EIGHT_BIT_MODEL


def test_images_of_one_name_are_told_apart(page: Page, address: str, coffee: Path, images: Path) -> None:
    opened(page, address)
    drop(page, *(("image.png", (images / name).read_bytes()) for name in ("coffee.jpg", "chelsea.jpg")))
    page.locator("#tray .done").nth(1).wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="COCO").click()
    told = json.loads(Path(download.value.path()).read_text())
    assert [each["file_name"] for each in told["images"]] == ["image.png", "image-2.png"]


def test_downloads(page: Page, address: str, coffee: Path, images: Path, localizer: Localizer) -> None:
    opened(page, address)
    drop(page, *((name, (images / name).read_bytes()) for name in ("coffee.jpg", "chelsea.jpg")))
    page.locator("#tray .done").nth(1).wait_for()

    def saved(name: str) -> tuple[str, Path]:
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        return download.value.suggested_filename, Path(download.value.path())

    name, path = saved("This image")
    assert name == "coffee_found.jpg"
    with Image.open(path) as image:
        assert image.size == (600, 400)
    expected = [localizer.locate(images / name) for name in ("coffee.jpg", "chelsea.jpg")]
    told = json.loads(saved("JSON")[1].read_text())
    assert [each["image"] for each in told] == ["coffee.jpg", "chelsea.jpg"]
    assert [each["predictions"][0] for each in told] == [found.predictions[0].to_dict() for found in expected]

    coco = json.loads(saved("COCO")[1].read_text())
    boxes = [(i + 1, box) for i, found in enumerate(expected) for box in found.predictions[0].boxes]
    assert [each["image_id"] for each in coco["annotations"]] == [i for i, _ in boxes]
    for each, (_, box) in zip(coco["annotations"], boxes, strict=True):
        assert each["bbox"] == pytest.approx([box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0], abs=0.02)
    assert {each["id"] for each in coco["categories"]} == {found.predictions[0].class_index for found in expected}

    with zipfile.ZipFile(saved("YOLO")[1]) as yolo:
        assert yolo.testzip() is None
        names = [f"{kind}/{name}" for name in ("coffee", "chelsea") for kind in ("images", "labels")]
        assert [name.rpartition(".")[0] for name in yolo.namelist()] == [*names, "data"]
        index, x, _, _, height = map(float, yolo.read("labels/coffee.txt").split()[:5])
        assert f'  {index:.0f}: "espresso"' in yolo.read("data.yaml").decode().splitlines()
        best = expected[0].predictions[0].boxes[0]
        assert x * 600 == pytest.approx((best.x0 + best.x1) / 2, abs=0.02)
        assert height * 400 == pytest.approx(best.y1 - best.y0, abs=0.02)


def test_the_camera(address: str, browser: Browser, coffee: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mjpeg"
    film.write_bytes(coffee.read_bytes() * 2)
    arguments = [*CAMERA, f"--use-file-for-fake-video-capture={film}"]
    with browser.browser_type.launch(executable_path=chromium(), args=arguments) as with_camera:
        page = with_camera.new_page()
        opened(page, address)
        page.get_by_role("button", name="Use the camera").click()
        page.locator("#camera-take:enabled").wait_for()
        page.get_by_label("Live results").check()
        page.locator("#camera-words", has_text=re.compile(r"^espresso \d\d %, \d+\.\d frames a second$")).wait_for()
        page.locator("#camera-take").click()
        page.locator("#tray .done").wait_for()
        assert page.locator("#tray").get_by_role("button", name="camera-").count() == 1
        assert page.locator("#verdict .name").inner_text() == "espresso"


def test_a_camera_that_is_missing(page: Page, address: str) -> None:
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('none', 'NotFoundError'))"
    )
    opened(page, address)
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("No camera was found").wait_for()
    page.get_by_role("button", name="Cancel").click()
    assert not page.locator("dialog[open]").count()


def test_a_service_that_wants_a_token(page: Page, coffee: Path) -> None:
    token = "Sésam → öffne"  # what no header takes as it is
    with running(LIMITS, token=token) as guarded:
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{guarded.port}/")
        page.get_by_role("textbox", name="Token").fill(token)
        page.get_by_role("button", name="Continue").click()
        page.locator("body[data-ready]").wait_for()
        drop(page, ("coffee.jpg", coffee.read_bytes()))
        page.locator("#tray .done").wait_for()
        page.get_by_role("link", name="REST interface").click()
        page.get_by_text("min_probability").first.wait_for()


def test_a_wrong_token_is_told_and_a_stale_one_is_no_dead_end(page: Page, coffee: Path) -> None:
    with running(LIMITS, token="opensesame") as guarded:
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{guarded.port}/")
        page.get_by_role("textbox", name="Token").fill("mustard")
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("does not know this token").wait_for()
        assert faults(page) == []
        page.get_by_role("textbox", name="Token").fill("opensesame")
        page.get_by_role("button", name="Continue").click()
        page.locator("body[data-ready]").wait_for()

        page.evaluate("sessionStorage.setItem('boxless-token', 'of yesterday')")
        drop(page, ("coffee.jpg", coffee.read_bytes()))
        page.get_by_text("does not know this token").wait_for()
        page.keyboard.press("Escape")
        page.get_by_text("A token is needed").wait_for()
        page.get_by_role("button", name="Try again").last.click()
        page.get_by_role("textbox", name="Token").fill("opensesame")
        page.get_by_role("button", name="Continue").click()
        page.locator("#tray .done").wait_for()


def test_the_page_of_the_interface_asks_for_the_token(page: Page) -> None:
    with running(LIMITS, token="opensesame") as guarded:
        page.set_default_timeout(PATIENCE)
        page.goto(f"http://127.0.0.1:{guarded.port}/api.html")
        page.get_by_role("textbox", name="Token").fill("opensesame")
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("min_probability").first.wait_for()


def test_a_share_is_never_rounded_to_none(page: Page, address: str, coffee: Path) -> None:
    def doubt(route: Route) -> None:
        told = route.fetch().json()
        told["predictions"][0]["boxes"][0]["score"] = 0.001
        route.fulfill(json=told)

    page.route("**/v1/locate", doubt)
    opened(page, address)
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator(".overlay text", has_text="espresso < 1 %").wait_for()


def test_the_classes_found_are_in_view(page: Page, address: str, coffee: Path) -> None:
    opened(page, address)
    page.set_viewport_size({"width": 390, "height": 700})
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    page.get_by_role("combobox", name="Search for a class").fill("dog")
    place = page.get_by_role("listbox", name="Classes found").bounding_box()
    assert place is not None and round(place["y"] + place["height"]) <= 700


def test_a_service_that_went_away(page: Page, coffee: Path) -> None:
    with running(LIMITS) as short_lived:
        opened(page, f"http://127.0.0.1:{short_lived.port}/")
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.get_by_text("The service does not answer").wait_for()
    assert page.get_by_role("button", name="Try again").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_accessibility(browser: Browser, address: str, coffee: Path, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    opened(page, address)
    assert faults(page) == []
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    page.get_by_label("Compare with").select_option("a second class")
    page.get_by_role("combobox", name="Search for a class").fill("tab")
    assert faults(page) == []
    page.get_by_role("combobox", name="Search for a class").press("Escape")
    drop(page, ("holiday.jpg", b"no picture"))
    page.locator("#tray .failed").wait_for()
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
    context.close()


def test_the_page_of_the_interface(page: Page, address: str) -> None:
    page.set_default_timeout(30_000)
    page.goto(address + "api.html")
    page.get_by_text("/v1/locate").first.wait_for()
    assert page.get_by_text("min_probability").count()
    assert page.get_by_text("`").count() == 0
    assert faults(page) == []
