"""How the service stands mixed load. python -m benchmarks.serve_load [--minutes 30]

Requests go to a `boxless serve` of this program's own, at 127.0.0.1, from at most 12 clients, for a bounded time.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import io
import json
import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.facts import write_results
from benchmarks.serve import images, post, processor_seconds, service

CLIENTS = 12
TARGET = "memory in the last third over memory in the middle one"


@dataclass
class Soak:
    """What mixed load gave.

    Attributes:
        answers: how often each kind of request was answered how.
        memory: MiB of the service, by second.
    """

    answers: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[float, float]] = field(default_factory=list)


def raw(port: int, pieces: Iterator[bytes], pause: float = 0.0, seconds: float = 40.0) -> bytes:
    """Sends bytes piece by piece; the first line of the answer, nothing if there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
                if pause:
                    client.settimeout(pause)
                    try:
                        return client.recv(100).partition(b"\r\n")[0]
                    except TimeoutError:
                        client.settimeout(seconds)
        except OSError:
            pass  # it was cut off in the middle; its answer may be there
        try:
            return client.recv(100).partition(b"\r\n")[0]
        except OSError:
            return b""


def kinds(port: int, contents: list[bytes]) -> dict[str, tuple[Callable[[], int], set[int]]]:
    """The kinds of requests: how each is sent, and which answers are right; 503 always is, 0 is none."""
    broken = [b"no picture", contents[0][: len(contents[0]) // 2], b"", b"\xff\xd8\xff" + bytes(1000)]
    too_many = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(too_many, "PNG")

    def send(content: bytes, path: str = "/v1/locate", **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request("POST", path, content, {"Content-Type": "image/jpeg", **headers})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def status(line: bytes) -> int:
        return int(line.split()[1]) if line.startswith(b"HTTP/") else 0

    head = b"POST /v1/locate HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"

    def slow() -> int:
        return status(raw(port, iter([head % 50_000, *[b"x"] * 60]), pause=0.5))

    def large() -> int:
        return status(raw(port, iter([head % 90_000_000, *[bytes(1_000_000)] * 90])))

    def aborted() -> int:
        content = random.choice(contents)
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(head % len(content) + content[: random.choice((0, len(content) // 2, len(content)))])
            time.sleep(random.uniform(0, 0.05))
        return 0

    def in_json() -> int:
        data = {"image": base64.b64encode(random.choice(contents)).decode(), "top": 3, "maps": True}
        return send(json.dumps(data).encode(), **{"Content-Type": "application/json"})

    return {
        "good": (lambda: send(random.choice(contents)), {200}),
        "good, drawn": (lambda: send(random.choice(contents), Accept="image/jpeg"), {200}),
        "good, map": (lambda: send(random.choice(contents), Accept="image/png"), {200}),
        "good, JSON": (in_json, {200}),
        "broken": (lambda: send(random.choice(broken)), {422}),
        "wrong option": (lambda: send(contents[0], "/v1/locate?top=0"), {422}),
        "too many pixels": (lambda: send(too_many.getvalue()), {422}),
        "too large": (large, {413}),
        "slow": (slow, {408}),
        "aborted": (aborted, {0}),
    }


def memory(process: int) -> float:
    """The resident memory of a process, MiB."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1024


def soak(port: int, process: int, contents: list[bytes], seconds: float) -> Soak:
    """Mixed load from `CLIENTS` clients."""
    result, lock = Soak(), threading.Lock()
    mixed = list(kinds(port, contents).items())
    end = time.monotonic() + seconds

    def client() -> None:
        while time.monotonic() < end:
            name, (send, expected) = random.choice(mixed)
            try:
                status = send()
            except OSError as error:
                status = -1
                said = type(error).__name__
            else:
                said = str(status)
            verdict = "as expected" if status in expected else "refused (503)" if status == 503 else f"wrong: {said}"
            with lock:
                result.answers[f"{name}: {verdict}"] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        start = time.monotonic()
        while time.monotonic() < end:
            result.memory.append((time.monotonic() - start, memory(process)))
            time.sleep(1)
        for each in clients:
            each.result()
    return result


def _answered(port: int, content: bytes) -> bool:
    """Whether a good image is answered; a client that is asked to come again does, twice."""
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        answer = post(connection, content)
        connection.close()
        if answer.status == 200:
            return True
        time.sleep(int(answer.headers.get("Retry-After", 1)))
    return False


def told(result: Soak, minutes: float, port: int, process: int, contents: list[bytes]) -> dict[str, object]:
    """The figures of mixed load, and whether the service still does what it did."""
    times, sizes = np.array(result.memory).T
    used = processor_seconds(process)
    thirds = [float(np.median(sizes[(times >= a * times[-1]) & (times <= (a + 1 / 3) * times[-1])]))
              for a in (0, 1 / 3, 2 / 3)]  # fmt: skip
    afterwards = [_answered(port, content) for content in contents]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode()
    left = {name: float(re.search(rf"^{name} (\S+)$", lines, re.M)[1])  # type: ignore[index]
            for name in ("boxless_images_waiting", "boxless_images_running")}  # fmt: skip
    refused = re.findall(r'^boxless_refusals_total{kind="([^"]+)"} (\S+)$', lines, re.M)
    return {
        "minutes": minutes,
        "requests": sum(result.answers.values()),
        "answers": dict(sorted(result.answers.items())),
        "wrong answers": sum(count for name, count in result.answers.items() if ": wrong: " in name),
        "refusals by kind": {kind: int(float(count)) for kind, count in sorted(refused)},
        "processor seconds of the service": used,
        "longest that this program itself stood still, s": float(np.diff(times).max()) - 1,
        "memory by thirds of the time, median MiB": [round(size) for size in thirds],
        TARGET: thirds[2] / thirds[1],
        "left in the queue and in the workers": left,
        "good pictures afterwards": f"{sum(afterwards)} of {len(afterwards)} answered",
    }


def main() -> None:
    """Loads, prints and writes benchmarks/results/serve_load.json."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0, help="of mixed load")
    minutes = options.parse_args().minutes
    contents = images()
    with service() as (port, process):
        figures = told(soak(port, process, contents, 60 * minutes), minutes, port, process, contents)
    print(json.dumps(figures, indent=1))
    write_results("serve_load", {"figures": figures, "targets": {TARGET: 1.05, "wrong answers": 0}})


if __name__ == "__main__":
    main()
