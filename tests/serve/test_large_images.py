"""Large images: one is decoded at a time, and nobody else waits for a row of them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.serve.running import LIMITS, Running, running
from tests.serve.test_load import until

from boxless.serve.limits import Limits
from boxless.serve.service import decoded_bytes


def encoded(mode: str, width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [("RGB", "PNG", 3), ("RGBA", "PNG", 4), ("L", "PNG", 3), ("1", "PNG", 3), ("P", "PNG", 4), ("I;16", "PNG", 2),
     ("CMYK", "JPEG", 4), ("F", "TIFF", 12), ("RGB", "JPEG", 3)],
)  # fmt: skip
def test_sizes_are_read_off_headers(mode: str, kind: str, expected: int) -> None:
    assert decoded_bytes(encoded(mode, 30, 20, kind)) == 600 * expected


def test_what_is_no_image_has_no_size() -> None:
    assert decoded_bytes(b"") == decoded_bytes(b"no image") == 0
    assert decoded_bytes(encoded("RGB", 30, 20)[:20]) == 0


LARGE = encoded("RGB", 700, 700)


@contextmanager
def held(service: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[bool], Callable[[], None]]]:
    """Makes locating wait; the list says of each image that is begun whether it is large."""
    begun: list[bool] = []
    going = threading.Semaphore(0)
    localizer = service.service.models[None].default
    locate = localizer.locate

    def waits(image: io.BytesIO, *options: object) -> object:
        begun.append(image.getbuffer().nbytes == len(LARGE))
        assert going.acquire(timeout=20)
        return locate(image, *options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(localizer, "locate", waits)
        try:
            yield begun, going.release
        finally:
            going.release(100)


def few(workers: int, **more: int) -> Limits:
    return replace(LIMITS, workers=workers, large_bytes=1_000_000, **more)


def test_ordinary_images_pass_a_row_of_large_ones(coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(few(2)) as service, held(service, monkeypatch) as (begun, let_go), ThreadPoolExecutor(6) as pool:
        workers = service.service.workers
        large = [pool.submit(service.ask, "/v1/locate", LARGE) for _ in range(4)]
        until(lambda: workers.waiting == 3)
        assert begun == [True], "one at a time, though a worker is free"
        ordinary = pool.submit(service.ask, "/v1/locate", coffee.read_bytes())
        until(lambda: len(begun) == 2)
        assert begun == [True, False]
        for _ in range(5):
            let_go()
        assert ordinary.result().status == 200
        assert [each.result().status for each in large] == [200] * 4


def test_a_single_worker_takes_turns(coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(few(1)) as service, held(service, monkeypatch) as (begun, let_go), ThreadPoolExecutor(6) as pool:
        workers = service.service.workers
        large = [pool.submit(service.ask, "/v1/locate", LARGE) for _ in range(3)]
        until(lambda: workers.waiting == 2)
        ordinary = pool.submit(service.ask, "/v1/locate", coffee.read_bytes())
        until(lambda: workers.waiting == 3)
        for _ in range(4):
            let_go()
        assert [each.result().status for each in (*large, ordinary)] == [200] * 4
        assert begun == [True, False, True, True]


def test_large_images_do_not_fill_the_queue(coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = few(1, queue=8, large_queue=2)
    with running(limits) as service, held(service, monkeypatch) as (_, let_go), ThreadPoolExecutor(6) as pool:
        workers = service.service.workers
        large = [pool.submit(service.ask, "/v1/locate", LARGE) for _ in range(3)]
        until(lambda: workers.waiting == 2)
        refused = service.ask("/v1/locate", LARGE)
        assert (refused.status, refused.kind) == (503, "queue-full")
        assert "as large as this one" in refused.json["detail"]
        ordinary = pool.submit(service.ask, "/v1/locate", coffee.read_bytes())
        until(lambda: workers.waiting == 3)
        for _ in range(4):
            let_go()
        assert [each.result().status for each in (*large, ordinary)] == [200] * 4
