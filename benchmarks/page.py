"""What a picture takes on the page without a server, in processor time. python -m benchmarks.page

Its modules and its model run in Node, whose engine is Chromium's, on the example picture of a cup, decoded, five
classes; and Python does the same beside. Needs Node and onnxruntime-web (npm install, see tests/serve/package.json).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.facts import milliseconds, write_results
from boxless import Localizer
from boxless.image import read_picture
from boxless.serve.alone import RUNTIME, find_runtime, write_alone

ROOT = Path(__file__).parent.parent
TARGETS = {"fast": 250.0}


def in_node(model: str, folder: Path) -> dict[str, float]:
    """Milliseconds by preset."""
    write_alone(model, folder, find_runtime(None, ROOT / "tests/serve"))
    (folder / "package.json").write_text('{"type": "module"}')
    pixels = read_picture(ROOT / "examples/pictures/coffee.jpg").pixels
    height, width = pixels.shape[:2]
    raw = folder / "pixels"
    raw.write_bytes(np.dstack([pixels, np.full((height, width), 255, np.uint8)]).tobytes())
    command = [
        str(shutil.which("node")),
        str(ROOT / "benchmarks/page.mjs"),
        str(folder),
        str(raw),
        str(height),
        str(width),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def in_python(model: str) -> dict[str, float]:
    """The same in Python, one thread."""
    pixels = read_picture(ROOT / "examples/pictures/coffee.jpg").pixels
    localizers = {name: Localizer(model, name, threads=1) for name in ("fast", "balanced")}
    tasks = {name: (lambda each=each: each.locate(pixels, top=5)) for name, each in localizers.items()}
    times = milliseconds(tasks, rounds=9, clock=time.process_time)
    return {name: float(np.median(each)) for name, each in times.items()}


def main() -> None:
    """Measures, prints and writes benchmarks/results/page.json."""
    figures = {}
    for model in ("efficientnet-lite0", "efficientnet-lite0-int8"):
        with tempfile.TemporaryDirectory() as folder:
            figures[model] = {"page": in_node(model, Path(folder)), "python": in_python(model)}
    print(json.dumps(figures, indent=1))
    write_results("page", {"unit": "processor ms", "runtime": RUNTIME, "figures": figures, "targets": TARGETS})


if __name__ == "__main__":
    main()
