"""The page without a server, in a real browser with the network off."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from benchmarks.page import served
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.imaging import profiles
from tests.serve.browsing import PATIENCE, drop, faults, held, module, opened, release

from boxless import Localizer
from boxless.imaging.read import read_image
from boxless.models.zoo import DEFAULT_MODEL, EIGHT_BIT_MODEL
from boxless.serve.alone import find_runtime, write_alone

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent.parent
MODELS = [DEFAULT_MODEL, EIGHT_BIT_MODEL]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of files that has the page of each model in a folder of its name, two levels down."""
    runtime = find_runtime(module("onnxruntime-web"), Path.cwd())
    folder = tmp_path_factory.mktemp("site")
    for model in MODELS:
        write_alone(model, folder / "some/where" / model, runtime, [ROOT / "examples/pictures/chelsea.jpg"])
    with served(folder) as address:
        yield f"{address}some/where/"


@pytest.mark.parametrize("model", MODELS)
def test_it_runs_with_the_network_off_and_agrees(page: Page, site: str, images: Path, model: str) -> None:
    asked = opened(page, f"{site}{model}/")
    assert "never leave this device" in page.locator("#privacy").inner_text()
    page.context.set_offline(True)
    page.get_by_label("Heatmap")
    paths = (images / "coffee.jpg", images / "chelsea.jpg", images / "rocket.jpg")
    drop(page, *((path.name, path.read_bytes()) for path in paths))
    page.locator("#tray .done").nth(2).wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"
    assert "Took" in page.locator("#verdict").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    told = json.loads(Path(download.value.path()).read_text())
    localizer = Localizer(model, threads=1)
    for got, path in zip(told, paths, strict=True):
        expected = localizer.locate(path)
        assert (got["width"], got["height"]) == (expected.width, expected.height)
        prediction, best = got["predictions"][0], expected.predictions[0]
        assert prediction["label"] == best.label
        assert prediction["probability"] == pytest.approx(best.probability, abs=0.002)
        assert prediction["detected"] == best.detected
        assert prediction["box"] == (best.box and pytest.approx(best.box.xyxy, abs=1))
    assert told[0]["predictions"][0]["box"]
    drop(page, ("holiday.jpg", b"no picture"))
    page.get_by_text("holiday.jpg: not an image").wait_for()
    assert all(url.startswith((f"{site}{model}/", "blob:", "data:")) for url in asked)


def test_all_presets_and_containers_agree(page: Page, site: str, images: Path, tmp_path: Path) -> None:
    """Within a pixel of Python's boxes."""
    opened(page, f"{site}{EIGHT_BIT_MODEL}/")
    files = []
    with Image.open(images / "chelsea.jpg") as image:
        for suffix in (".png", ".gif", ".bmp"):
            files.append(tmp_path / f"chelsea{suffix}")
            image.save(files[-1])
        files.append(tmp_path / "chelsea.webp")
        image.save(files[-1], lossless=True)
        for suffix in (".webp", ".avif"):
            files.append(tmp_path / f"chelsea-80{suffix}")
            image.save(files[-1], quality=80)
        turned = tmp_path / "turned.jpg"
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(turned, quality=95, exif=exif)
        files.append(turned)
        grey = tmp_path / "grey.png"
        image.convert("L").save(grey)
        files.append(grey)
    # Containers differ in how they are decoded, presets in what follows: two images see all presets.
    shown = files[-2:]
    page.locator("#files").set_input_files(shown)
    for preset in ("balanced", "best", "fast"):
        page.get_by_role("radio", name=preset).check()
        if preset == "fast":
            page.locator("#files").set_input_files(files[:-2])
            shown = [*shown, *files[:-2]]
        page.locator("#tray .done").nth(len(shown) - 1).wait_for(timeout=3 * PATIENCE)
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        localizer = Localizer(EIGHT_BIT_MODEL, preset, threads=1)
        for got, path in zip(json.loads(Path(download.value.path()).read_text()), shown, strict=True):
            expected = localizer.locate(path)
            assert (got["width"], got["height"]) == (expected.width, expected.height), path.name
            best = expected.predictions[0]
            assert got["predictions"][0]["label"] == best.label, (preset, path.name)
            assert got["predictions"][0]["box"] == (best.box and pytest.approx(best.box.xyxy, abs=1)), (
                preset,
                path.name,
            )


def test_a_photograph_with_a_wide_gamut_agrees(page: Page, site: str, data: Path) -> None:
    """Within a pixel of Python's box; where the browser converted its colours, an edge was two pixels away."""
    opened(page, f"{site}{DEFAULT_MODEL}/")
    photograph = data / "photos/n01751748_sea_snake.JPEG"
    page.locator("#files").set_input_files(photograph)
    page.locator("#tray .done").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    got = json.loads(Path(download.value.path()).read_text())
    best = Localizer(DEFAULT_MODEL, threads=1).locate(photograph).predictions[0]
    assert best.box
    assert got["predictions"][0]["label"] == best.label
    assert got["predictions"][0]["box"] == pytest.approx(best.box.xyxy, abs=1)


DECODED = """async ([content, unable]) => {
    if (unable) {
        const plain = createImageBitmap;
        globalThis.createImageBitmap = (file) => plain(file);
    }
    const { decoded } = await import(unable ? "./decode.js?unable" : "./decode.js");
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    return Array.from((await decoded(new File([bytes], "image")))[0].data);
}"""
"""The pixels of a file in a browser; also in one that always converts colours itself."""


def test_pixels_are_those_of_python(page: Page, site: str, coffee: Path) -> None:
    wide = profiles.rgb(profiles.ADOBE, profiles.gamma(2.2))
    grey = profiles.grey(profiles.gamma(1.8))
    with Image.open(coffee) as image:
        small = image.convert("RGB").resize((60, 40))
    transparent = small.copy()
    transparent.putalpha(Image.linear_gradient("L").resize(small.size))
    alone = small.convert("L")
    linear = PngInfo()
    linear.add(b"gAMA", (100_000).to_bytes(4, "big"))
    stored: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (small, "JPEG", {"icc_profile": wide}),
        (small, "PNG", {"pnginfo": linear}),
        (transparent, "PNG", {"icc_profile": wide}),
        (transparent, "WEBP", {"icc_profile": wide, "lossless": True}),
        (small, "AVIF", {"icc_profile": wide}),
        (alone, "JPEG", {"icc_profile": grey}),
        (alone, "JPEG", {"icc_profile": wide}),
    ]
    page.goto(f"{site}{DEFAULT_MODEL}/model.json")
    for unable in (False, True):
        for each, container, options in stored[:1] if unable else stored:
            file = io.BytesIO()
            each.save(file, container, **options)
            got = page.evaluate(DECODED, [base64.b64encode(file.getvalue()).decode(), unable])
            expected = read_image(file.getvalue()).pixels
            difference = np.reshape(got, (*expected.shape[:2], 4))[..., :3] - expected.astype(int)
            assert np.abs(difference).max() <= unable, (container, each.mode)


def test_images_that_come_before_the_model(page: Page, site: str, coffee: Path) -> None:
    page.set_default_timeout(PATIENCE)
    routes = held(page, "**/model.onnx")
    page.goto(f"{site}{EIGHT_BIT_MODEL}/")
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.get_by_text("The image waits for the model").wait_for()
    release(page, routes)
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "espresso"


def test_it_is_accessible(page: Page, site: str, coffee: Path) -> None:
    opened(page, f"{site}{DEFAULT_MODEL}/")
    assert faults(page) == []
    drop(page, ("coffee.jpg", coffee.read_bytes()))
    page.locator("#tray .done").wait_for()
    assert faults(page) == []


def test_it_offers_examples(page: Page, site: str) -> None:
    opened(page, f"{site}{EIGHT_BIT_MODEL}/")
    page.get_by_role("button", name="chelsea").click()
    page.locator("#tray .done").wait_for()
    assert page.locator("#verdict .name").inner_text() == "Egyptian cat"
    assert page.locator("#tray").get_by_role("button", name="chelsea.jpg").is_visible()
