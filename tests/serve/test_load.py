"""Load: what is too much is refused, and nothing is lost by it."""

from __future__ import annotations

import http.client
import io
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.serve.running import LIMITS, Answer, Running, running
from typer.testing import CliRunner

from boxless import BoxlessError
from boxless.cli import app
from boxless.models.zoo import DEFAULT_MODEL
from boxless.serve.server import Server

HURRIED = replace(LIMITS, workers=1, queue=1, head_seconds=0.5, body_seconds=0.5, body_bytes=200_000, connections=8)


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    """A service with one worker, one place in the queue and no patience."""
    with running(HURRIED) as started:
        yield started


@contextmanager
def busy(service: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Makes locating wait until it is let go."""
    going = threading.Event()
    localizer = service.service.models[None].default
    locate = localizer.locate

    def waits(*arguments: object, **named: object) -> object:
        assert going.wait(20)
        return locate(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(localizer, "locate", waits)
    try:
        yield going.set
    finally:
        going.set()


def until(condition: Callable[[], bool]) -> None:
    """Waits for what other threads do."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it never happens"
        time.sleep(0.01)


def test_a_full_queue_refuses_and_recovers(small: Running, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = coffee.read_bytes()
    workers = small.service.workers
    with busy(small, monkeypatch) as let_go, ThreadPoolExecutor(2) as pool:
        taken = [pool.submit(small.ask, "/v1/locate", content) for _ in range(2)]
        until(lambda: (workers.running, workers.waiting) == (1, 1))
        refused = small.ask("/v1/locate", content)
        assert (refused.status, refused.kind) == (503, "queue-full")
        assert int(refused.headers["retry-after"]) >= 1
        assert small.ask("/health/live").status == 200
        assert small.counter("boxless_images_waiting") == 1
        let_go()
        assert [each.result().status for each in taken] == [200, 200]
    assert small.counter('boxless_refusals_total{kind="queue-full"}') >= 1
    assert small.ask("/v1/locate", content).status == 200


def test_who_hangs_up_leaves_the_queue(small: Running, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, content = small.service.workers, coffee.read_bytes()
    gone = small.counter("boxless_clients_gone_total")
    with busy(small, monkeypatch) as let_go, ThreadPoolExecutor(1) as pool:
        first = pool.submit(small.ask, "/v1/locate", content)
        until(lambda: workers.running == 1)
        second = http.client.HTTPConnection("127.0.0.1", small.port)
        second.request("POST", "/v1/locate", content)
        until(lambda: workers.waiting == 1)
        second.close()
        until(lambda: workers.waiting == 0)
        let_go()
        assert first.result().status == 200
    assert small.counter("boxless_clients_gone_total") == gone + 1


def test_an_answer_that_takes_too_long(coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(replace(LIMITS, answer_seconds=0.2)) as impatient, busy(impatient, monkeypatch):
        answer = impatient.ask("/v1/locate", coffee.read_bytes())
        assert (answer.status, answer.kind) == (503, "took-too-long")


def test_an_error_inside_is_a_problem_and_no_worker_is_lost(
    small: Running, coffee: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of our own making")

    with monkeypatch.context() as patched:
        patched.setattr(small.service.models[None].default, "locate", fails)
        for _ in range(3):
            answer = small.ask("/v1/locate", coffee.read_bytes())
            assert (answer.status, answer.kind) == (500, "internal-error")
            assert "making" not in answer.json["detail"]
    assert "of our own making" in caplog.text
    assert small.ask("/v1/locate", coffee.read_bytes()).status == 200


def test_memory_that_runs_out(small: Running, coffee: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(small.service.models[None].default, "locate", fails)
    assert small.ask("/v1/locate", coffee.read_bytes()).kind == "out-of-memory"


def test_large_bodies_are_cut_off_and_told_why(small: Running) -> None:
    assert small.ask("/v1/locate", bytes(5_000_000)).kind == "body-too-large"

    def pieces() -> Iterator[bytes]:  # of a length that is not announced
        for _ in range(100):
            yield bytes(10_000)

    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=10)
    connection.request("POST", "/v1/locate", pieces(), {"Content-Type": "image/jpeg"})
    assert connection.getresponse().status == 413
    connection.close()


def raw(service: Running, first: bytes, then: bytes = b"", every: float = 0.1, seconds: float = 8) -> bytes:
    """What a client gets that sends some bytes, and then others, slowly, one at a time."""
    got = b""
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.settimeout(every)
        client.sendall(first)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if then:
                    client.sendall(then)
                if not (data := client.recv(65536)):
                    return got
                got += data
            except TimeoutError:
                continue
            except OSError:  # it is cut off
                return got
    raise AssertionError(f"still connected after {seconds} s, with {got!r}")


HEAD = b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"


@pytest.mark.parametrize(
    ("first", "then"),
    [(b"", b""), (b"GET / HT", b""), (HEAD, b"X"), (HEAD + b"Content-Length: 9000\r\n\r\n", b"x")],
    ids=["silence", "half a line", "a head without an end", "a body, byte by byte"],
)
def test_slow_clients_are_cut_off(small: Running, first: bytes, then: bytes) -> None:
    got = raw(small, first, then)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert b"urn:boxless:problem:too-slow" in got


@pytest.fixture(scope="module")
def waits_little() -> Iterator[Running]:
    """A service that waits one second for readers."""
    with running(replace(LIMITS, write_seconds=1)) as started:
        yield started


def read_slowly(service: Running, *, pause: float, pieces: int) -> int:
    """The bytes that one gets of a drawn image of many megabytes who reads a little and then pauses."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (2400, 3200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG", quality=60)
    content = file.getvalue()
    head = "POST /v1/locate?preset=fast HTTP/1.1\r\nHost: localhost\r\nAccept: image/jpeg\r\nContent-Length: "
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(f"{head}{len(content)}".encode() + b"\r\nConnection: close\r\n\r\n" + content)
        got, end = bytearray(), time.monotonic() + 60
        while time.monotonic() < end:
            try:
                data = client.recv(1_000_000 if pieces <= 0 else 65536)
            except ConnectionError:
                break
            if not data:
                break
            got += data
            pieces -= 1
            if pieces >= 0:
                time.sleep(pause)
    announced = int(re.search(rb"content-length: (\d+)", got)[1])  # type: ignore[index]
    return announced - (len(got) - got.index(b"\r\n\r\n") - 4)


def test_who_reads_slowly_gets_all_of_it(waits_little: Running) -> None:
    assert read_slowly(waits_little, pause=0.2, pieces=20) == 0, "4 s, four times what one may take nothing for"


def test_who_reads_nothing_is_cut_off(waits_little: Running) -> None:
    assert read_slowly(waits_little, pause=3, pieces=1) > 0


def test_what_is_no_http(small: Running) -> None:
    got = raw(small, b"\x16\x03\x01 hello\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in got


def test_too_many_connections(small: Running) -> None:
    held = [socket.create_connection(("127.0.0.1", small.port)) for _ in range(HURRIED.connections)]
    try:
        assert b"too-many-connections" in raw(small, b"")
    finally:
        for each in held:
            each.close()
    until(lambda: small.ask("/health/live").status == 200)


def test_connections_are_kept(small: Running, coffee: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", small.port, timeout=10)
    for body, status in ((coffee.read_bytes(), 200), (b"no picture", 422), (coffee.read_bytes(), 200)):
        connection.request("POST", "/v1/locate", body)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
        assert connection.sock is not None, "it was closed"
    connection.close()


def test_tokens(coffee: Path) -> None:
    with running(token="opensesame") as guarded:
        for authorization in ({}, {"authorization": "Bearer other"}, {"authorization": "opensesame"}):
            answer: Answer = guarded.ask("/v1/locate", coffee.read_bytes(), **authorization)
            kind = "wrong-token" if authorization else "no-token"
            assert (answer.status, answer.kind) == (401, kind)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path in ("/v1/models", "/metrics", "/openapi.json"):
            assert guarded.ask(path).status == 401
        for path in ("/health/live", "/health/ready", "/"):
            assert guarded.ask(path).status == 200
        assert guarded.ask("/v1/locate", coffee.read_bytes(), authorization="Bearer opensesame").status == 200


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/v1/models", "/health/ready", "/metrics", "/openapi.json", "/nowhere"]
)
def test_head_is_get_without_the_body(service: Running, path: str) -> None:
    head, get = service.ask(path, method="HEAD"), service.ask(path)
    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    if path != "/metrics":  # it counts these requests
        assert head.headers["content-length"] == str(len(get.body))


def test_unknown_paths_and_methods(service: Running) -> None:
    assert service.ask("/v1/locate", method="HEAD").status == 405
    assert service.ask("/nowhere").kind == "not-found"
    assert service.ask("/v1/locate", method="GET").kind == "method-not-allowed"
    assert service.ask("/../pyproject.toml").kind == "not-found"
    assert service.ask("/%2e%2e/%2e%2e/pyproject.toml").kind == "not-found"


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`boxless serve` as users start it, and what it says until it serves."""
    code = "from boxless.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", *arguments]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        said: list[str] = []
        while not any("boxless serves" in line for line in said):
            line = started.stderr.readline()
            assert line, said
            said.append(line)
        try:
            yield started, said
        finally:
            started.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_the_process_finishes_what_it_began(coffee: Path) -> None:
    with process("--workers", "1") as (started, said):
        assert len(said) == 1, "no warning for the loopback"
        port = int(said[0].split("http://127.0.0.1:")[1].split()[0])
        content = coffee.read_bytes()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.putrequest("POST", "/v1/locate")
        connection.putheader("Content-Length", str(len(content)))
        connection.endheaders(content[:1000])
        with socket.create_connection(("127.0.0.1", port)) as other:  # when it answers, the first one is taken
            other.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.recv(100).startswith(b"HTTP/1.1 200 ")
        started.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.send(content[1000:])
        answer = connection.getresponse()
        assert answer.status == 200
        assert b"espresso" in answer.read()
        connection.close()
        assert started.wait(15) in (0, -signal.SIGTERM)
        assert started.stderr is not None
        assert started.stderr.read() == ""


def test_other_machines_without_a_token_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "run", lambda *_, **__: None)
    for host, token, warned in (("0.0.0.0", "", True), ("0.0.0.0", "secret", False), ("127.0.0.1", "", False)):
        done = CliRunner(env={"BOXLESS_TOKEN": token}).invoke(app, ["serve", "--host", host, "--port", "0"])
        assert ("anybody may ask" in done.stderr) == warned
        assert f"at http://{host}:" in done.stderr


def refused(*arguments: object) -> str:
    """Why the command does not start."""
    error = CliRunner().invoke(app, ["serve", *map(str, arguments)]).exception
    assert isinstance(error, BoxlessError)
    return str(error)


def test_what_stops_it_from_starting(coffee: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused("--port", port)
        assert f"port {port} of 127.0.0.1 is taken" in said
        assert f"boxless serve --port {port + 1}" in said
    assert "no address of this machine" in refused("--host", "192.0.2.7")
    assert "not a model" in refused("--model", coffee, "--port", 0)
    assert "fast, balanced, best" in refused("--preset", "slow", "--port", 0)
    assert "a second model called" in refused("--model", DEFAULT_MODEL, "--model", DEFAULT_MODEL, "--port", 0)
