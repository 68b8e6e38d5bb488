"""A real browser without a window: Debian's Chromium, or another one that is installed."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

MODULES = Path(__file__).parent / "node_modules"
"""Where the packages of package.json are, if they are installed."""

CAMERA = ("--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
"""What Chromium is started with: it has a camera that is none, and lends it."""

PATIENCE = 60_000
"""Milliseconds for what takes a blink on a machine that is not busy."""


def chromium() -> str:
    """The path of a Chromium; the test is skipped where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("BOXLESS_CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium to test the page in: apt-get install chromium, or set BOXLESS_CHROMIUM")
    return found


def module(path: str) -> Path:
    """A file of an npm package; the test is skipped where it is missing."""
    found = MODULES / path
    if not found.exists():
        pytest.skip(f"no {path.split('/')[0]}: npm install --no-package-lock --prefix tests/serve")
    return found


def opened(page: Page, address: str) -> list[str]:
    """Opens boxless's page; returns the addresses that it asks for, a list that grows."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator("body[data-ready]").wait_for()
    return asked


def held(page: Page, pattern: str) -> list[Route]:
    """Holds requests back from now on, to go on one by one: see `awaited` and `release`."""
    routes: list[Route] = []
    page.route(pattern, lambda route: routes.append(route))
    return routes


def awaited(page: Page, routes: list[Route]) -> Route:
    """The first request that is held back, once it is there; it is the caller's from then on."""
    for _ in range(PATIENCE // 20):
        if routes:
            break
        page.wait_for_timeout(20)
    return routes.pop(0)


def release(page: Page, routes: list[Route]) -> None:
    """Lets the first request that is held back go on, once it is there."""
    awaited(page, routes).continue_()


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Drops files, (name, content) each, on the page."""
    page.evaluate(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, content] of files) {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
            }
            for (const kind of ["dragover", "drop"]) {
                const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
                document.body.dispatchEvent(new DragEvent(kind, how));
            }
        }""",
        [[name, base64.b64encode(content).decode()] for name, content in files],
    )


def faults(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is, of any impact."""
    # Playwright's own way around the content security policy.
    page.evaluate(module("axe-core/axe.min.js").read_text(encoding="utf-8") + "\n;0")
    found = page.evaluate("axe.run()")
    return [
        f"{each['id']}: {node['html'][:150]} {node['any'][0]['message'] if node['any'] else ''}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
