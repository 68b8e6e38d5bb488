"""What a burst of decompression bombs does to the service's memory, and to who comes next. python -m benchmarks.bombs

Eight requests at a time send a PNG of 12,200 x 12,200 pixels with four channels, 579 kB that decode to 595 MB; right
after them comes an ordinary image. Once with the default limits, which refuse the bomb by its header; once with the
largest image that they admit; and once with a limit that admits the bomb.
"""

from __future__ import annotations

import http.client
import io
import json
import re
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from benchmarks.facts import write_results
from benchmarks.serve import post, service
from benchmarks.serve_load import memory

PARALLEL = 8
SETTLED = 5.0
"""Seconds after the last answer at which memory counts."""

AFTER = "memory after over before, most"
WAIT = "wait of the ordinary image over its time alone, most s more"
TARGETS = {AFTER: 1.2, WAIT: 5.0}

BURSTS = {
    "12,200 x 12,200 RGBA, default limits": ((12_200, 12_200), ()),
    "8,000 x 8,000 RGBA, default limits": ((8_000, 8_000), ()),
    "12,200 x 12,200 RGBA, --max-megapixels 150": ((12_200, 12_200), ("--max-megapixels", "150")),
}


def bomb(size: tuple[int, int]) -> bytes:
    """A transparent PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGBA", size).save(file, "PNG")
    return file.getvalue()


def seconds_of(port: int, content: bytes) -> tuple[int, float]:
    """The status of an answer, and the seconds that it took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    start = time.perf_counter()
    status = post(connection, content).status
    connection.close()
    return status, time.perf_counter() - start


def working(port: int) -> bool:
    """Whether images are in work or waiting."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = answer.read().decode()
    return any(float(count) for count in re.findall(r"^boxless_images_(?:waiting|running) (\S+)$", lines, re.M))


def burst(size: tuple[int, int], options: tuple[str, ...], ordinary: bytes) -> dict[str, object]:
    """Memory before, during and after; and what the ordinary image waits for."""
    content = bomb(size)
    with service(*options) as (port, process), ThreadPoolExecutor(PARALLEL) as pool:
        alone = [seconds_of(port, ordinary)[1] for _ in range(20)][10:]
        before, samples, over = memory(process), [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                samples.append(memory(process))

        watching = threading.Thread(target=watch)
        watching.start()
        sent = [pool.submit(seconds_of, port, content) for _ in range(PARALLEL)]
        time.sleep(0.3)  # so that all of them are there before
        status, waited = seconds_of(port, ordinary)
        answers = [each.result() for each in sent]
        while working(port):  # on what nobody waits for any more
            time.sleep(0.5)
        over.set()
        watching.join()
        time.sleep(SETTLED)
        after = memory(process)
    return {
        "bytes of the bomb": len(content),
        "answers to the bombs": {str(code): count for code, count in Counter(code for code, _ in answers).items()},
        "the last of them, s": max(seconds for _, seconds in answers),
        "memory before, MiB": before,
        "memory during, most, MiB": max(samples),
        "memory after, MiB": after,
        "memory after over before": after / before,
        "the ordinary image": status,
        "the ordinary image, s": waited,
        "the ordinary image alone, median s": sorted(alone)[len(alone) // 2],
    }


def main() -> None:
    """Sends the bursts, prints and writes benchmarks/results/bombs.json."""
    ordinary = Path("examples/pictures/coffee.jpg").read_bytes()
    found = {name: burst(size, options, ordinary) for name, (size, options) in BURSTS.items()}
    rows = [{key: value for key, value in each.items() if isinstance(value, (int, float))} for each in found.values()]
    figures = {
        AFTER: max(row["memory after over before"] for row in rows),
        WAIT: max(row["the ordinary image, s"] - row["the ordinary image alone, median s"] for row in rows),
        "bursts": found,
    }
    print(json.dumps(figures, indent=1))
    write_results("bombs", {"figures": figures, "targets": TARGETS})


if __name__ == "__main__":
    main()
