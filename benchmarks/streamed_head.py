"""A head that is learned piece by piece against one that is learned at once. python -m benchmarks.streamed_head

Ten classes of Tiny ImageNet, 300 images each, at 224 pixels, measured on 500 others; then the same images five
times over, for memory and time. Each head in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.facts import DATA, write_results
from boxless.datasets.split import read_split
from boxless.export.backbone import Backbone
from boxless.learning.head import head as solver
from boxless.learning.head.features import pooled_features
from boxless.models.zoo import DEFAULT_MODEL

SIDE = 224
HEADS = ("at once", "piece by piece")
TIMES = (1, 5)


def measure(how: str, times: int) -> dict[str, Any]:
    """Learns a head, and measures it.

    Args:
        how: of `HEADS`.
        times: that each image is there.
    """
    training, validation = read_split(DATA / "tiny10/train", str(DATA / "tiny10/val"))
    made = pooled_features(Backbone(DEFAULT_MODEL), [*training.paths, *validation.paths], SIDE)
    count = len(training)
    order = np.random.default_rng(0).permutation(np.tile(np.arange(count), times))
    features, targets = made.only(order), training.targets[order]
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start, processor = _peak(), time.perf_counter(), time.process_time()
    solver.STREAMED_FROM = 0 if how == "piece by piece" else len(features)  # in a process of its own
    head = solver.fit_head(features, targets, several=False)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    right = (made[np.arange(count, len(made))] @ head.weight.T + head.bias).argmax(1) == validation.targets.argmax(1)
    return {
        "pictures": len(order),
        "accuracy": 100 * float(right.mean()),
        "strength": head.strength,
        "seconds": round(seconds, 1),
        "processor seconds": round(processor, 1),
        "memory, MiB": round(_peak() - before),
        "features, MiB": round(len(order) * made.width * 4 / 2**20),
    }


def _peak() -> float:
    """The most memory that this process had since the peak was begun anew, in MiB; Linux only."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 2**10


def main() -> None:
    """Measures and writes benchmarks/results/streamed_head.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, help="measure one head, for the process that does so")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.one[0], int(given.one[1]))))
        return
    rows = []
    for times in TIMES:
        for how in HEADS:
            command = [sys.executable, "-m", "benchmarks.streamed_head", "--one", how, str(times)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append({"how": how, **json.loads(done.stdout.splitlines()[-1])})
            print(rows[-1], flush=True)
    write_results("streamed_head", {"rows": rows, "piece by piece from, pictures": solver.STREAMED_FROM})


if __name__ == "__main__":
    main()
