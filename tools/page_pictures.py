"""Pictures of the page for docs/serve.md: docs/images/serve_*.jpg. python -m tools.page_pictures

Starts a service of its own and looks at it with Chromium (BOXLESS_CHROMIUM, or `chromium` on the path).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve import service
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = [ROOT / "examples/pictures" / name for name in ("coffee.jpg", "chelsea.jpg", "rocket.jpg")]


@dataclass(frozen=True)
class Shot:
    """One picture: of what, how wide and high, and whether it is dark."""

    name: str
    size: tuple[int, int]
    scheme: str
    state: str


SHOTS = (
    Shot("desktop_light", (1280, 880), "light", "found"),
    Shot("desktop_dark", (1280, 880), "dark", "compare"),
    Shot("many", (1280, 1240), "light", "many"),
    Shot("folder", (1280, 880), "light", "folder"),
    Shot("phone_light", (390, 844), "light", "empty"),
    Shot("phone_dark", (390, 844), "dark", "found"),
)


def take(browser: Browser, address: str, shot: Shot, files: list[Path]) -> None:
    """Brings the page into a state and photographs it; `files` are many images."""
    phone = shot.size[0] < 500
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.scheme == "dark" else "light",
        device_scale_factor=2 if phone else 1,
        is_mobile=phone,
        has_touch=phone,
    )
    page = context.new_page()
    page.goto(address)
    page.locator("body[data-ready]").wait_for(timeout=60_000)
    if shot.state == "folder":
        page.locator("#folder-images img").nth(11).wait_for(timeout=60_000)
        page.locator("#folder-progress", has_text="preset").wait_for(timeout=300_000)
    elif shot.state == "many":
        _correct(page, files)
    elif shot.state != "empty":
        _look(page, side_by_side=shot.state == "compare")
    page.screenshot(path=ROOT / f"docs/images/serve_{shot.name}.jpg", type="jpeg", quality=84)
    context.close()


def _look(page: Page, side_by_side: bool) -> None:
    page.locator("#files").set_input_files(IMAGES)
    page.locator("#tray .done").nth(len(IMAGES) - 1).wait_for(timeout=120_000)
    # Again, with all models warm: the time on the page is that of one look.
    page.get_by_role("radio", name="fast").check(force=True)
    page.locator("#tray .done").nth(len(IMAGES) - 1).wait_for(timeout=120_000)
    page.get_by_role("radio", name="balanced").check(force=True)
    page.locator("#tray .done").nth(len(IMAGES) - 1).wait_for(timeout=120_000)
    if side_by_side:
        page.get_by_label("Compare with").select_option("a second class")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def variants(folder: Path) -> list[Path]:
    """Files of the repository's pictures, of parts of them, and of these mirrored: what may be shown in the docs."""
    made = []
    for number, share in enumerate((1.0, 0.86, 0.74, 0.64)):
        for path in IMAGES:
            with Image.open(path) as opened:
                image = opened.convert("RGB")
            width, height = image.size
            left, top = round((1 - share) * width / 2), round((1 - share) * height / 2)
            part = image.crop((left, top, width - left, height - top))
            for suffix, each in (("", part), ("-mirrored", ImageOps.mirror(part))):
                made.append(folder / f"{path.stem}-{number + 1}{suffix}.jpg")
                each.save(made[-1], quality=92)
    return sorted(made)


def _correct(page: Page, files: list[Path]) -> None:
    """Many images, and a corrected box of the first one."""
    page.locator("#files").set_input_files(files)
    page.locator("#progress", has_text=f"{len(files)} images").wait_for(timeout=300_000)
    page.locator(".overlay .box").first.focus()
    page.keyboard.press("Enter")
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def main() -> None:
    """Takes all of them."""
    chromium = os.environ.get("BOXLESS_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name) / "holiday"
        folder.mkdir()
        files = variants(folder)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shown in (False, True):
            with service(*(["--folder", str(folder)] if shown else [])) as (port, _):
                for shot in SHOTS:
                    if (shot.state == "folder") == shown:
                        take(browser, f"http://127.0.0.1:{port}/", shot, files)
        browser.close()


if __name__ == "__main__":
    main()
