"""Pictures of the page for docs/serve.md: docs/images/serve_*.jpg. python -m tools.page_pictures

Starts a service of its own and looks at it with Chromium (BOXLESS_CHROMIUM, or `chromium` on the path).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve import service
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
    Shot("phone_light", (390, 844), "light", "empty"),
    Shot("phone_dark", (390, 844), "dark", "found"),
)


def take(browser: Browser, address: str, shot: Shot, out: Path) -> None:
    """Brings the page into a state and photographs it."""
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
    if shot.state != "empty":
        _look(page, side_by_side=shot.state == "compare")
    page.screenshot(path=out / f"serve_{shot.name}.jpg", type="jpeg", quality=84)
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
        page.get_by_label("Beside it").select_option("a second class")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def main() -> None:
    """Takes all of them."""
    chromium = os.environ.get("BOXLESS_CHROMIUM") or shutil.which("chromium")
    with service() as (port, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shot in SHOTS:
            take(browser, f"http://127.0.0.1:{port}/", shot, ROOT / "docs/images")
        browser.close()


if __name__ == "__main__":
    main()
