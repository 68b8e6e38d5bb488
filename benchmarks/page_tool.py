"""The page as a tool, as somebody at it sees it. python -m benchmarks.page_tool

Drives the page of a `boxless serve` of this program's own in Chromium without a window: a newcomer's way from 60
images to a COCO file with three corrected boxes, the first result of a photograph of 12 megapixels, 60 photographs of
two sizes, the memory of the tab over 500 images, and how a folder of 10,000 images scrolls. The answers to smaller
uploads are compared with those to whole files. Times of wall clock are written with the load of the machine; processor
time, of the browser and the service together, stands busy machines.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.facts import DATA, read, write_results
from benchmarks.provenance import RESULTS
from benchmarks.serve import service
from boxless import Localizer
from boxless.models.zoo import quick_model
from boxless.system.cores import usable_cores

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
MINUTE = 60_000
PACE = 3.0
"""Seconds that a person takes to find and do the next thing: added for each action of the newcomer."""

TARGETS = {
    "newcomer, seconds": 180.0,
    "first result of 12 megapixels, seconds": 1.5,
    "60 photographs, seconds": 15.0,
}


def photographs() -> list[Path]:
    """The photographs of the data, and the images of the repository."""
    return [*sorted((DATA / "photos").glob("*.*")), *sorted((ROOT / "examples/pictures").glob("*.jpg"))]


def enlarged(folder: Path, count: int, size: tuple[int, int]) -> list[Path]:
    """Files of so many photographs, enlarged to (width, height) with the noise of a camera, as JPEG."""
    noise = np.random.default_rng(0).normal(0, 5, (size[1], size[0], 1)).astype(np.int16)
    folder.mkdir()
    made: list[Path] = []
    for i, path in enumerate(islice(cycle(photographs()), count)):
        file = folder / f"photo-{i:03d}.jpg"
        if i >= 12:  # as many different ones are enough
            shutil.copyfile(made[i % 12], file)
        else:
            pixels = np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.LANCZOS), np.int16)
            Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(file, quality=90)
        made.append(file)
    return made


def opened(browser: Browser, address: str) -> Page:
    """The page, ready, in a browser that knows nothing of it yet."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(10 * MINUTE)
    page.goto(address)
    page.locator("body[data-ready]").wait_for()
    return page


def done(page: Page, count: int) -> None:
    """Waits until so many images are worked on."""
    words = f"{count} images" if count > 1 else "1 image"
    page.locator("#progress", has_text=words).wait_for()


def newcomer(browser: Browser, address: str, files: Sequence[Path]) -> dict[str, float]:
    """From an empty page to a COCO file with three corrected boxes: seconds, and how many actions it took."""
    start = time.perf_counter()
    page = opened(browser, address)
    actions = 1
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose images").click()
    chooser.value.set_files(files)
    for file in files[:3]:  # while the rest is still worked on
        page.locator(f"#tray .done[title='{file.name}']").click()
        page.locator(f"#stage canvas[aria-label^='{file.name}']").wait_for()
        box = page.locator(".overlay .box").first
        box.wait_for()
        box.click()
        handle = page.locator(".handle.se").bounding_box()
        assert handle is not None
        x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x - 15, y - 10, steps=4)
        page.mouse.move(x - 30, y - 20, steps=4)
        page.mouse.up()
        page.locator(".overlay .corrected").first.wait_for()
        actions += 3  # an image, its box, the corner
    done(page, len(files))
    with page.expect_download() as download:
        page.get_by_role("button", name="COCO").click()
    actions += 1
    told = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    corrected = sum(each.get("corrected", False) for each in told["annotations"])
    if corrected != 3 or len(told["images"]) != len(files):
        raise SystemExit(f"{corrected} corrected boxes in {len(told['images'])} images (expected 3 in {len(files)})")
    seconds = time.perf_counter() - start
    page.context.close()
    return {"machine, seconds": seconds, "actions": actions}


def first_result(browser: Browser, address: str, file: Path) -> tuple[float, float]:
    """Seconds from choosing a file to reading what is in it, of wall clock and of processors."""
    page = opened(browser, address)
    page.wait_for_timeout(500)  # what opening the page leaves to be done
    start, used = time.perf_counter(), _processor()
    page.locator("#files").set_input_files(file)
    page.locator("#verdict .name").wait_for()
    seconds = time.perf_counter() - start, _processor() - used
    page.context.close()
    return seconds


def all_results(browser: Browser, address: str, files: Sequence[Path]) -> dict[str, float]:
    """Seconds from choosing files to the last result."""
    page = opened(browser, address)
    start, used = time.perf_counter(), _processor()
    page.locator("#files").set_input_files(list(files))
    done(page, len(files))
    seconds, processor = time.perf_counter() - start, _processor() - used
    page.context.close()
    return {"seconds": seconds, "processor seconds": processor}


def _family() -> set[int]:
    """This process and its descendants: the browser and the service."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    ours = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return ours


def _processor(of: bytes = b"") -> float:
    """Processor seconds that the browser and the service have used so far; `of` is a part of a process's command."""
    total = 0.0
    for process in _family():
        with contextlib.suppress(OSError):
            if of not in Path(f"/proc/{process}/cmdline").read_bytes():
                continue
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def _resident() -> float:
    """MB that the largest tab takes."""
    sizes = [0.0]
    for process in _family():
        with contextlib.suppress(OSError):
            if b"--type=renderer" in Path(f"/proc/{process}/cmdline").read_bytes():
                lines = Path(f"/proc/{process}/status").read_text().splitlines()
                sizes.append(next(float(line.split()[1]) / 1e3 for line in lines if line.startswith("VmRSS")))
    return max(sizes)


def memory(browser: Browser, address: str, files: Sequence[Path], steps: Sequence[int]) -> dict[str, float]:
    """MB of the tab after so many images."""
    page = opened(browser, address)
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    found = {}
    before = 0
    for step in steps:
        page.locator("#files").set_input_files(list(files[before:step]))
        done(page, step)
        before = step
        session.send("HeapProfiler.collectGarbage")
        heap = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        found[f"{step} images, tab MB"] = _resident()
        found[f"{step} images, heap MB"] = heap
    page.context.close()
    return found


def scrolling(browser: Browser, address: str) -> dict[str, float]:
    """Milliseconds between frames while a folder is scrolled from its beginning to its end."""
    page = opened(browser, address)
    page.locator("#folder-images img").first.wait_for()
    used = _processor(b"--type=renderer")
    frames = page.evaluate(
        """async () => {
            const scroller = document.getElementById("folder-scroller");
            const times = [];
            for (let i = 0; i < 300; i++) {
                scroller.scrollTop += i < 200 ? 120 : scroller.scrollHeight / 110;
                times.push(await new Promise((resolve) => requestAnimationFrame(resolve)));
            }
            return times.slice(1).map((time, i) => time - times[i]);
        }"""
    )
    used = _processor(b"--type=renderer") - used
    start = time.perf_counter()
    page.locator("#folder-images img").nth(20).wait_for()
    elements = page.evaluate("document.querySelectorAll('#folder-images li').length")
    seconds = time.perf_counter() - start
    page.context.close()
    return {
        "frame, median ms": float(np.median(frames)),
        "frame, 95 % ms": float(np.percentile(frames, 95)),
        "frame, processor ms of the tab": 1e3 * used / len(frames),
        "elements": elements,
        "thumbnails after the last frame, seconds": seconds,
    }


def tolerance(browser: Browser, address: str, files: Sequence[Path]) -> dict[str, float]:
    """How far the answers to smaller uploads are from those to the whole files, at most, over files and presets."""
    page = opened(browser, address)
    page.locator("#files").set_input_files(list(files))
    done(page, len(files))
    edges, chances, labels, compared = [0.0], [0.0], 0, 0
    for preset in ("fast", "balanced", "best"):
        page.get_by_role("radio", name=preset, exact=True).check(force=True)
        done(page, len(files))
        with page.expect_download() as download:
            page.get_by_role("button", name="JSON").click()
        localizer = Localizer(quick_model(), preset)
        for told, file in zip(json.loads(Path(download.value.path()).read_text()), files, strict=True):
            whole, ours = localizer.locate(file), told["predictions"][0]
            best = whole.predictions[0]
            compared += 1
            if ours["label"] != best.label:
                labels += 1
                continue
            chances.append(abs(ours["probability"] - best.probability))
            if ours["box"] and best.box and len(ours["boxes"]) == len(best.boxes):
                longer = max(told["width"], told["height"])
                edges.append(float(np.abs(np.subtract(ours["box"], best.box.xyxy)).max()) / longer)
            elif bool(ours["box"]) != bool(best.box):
                labels += 1
    page.context.close()
    return {
        "compared": compared,
        "another class or no box": labels,
        "edges apart, median % of the longer side": 100 * float(np.median(edges[1:] or [0])),
        "edges apart, most, %": 100 * max(edges),
        "probabilities apart, most": max(chances),
    }


def of_images(browser: Browser, folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """What images take that are chosen in the browser."""
    small = list(islice(cycle(photographs()), 60))
    large = enlarged(folder / "large", 60, (4000, 3000))
    with service() as (port, _):
        address = f"http://127.0.0.1:{port}/"
        first_result(browser, address, small[0])  # the service and the browser are warm then
        firsts = [first_result(browser, address, large[i]) for i in range(5)]
        seconds, processor = np.median(firsts, axis=0)
        found = {"seconds": float(seconds), "processor seconds": float(processor), "least seconds": min(firsts)[0]}
        yield "first result of 12 megapixels, median", found
        yield "60 photographs", all_results(browser, address, small)
        yield "newcomer", newcomer(browser, address, small)
        yield "smaller uploads", tolerance(browser, address, large[:12])
        yield "60 photographs of 12 megapixels", all_results(browser, address, large)


def of_a_folder(browser: Browser, folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """What a folder of 10,000 images on the service's machine takes."""
    files = enlarged(folder / "images", 12, (1600, 1200))
    many = folder / "many"
    for i in range(10_000):
        target = many / str(i // 1000) / f"{i:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(files[i % 12], target)
    with service("--folder", str(many)) as (port, _):
        yield "scrolling a folder of 10,000", scrolling(browser, f"http://127.0.0.1:{port}/")


def of_memory(browser: Browser, folder: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """What 500 images leave in the tab."""
    files = enlarged(folder / "images", 500, (1600, 1200))
    with service("--preset", "fast") as (port, _):
        yield "memory", memory(browser, f"http://127.0.0.1:{port}/", files, (100, 300, 500))


PARTS = {"folder": of_a_folder, "images": of_images, "memory": of_memory}


def main() -> None:
    """Measures, prints and writes benchmarks/results/page_tool.json; parts that are not named stay as they are."""
    from playwright.sync_api import sync_playwright

    parts = sys.argv[1:] or list(PARTS)
    figures: dict[str, Any] = read("page_tool")["figures"] if (RESULTS / "page_tool.json").exists() else {}
    with sync_playwright() as playwright:
        program = os.environ.get("BOXLESS_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for part in parts:
            with tempfile.TemporaryDirectory() as folder:
                for name, found in PARTS[part](browser, Path(folder)):
                    figures[name] = {**found, "load": os.getloadavg()[0]}
                    print(f"{name}: {figures[name]}", flush=True)
            loads = [each["load"] for each in figures.values()]
            beside = f"at a load of {min(loads):.0f} to {max(loads):.0f}, on {usable_cores()} cores"
            facts = {"browser": f"Chromium {browser.version}", "beside": beside}
            write_results("page_tool", {**facts, "figures": figures, "targets": TARGETS}, part=part, parts=PARTS)
        browser.close()


if __name__ == "__main__":
    main()
