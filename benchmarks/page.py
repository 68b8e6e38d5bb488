"""What an image takes on the page without a server, as its visitor sees it. python -m benchmarks.page

The page runs in Chromium without a window, in one thread; images are chosen as a visitor chooses them, and the times
are those that the page shows, from the file to the boxes of five classes. Processor time, which stands busy machines,
is of the thread in which the page processes images. Python does the same beside, in one thread, and its boxes are
compared. Needs Chromium, Playwright and onnxruntime-web (`make demo-page` fetches the last).
"""

from __future__ import annotations

import http.server
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.facts import DATA, write_results
from boxless import Localizer
from boxless.models.zoo import DEFAULT_MODEL, EIGHT_BIT_MODEL
from boxless.serve.alone import RUNTIME, find_runtime, write_alone
from boxless.system.cores import usable_cores

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
TARGETS = {"fast, median": 250.0}
PRESETS = ("fast", "balanced")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of a folder's files, for a while."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def images() -> list[Path]:
    """The images of the repository, and five photographs."""
    return [*sorted((ROOT / "examples/pictures").glob("*.jpg")), *islice(sorted((DATA / "photos").glob("*.*")), 5)]


def _shown(page: Page, files: Sequence[Path]) -> list[float]:
    """The milliseconds that the page shows for each image."""
    times = []
    for file in files:
        page.locator("#tray").get_by_role("button", name=file.name, exact=True).click()
        number, unit = page.locator("#verdict .took").inner_text().removeprefix("Took ").split()
        times.append(float(number) * {"s": 1000, "ms": 1}[unit])
    return times


def _worker_seconds() -> float:
    """The processor time of this process's descendants' threads in which pages run their workers."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        ours |= more
    total = 0.0
    for process in ours:
        for thread in Path(f"/proc/{process}/task").glob("*"):
            with suppress(OSError):
                if (thread / "comm").read_text().startswith("DedicatedWorker"):
                    fields = (thread / "stat").read_text().rpartition(")")[2].split()
                    total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


@dataclass(frozen=True)
class Seen:
    """What the page made of all images with one preset.

    Attributes:
        shown: the milliseconds that it shows for each but the first.
        used: the CPU milliseconds of the thread that processes them, for one.
        found: what it offers as JSON.
    """

    shown: list[float]
    used: float
    found: list[Any]


def in_the_browser(browser: Browser, address: str, files: Sequence[Path]) -> tuple[float, dict[str, Seen]]:
    """The milliseconds of the very first image, and what is seen by preset, each on a page of its own."""
    firsts, found = [], {}
    for preset in PRESETS:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(300_000)
        page.goto(address)
        page.locator("body[data-ready]").wait_for()
        page.locator("#files").set_input_files(files[:1])  # with the preset that the page begins with
        page.locator("#tray .done").wait_for()
        firsts += _shown(page, files[:1])
        page.get_by_role("radio", name=preset, exact=True).check()
        page.locator("#tray .done").wait_for()
        before = _worker_seconds()
        page.locator("#files").set_input_files(files[1:])
        page.locator("#tray .done").nth(len(files) - 1).wait_for()
        used = (_worker_seconds() - before) / (len(files) - 1) * 1e3
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        told = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
        found[preset] = Seen(_shown(page, files[1:]), used, told)
        page.context.close()
    return max(firsts), found


def in_python(model: str, preset: str, files: Sequence[Path]) -> tuple[float, list[Any]]:
    """The CPU milliseconds of an image in Python, one thread, and what is found in each."""
    localizer = Localizer(model, preset, threads=1)
    localizer.locate(files[0])
    start = time.process_time()
    found = [localizer.locate(file) for file in files]
    used = (time.process_time() - start) / len(files) * 1e3
    return used, [each.to_dict() for each in found]


def apart(ours: Sequence[Any], theirs: Sequence[Any]) -> float:
    """How far an edge of the first class's best box is from the other's, at most, in pixels; infinite without one."""
    most = 0.0
    for one, other in zip(ours, theirs, strict=True):
        first, second = one["predictions"][0], other["predictions"][0]
        if first["label"] != second["label"] or (first["box"] is None) != (second["box"] is None):
            return float("inf")
        if first["box"] is not None:
            most = max(most, float(np.abs(np.subtract(first["box"], second["box"])).max()))
    return most


def main() -> None:
    """Measures, prints and writes benchmarks/results/page.json."""
    from playwright.sync_api import sync_playwright

    files = images()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        runtime = find_runtime(None, ROOT / "tests/serve")
        sizes = {model: write_alone(model, Path(folder) / model, runtime) for model in (DEFAULT_MODEL, EIGHT_BIT_MODEL)}
        program = os.environ.get("BOXLESS_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        with served(Path(folder)) as address:
            for model, size in sizes.items():
                rows = {}
                first, seen = in_the_browser(browser, f"{address}{model}/", files)
                for preset, each in seen.items():
                    used, expected = in_python(model, preset, files)
                    rows[preset] = {
                        "page, median ms": float(np.median(each.shown)),
                        "page, worst ms": max(each.shown),
                        "page, processor ms": each.used,
                        "Python, processor ms": used,
                        "boxes apart, pixels": apart(each.found, expected),
                    }
                figures[model] = {"MB": size / 1e6, "page, first ms": first, "presets": rows}
        facts = {"browser": f"Chromium {browser.version}", "runtime": RUNTIME, "pictures": len(files)}
        browser.close()
    print(json.dumps(figures, indent=1))
    load = f"at a load of {os.getloadavg()[0]:.0f} at the end, on {usable_cores()} cores"
    write_results("page", {**facts, "beside": load, "figures": figures, "targets": TARGETS})


if __name__ == "__main__":
    main()
