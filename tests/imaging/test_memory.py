"""Decoding takes little memory, bounded over all threads, and gives it back."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxless.imaging import read
from boxless.imaging.memory import ByteBudget, decoding_bytes
from boxless.imaging.read import read_image


def test_no_more_than_the_limit_is_under_way() -> None:
    budget = ByteBudget(100)
    under_way, most, lock = 0, 0, threading.Lock()

    def work(count: int) -> None:
        nonlocal under_way, most
        with budget.take(count):
            with lock:
                under_way += count
                most = max(most, under_way)
            time.sleep(0.002)
            with lock:
                under_way -= count

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [40, 60, 30, 100, 10, 90] * 5))
    assert 60 < most <= 100
    with budget.take(100):  # all of it is free again
        pass


def test_what_is_larger_than_the_limit_waits_until_it_is_alone() -> None:
    budget, order = ByteBudget(100), []

    def large() -> None:
        with budget.take(1000):
            order.append("large")

    def small() -> None:
        with budget.take(10):
            order.append("small")

    with budget.take(50):
        threads = [threading.Thread(target=each) for each in (large, small)]
        for thread in threads:
            thread.start()
            time.sleep(0.05)
        assert order == []  # in turn: the small one does not overtake for ever
    for thread in threads:
        thread.join(5)
    assert order == ["large", "small"]


def test_room_is_free_again_after_an_error() -> None:
    budget = ByteBudget(100)
    with pytest.raises(ZeroDivisionError), budget.take(100):
        1 / 0  # noqa: B018
    with budget.take(100):
        pass


def test_a_reduced_jpeg_takes_less(tmp_path: Path) -> None:
    image = Image.new("RGB", (800, 800))
    image.save(tmp_path / "plain.jpg")
    image.save(tmp_path / "progressive.jpg", progressive=True)
    with Image.open(tmp_path / "plain.jpg") as plain, Image.open(tmp_path / "progressive.jpg") as progressive:
        assert decoding_bytes(plain, 8) * 64 == decoding_bytes(plain)
        assert decoding_bytes(progressive, 8) > decoding_bytes(plain, 8) + 800 * 800 * 3


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "L", "CMYK", "I;16"])
@pytest.mark.parametrize("enough", [None, 16])
def test_strips_make_the_same_image(
    mode: str, enough: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (83, 71, 4), np.uint8)
    image = Image.fromarray(values[..., 0].astype(np.uint16) * 256) if mode == "I;16" else Image.fromarray(values)
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    (image if mode == "I;16" else image.convert(mode)).save(path)
    whole = read_image(path, enough=enough).pixels
    monkeypatch.setattr(read, "_STRIP", 400)
    assert np.array_equal(read_image(path, enough=enough).pixels, whole)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and memory is given back with glibc")
def test_a_bomb_takes_little_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("RGBA", (6000, 6000), (10, 20, 30, 128)).save(path)
    program = f"""
import resource
from pathlib import Path
from boxless.imaging.read import read_image
held = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
before = held()
read_image({str(path)!r}, enough=224)
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(before, int(peak.split()[1]) * 1024, held())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, peak, after = map(int, done.stdout.split())
    assert peak - before < 6 * 6000 * 6000  # four bytes a pixel, and one strip
    assert after < 1.2 * before
