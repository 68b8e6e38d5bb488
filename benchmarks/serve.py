"""What the service costs beside the library. python -m benchmarks.serve

Requests go to a `boxless serve` of this program's own, at 127.0.0.1, from four clients. Rates of wall-clock time are
worth something on a machine with nothing else to do only; processor time stands noise.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.facts import DATA, write_results
from boxless import Localizer
from boxless.system.cores import usable_cores

ROUNDS = 3
TARGETS = {
    "service at saturation over locate_many": 0.85,
    "overhead of a request, ms": 5.0,
}


@contextmanager
def service(*options: str) -> Iterator[tuple[int, int]]:
    """A service in a process of its own: (port, process id)."""
    command = [sys.executable, "-c", "from boxless.cli import main; main()", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        match = re.search(r":(\d+)  ", line)
        if match is None:
            raise SystemExit(f"the service does not start: {line}")
        try:
            yield int(match[1]), process.pid
        finally:
            process.terminate()


def post(connection: http.client.HTTPConnection, content: bytes, **headers: str) -> http.client.HTTPResponse:
    """Sends an image and reads the answer."""
    connection.request("POST", "/v1/locate", content, {"Content-Type": "image/jpeg", **headers})
    answer = connection.getresponse()
    answer.read()
    return answer


def rate_of_the_service(port: int, contents: list[bytes], clients: int) -> float:
    """Images a second, of clients that send one after the other each."""
    waiting = iter(contents)
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                content = next(waiting, None)
            if content is None:
                connection.close()
                return
            if post(connection, content).status != 200:
                raise SystemExit("a good picture was refused")

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(client) for _ in range(clients)]:
            done.result()
    return len(contents) / (time.perf_counter() - start)


def rate_of_the_library(localizer: Localizer, contents: list[bytes]) -> float:
    """Images a second of `locate_many`."""
    start = time.perf_counter()
    for _ in localizer.locate_many(contents):
        pass
    return len(contents) / (time.perf_counter() - start)


def processor_seconds(process: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(port: int, process: int, contents: list[bytes]) -> dict[str, float]:
    """The service at saturation over `locate_many`: both in turn, so that noise meets both alike."""
    localizer = Localizer()
    rates: dict[str, list[float]] = {"library": [], "service": []}
    used: dict[str, list[float]] = {"library": [], "service": []}
    for turn in range(ROUNDS + 1):
        before = time.process_time(), processor_seconds(process)
        library = rate_of_the_library(localizer, contents)
        between = time.process_time()
        served = rate_of_the_service(port, contents, 4)
        if turn:  # the first warms both
            rates["library"].append(library)
            rates["service"].append(served)
            used["library"].append((between - before[0]) / len(contents) * 1e3)
            used["service"].append((processor_seconds(process) - before[1]) / len(contents) * 1e3)
    ratios = np.array(rates["service"]) / np.array(rates["library"])
    return {
        "locate_many, pictures/s": float(np.median(rates["library"])),
        "service, pictures/s": float(np.median(rates["service"])),
        "service at saturation over locate_many": float(np.median(ratios)),
        "the least of these ratios": float(ratios.min()),
        "the largest of these ratios": float(ratios.max()),
        "locate_many, processor ms a picture": float(np.median(used["library"])),
        "service, processor ms a picture": float(np.median(used["service"])),
        "processor time of locate_many over the service's": float(
            np.median(np.array(used["library"]) / np.array(used["service"]))
        ),
    }


def overhead(port: int, contents: list[bytes], requests: int = 100) -> dict[str, float]:
    """What a request takes beside locating, in ms: one at a time, as the client sees it, less the stage `locate`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    beside = []
    for i in range(requests):
        start = time.perf_counter()
        answer = post(connection, contents[i % len(contents)])
        whole = (time.perf_counter() - start) * 1e3
        located = re.search(r"locate;dur=([\d.]+)", answer.headers["Server-Timing"])
        assert located is not None
        beside.append(whole - float(located[1]))
    return {
        "overhead of a request, ms": float(np.median(beside)),
        "overhead of a request, ms, ninth of ten": float(np.percentile(beside, 90)),
    }


def images() -> list[bytes]:
    """Twenty-four photographs, encoded."""
    files = sorted((DATA / "photos").glob("*.*")) or sorted(Path("examples/pictures").glob("*.jpg"))
    return [path.read_bytes() for path in islice(files, 24)]


def main() -> None:
    """Measures, prints and writes benchmarks/results/serve.json."""
    contents = images()
    with service() as (port, process):
        figures = {**throughput(port, process, contents), **overhead(port, contents)}
    print(json.dumps(figures, indent=1))
    load = f"at a load of {os.getloadavg()[0]:.0f} at the end, on {usable_cores()} cores"
    write_results("serve", {"pictures": len(contents), "beside": load, "figures": figures, "targets": TARGETS})


if __name__ == "__main__":
    main()
