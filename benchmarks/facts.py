"""The facts of a run, and medians that stand noise: shared by the benchmark programs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from boxless.system.files import write_whole
from boxless.system.machine import machine as facts_of_machine

RESULTS = Path(__file__).parent / "results"
DATA = Path(os.environ.get("BOXLESS_DATA", Path(__file__).parent.parent.parent / "shared/data"))


def machine() -> dict[str, Any]:
    """What a figure depends on: processor, cores, versions."""
    return facts_of_machine(("boxless", "numpy", "onnxruntime", "opencv-python-headless", "pillow"))


def milliseconds(
    tasks: Mapping[str, Callable[[], object]],
    rounds: int = 60,
    warm: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """The time of each task in each round, in ms. The tasks take turns, so that noise meets all alike."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(warm + rounds):
        for name, task in tasks.items():
            start = clock()
            task()
            if turn >= warm:
                times[name].append((clock() - start) * 1e3)
    return times


def ratio(times: Mapping[str, list[float]], name: str, over: str) -> float:
    """The median over rounds of one task's time over another's."""
    return float(np.median(np.array(times[name]) / np.array(times[over])))


def write_results(name: str, figures: Mapping[str, Any]) -> None:
    """Writes figures with the machine's facts to benchmarks/results/NAME.json."""
    text = json.dumps({"machine": machine(), **figures}, indent=2, ensure_ascii=False) + "\n"
    write_whole(RESULTS / f"{name}.json", lambda beside: beside.write_text(text, encoding="utf-8"))


def read(name: str) -> dict[str, Any]:
    """The results of a benchmark program."""
    data: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return data


def with_interval(figure: dict[str, float]) -> str:
    """A figure and its 95 % interval."""
    return f"{figure['value']:.1f} ({figure['low']:.1f} to {figure['high']:.1f})"
